"""Suggestions for unknown words: the equivalent of a name of another library, else the most similar known name."""

import difflib
import re
from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

from nncli.config.diagnostics import LONGEST_VALUE
from nncli.config.synonym_table import KEYS, TYPES
from nncli.config.synonyms import spelling

MIN_SUBSTRING = 6  # characters; a shorter substring of a name is too ambiguous to suggest the name


class Hint(NamedTuple):
    """What words of other libraries are called here.

    Args:
        words: the words; case, ``_`` and ``-`` do not count.
        names: the names here: of types, or dotted paths of keys.
        text: what to write, if that is more than the names; its placeholders are those of the table.
    """

    words: tuple[str, ...]
    names: tuple[str, ...] = ()
    text: str = ""


def _parsed(table: str) -> dict[str, list[Hint]]:
    """The hints of a table by scope."""
    hints: dict[str, list[Hint]] = {}
    scope = ""
    for line in re.sub(r"\n    ", " ", table).strip().splitlines():
        if line.startswith("["):
            scope = line.strip("[]")
            hints[scope] = []
        else:
            words, _, meaning = line.partition(" ->")
            names, _, text = meaning.partition(" | ")
            hints[scope].append(Hint(tuple(words.split()), tuple(names.split()), text))
    return hints


@cache
def hints_of_types() -> dict[str, list[Hint]]:
    """The hints for words that are no type, by kind."""
    return _parsed(TYPES)


@cache
def hints_of_keys() -> dict[str, list[Hint]]:
    """The hints for words that are no key, by scope."""
    return _parsed(KEYS)


def find_hint(hints: Iterable[Hint], word: str) -> Hint | None:
    """The first hint for a word."""
    wanted = spelling(word)
    return next((hint for hint in hints if wanted in map(spelling, hint.words)), None)


def type_hint(kind: str, word: str) -> Hint | None:
    """The hint for a word that is no type of a kind."""
    return find_hint(hints_of_types().get(kind, ()), word)


def key_hint(scopes: Iterable[str], word: str) -> Hint | None:
    """The hint for a word that is no key in the scopes, of which the first one decides."""
    return find_hint((hint for scope in (*scopes, "anywhere") for hint in hints_of_keys().get(scope, ())), word)


def translations(word: str) -> list[str]:
    """The names that a word may stand for, with a dotted path for keys of a section.

    >>> translations("val_acc"), translations("lr"), translations("adam")
    (['validation_accuracy'], ['optimizer.learning_rate'], [])
    """
    name = re.sub("[-/. ]", "_", word.lower())
    if found := re.fullmatch("(?:val|valid|validation|eval|dev)_(.+)", name):
        return [f"validation_{metric}" for metric in translations(found[1]) or [found[1]]]
    if name in {"val", "valid", "eval", "dev"}:
        return ["validation"]
    if found := re.fullmatch("(?:train|training)_(.+)", name):
        return translations(found[1]) or [found[1]]
    kinds = dict.fromkeys(("metric", "loss", *hints_of_types()))
    hints = [type_hint(kind, name) for kind in kinds]
    hints = hints if any(hints) else [key_hint(["config"], name)]
    return list(dict.fromkeys(meant for hint in hints if hint for meant in hint.names))


def similar(word: str, known: Iterable[str]) -> str:
    """Return a suggestion to append to a message; empty if no known name is similar.

    >>> similar("adm", ["adam", "sgd"]), similar("unknown", ["adam", "sgd"])
    ("; did you mean 'adam'?", '')
    """
    lower = {name.lower(): name for name in sorted(known, reverse=True)}
    written = word[:LONGEST_VALUE].lower()
    meant = [name for name in translations(written) if name.partition(".")[0] in lower.values()]
    found = [name for name in lower if len(written) >= MIN_SUBSTRING and written in name == lower[name]]
    found = found or difflib.get_close_matches(written, lower, n=1)
    if not meant and not found:
        return ""
    return f"; did you mean {' or '.join(map(repr, meant or [lower[name] for name in found]))}?"


def suggestion(word: str, known: Iterable[str], listed: Iterable[str] | None = None) -> str:
    """Return a suggestion to append to a message, or the list of known names if none is similar.

    Args:
        word: the word that was written.
        known: all valid words.
        listed: the valid words to list; all by default.

    >>> suggestion("adm", ["adam", "sgd"])
    "; did you mean 'adam'?"
    >>> suggestion("val_loss", ["data_loss", "validation_loss"])
    "; did you mean 'validation_loss'?"
    """
    known = list(known)
    return similar(word, known) or (f"; known: {', '.join(sorted(listed or known))}" if known else "")
