"""What a table of many runs can leave out: common parts of their names, and keys that follow from other keys."""

import re
from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import Any, NamedTuple

SEPARATOR = r"[-_./ ]"


class ShortNames(NamedTuple):
    """Names without what all of them begin and end with.

    Args:
        names: the short names.
        start: what all full names begin with; it ends after a separator.
        end: what all full names end with; it begins with a separator.
    """

    names: list[str]
    start: str = ""
    end: str = ""


def short_names(names: Sequence[str]) -> ShortNames:
    """Names without their common parts; unchanged if one of them would be empty.

    >>> short_names(["spiral-adam-s1", "spiral-sgd-s10"])
    ShortNames(names=['adam-s1', 'sgd-s10'], start='spiral-', end='')
    >>> short_names(["a-long", "b-long"]).end, short_names(["0001", "0002"]).start
    ('-long', '')
    """
    start = "".join(_common([re.split(rf"(?<={SEPARATOR})", name)[:-1] for name in names]))
    shortened = [name.removeprefix(start) for name in names]
    end = "".join(reversed(_common([re.split(rf"(?={SEPARATOR})", name)[:0:-1] for name in shortened])))
    shortened = [name.removesuffix(end) for name in shortened]
    return ShortNames(shortened, start, end) if all(shortened) else ShortNames(list(names))


def _common(parts: Sequence[Sequence[str]]) -> list[str]:
    """The first parts that all names have."""
    same = takewhile(lambda each: len(set(each)) == 1, zip(*parts, strict=False))
    return [each[0] for each in same]


def implied_keys(table: Mapping[str, Sequence[Any]]) -> list[str]:
    """The keys of a table of configs that follow from another key.

    A key follows from one before it with the same values, and from the type of its section if all runs of one type have
    the same value.

    Args:
        table: the values of each key, one per run.
    """
    values = {key: list(map(repr, each)) for key, each in table.items()}
    first: dict[tuple[str, ...], str] = {}
    implied = []
    for key, each in values.items():
        if first.setdefault(tuple(each), key) != key or _follows(each, values.get(_type_key(key))):
            implied.append(key)
    return implied


def _type_key(key: str) -> str:
    """The key of the type of a component that has a key; itself if it is the type."""
    return f"{key.rpartition('.')[0]}.type"


def _follows(values: Sequence[str], types: Sequence[str] | None) -> bool:
    """Whether runs of the same type have the same value, and there are other types."""
    if types is None or types is values:
        return False
    return len(set(zip(types, values, strict=True))) == len(set(types))
