"""The seeds of a group: 10 for 0 to 9, 0..9 with both ends, or 1,2,5; what they vary; and folds."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from nncli.config.diagnostics import path_text, shown
from nncli.config.model import SEED_KEYS
from nncli.config.yaml_output import to_yaml_value
from nncli.store.group_files import GroupRecord

MAX_SEEDS = 10_000
LARGEST = 2**32 - 1
DEFAULT = ("weights", "order", "dropout")
ALL = "all"
EXAMPLES = "write a number such as 10, a range such as 0..9, or a list such as 1,2,5"


def parse_seeds(written: Any) -> list[int]:
    """The seeds that a number, a text or a list stands for.

    >>> parse_seeds(3), parse_seeds("4..6"), parse_seeds("1,2,5"), parse_seeds([7])
    ([0, 1, 2], [4, 5, 6], [1, 2, 5], [7])

    Raises:
        ValueError: it stands for none, or a seed repeats.
    """
    seeds = _seeds(written)
    if not seeds:
        raise ValueError(f"no seeds; {EXAMPLES}")
    if len(seeds) > MAX_SEEDS:
        raise ValueError(f"{len(seeds):,} seeds are too many (limit: {MAX_SEEDS:,})")
    if max(seeds) > LARGEST:
        raise ValueError(f"seed {max(seeds)} is too large (limit: {LARGEST})")
    repeated = next((seed for index, seed in enumerate(seeds) if isinstance(seeds, list) and seed in seeds[:index]), -1)
    if repeated >= 0:
        raise ValueError(f"seed {repeated} repeats; write each once")
    return list(seeds)


def _seeds(written: Any) -> Sequence[int]:
    """The seeds, which may be too many or repeat."""
    if isinstance(written, list) and all(type(each) is int and each >= 0 for each in written):
        return written
    text = str(written).replace(" ", "")
    if re.fullmatch(r"[0-9]{1,10}", text) and not isinstance(written, list):
        return range(int(text))
    if found := re.fullmatch(r"([0-9]{1,10})\.\.([0-9]{1,10})", text):
        first, last = int(found[1]), int(found[2])
        if first > last:
            raise ValueError(f"{text} is empty; write {last}..{first}")
        return range(first, last + 1)
    if isinstance(written, str) and re.fullmatch(r"[0-9]{1,10}(,[0-9]{1,10})+", text):
        return [int(each) for each in text.split(",")]
    raise ValueError(f"expected seeds, got {shown(written)}; {EXAMPLES}")


def parse_vary(written: Any) -> list[str]:
    """What a seed varies: keys of the section ``seeds``, or ``all``; ``data`` includes how it is split.

    >>> parse_vary(None), parse_vary("data"), parse_vary("weights, order"), parse_vary(["all"])
    (['weights', 'order', 'dropout'], ['data', 'split'], ['weights', 'order'], ['all'])

    Raises:
        ValueError: a word is unknown or repeats, or ``all`` is not alone.
    """
    if written is None:
        return list(DEFAULT)
    words = written.replace(" ", "").split(",") if isinstance(written, str) else written
    known = f"write {ALL}, or some of {', '.join(SEED_KEYS)}"
    if not _is_list(words) or not all(each in (*SEED_KEYS, ALL) for each in words):
        unknown = next((each for each in words if each not in (*SEED_KEYS, ALL)), "") if _is_list(words) else written
        raise ValueError(f"a seed cannot vary {shown(unknown)}; {known}")
    if len(set(words)) < len(words) or (ALL in words and len(words) > 1):
        raise ValueError(f"{', '.join(words)}: a word repeats, or is part of {ALL}; {known}")
    chosen = {*words, *(["split"] if "data" in words else [])}
    return [ALL] if ALL in words else [each for each in SEED_KEYS if each in chosen]


def _is_list(words: Any) -> bool:
    """Whether these are several words, or one."""
    return isinstance(words, list) and bool(words)


def replicate_changes(
    seeds: Sequence[int] | None, vary: Sequence[str], fold: Mapping[str, Any] | None, replicate: int
) -> list[tuple[tuple[str, ...], Any]]:
    """The values of one run of a point, each with its path in the config: its seed, then its fold.

    Args:
        seeds: the seeds, if there are any.
        vary: what a seed varies.
        fold: the validation set without the number of the fold: the number of folds, and the column that groups rows.
        replicate: the number of the run.
    """
    index, number = divmod(replicate, fold["folds"] if fold else 1)
    paths = [("seed",)] if list(vary) == [ALL] else [("seeds", each) for each in vary]
    changes: list[tuple[tuple[str, ...], Any]] = [(path, seeds[index]) for path in paths] if seeds else []
    return [*changes, *([(("validation",), {**fold, "fold": number})] if fold else [])]


def fold_of(folds: int | None, validation: Any) -> dict[str, Any] | None:
    """A fold without its number; its rows are grouped as those of the validation set that it replaces.

    Args:
        folds: the number of folds, if there are any.
        validation: the validation set of the base config.
    """
    group = validation.get("group") if isinstance(validation, Mapping) else getattr(validation, "group", None)
    return {"folds": folds, **({"group": group} if group else {})} if folds else None


def replicate_overrides(record: GroupRecord, fold: Mapping[str, Any] | None, replicate: int) -> list[str]:
    """The overrides of one run of a point: its seed, then its fold."""
    changes = replicate_changes(record.seeds, record.vary, fold, replicate)
    return [f"{path_text(path)}={to_yaml_value(value)}" for path, value in changes]
