"""The points of a search: each is a value of every axis, and can be computed from its number alone."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from nncli.store.group_files import AxisRecord
from nncli.sweep.axes import listed, sampled

Point = tuple[Any, ...]


def grid_point(axes: Sequence[AxisRecord], number: int) -> Point:
    """A point of a grid; the values of the last axis change fastest.

    Raises:
        ValueError: an axis is a range in which every value is possible.
    """
    point: list[Any] = []
    for axis in reversed(axes):
        values = listed(axis)
        if values is None:
            raise ValueError(f"{axis.key} is a range without a step")
        number, index = divmod(number, len(values))
        point.append(values[index])
    return tuple(reversed(point))


def random_point(axes: Sequence[AxisRecord], seed: int, number: int) -> Point:
    """A random point, which depends on the seed and its number only, not on the points before it."""
    generator = np.random.default_rng(np.random.SeedSequence([seed, number]))
    return tuple(sampled(axis, generator) for axis in axes)
