"""The keys in which the runs of a group differ, besides their seeds: a mean over them is one of several configs."""

from collections.abc import Iterable, Sequence

from nncli.analysis.compared_run import ComparedRun
from nncli.analysis.config_table import differing_keys, flat_configs
from nncli.analysis.table_columns import implied_keys
from nncli.config.diagnostics import counted

MOST_KEYS = 4  # that are named


def mixed_sentence(sides: Iterable[Sequence[ComparedRun]]) -> str | None:
    """What else differs between the runs of a group; None if nothing does, but their seeds and folds.

    Args:
        sides: the finished runs of each group.
    """
    keys = list(dict.fromkeys(key for entries in sides for key in _mixed_keys(entries)))
    if not keys:
        return None
    more = f" and {counted(len(keys) - MOST_KEYS, 'more key')}" if len(keys) > MOST_KEYS else ""
    return f"runs of one group also differ in {', '.join(keys[:MOST_KEYS])}{more}: means are over several configs"


def _mixed_keys(entries: Sequence[ComparedRun]) -> list[str]:
    """The keys in which the configs of runs differ; without seeds, folds, and keys that follow from others."""
    configs = [entry.run.config.model_dump() for entry in entries]
    if len(configs) < 2:
        return []
    for config in configs:
        config.pop("seeds", None)
    table = differing_keys(flat_configs(configs))
    table = {key: values for key, values in table.items() if key.rpartition(".")[2] not in {"seed", "fold"}}
    implied = implied_keys(table)
    return [key for key in table if key not in implied]
