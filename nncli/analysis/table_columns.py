"""What a table of many runs can leave out: common parts of their names, and keys that follow from other keys."""

import re
from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import Any, NamedTuple

TYPE = ".type"  # the end of the key of the type of a component
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
    first: dict[str, str] = {}
    return [
        key
        for key, values in table.items()
        if first.setdefault(repr(list(values)), key) != key or follows_from_type(key, table)
    ]


def follows_from_type(key: str, table: Mapping[str, Sequence[Any]]) -> bool:
    """Whether all runs with the same type of a component have the same value of a key of it.

    So it is with the default of an optimizer's parameter.

    Args:
        key: the key.
        table: the values of each key, one per run.
    """
    types = table.get(f"{key.rpartition('.')[0]}{TYPE}")
    if types is None or types is table[key]:
        return False
    pairs = {(repr(kind), repr(value)) for kind, value in zip(types, table[key], strict=True)}
    return len(pairs) == len({kind for kind, _ in pairs})
