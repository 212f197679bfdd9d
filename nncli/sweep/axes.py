"""What varies between the points of a search: lists of values, and ranges."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from nncli.config.yaml_output import to_yaml_value
from nncli.store.group_files import AxisRecord, Scale

ROUNDING = 1e-9  # of a number of steps: 0.1 to 0.3 by 0.1 are 3 values
HALF = 0.5  # an integer n is sampled from n - 1/2 to n + 1/2


def is_range(axis: AxisRecord) -> bool:
    """Whether an axis is a range, not a list of values."""
    return axis.values is None


def is_integer(axis: AxisRecord) -> bool:
    """Whether a range has only integers."""
    return all(isinstance(each, int) for each in (axis.min, axis.max, axis.step or 0))


def limits(axis: AxisRecord) -> tuple[Scale, Scale]:
    """The smallest and the largest value of a range.

    Raises:
        ValueError: the axis is a list of values.
    """
    if axis.min is None or axis.max is None:
        raise ValueError(f"{axis.key} is a list of values, not a range")
    return axis.min, axis.max


def listed(axis: AxisRecord) -> Sequence[Any] | None:
    """The values of an axis in their order; None for a range in which every value is possible."""
    if axis.values is not None:
        return axis.values
    low, high = limits(axis)
    if axis.step is None:
        return range(int(low), int(high) + 1) if is_integer(axis) else None
    count = math.floor((high - low) / axis.step + ROUNDING) + 1
    return _Steps(low, axis.step, count)


def is_countable(axis: AxisRecord) -> bool:
    """Whether a grid can have every value of an axis: a list, or a range with a step."""
    return not is_range(axis) or axis.step is not None


def sampled(axis: AxisRecord, generator: np.random.Generator) -> Any:
    """A random value of an axis: each of a list is equally likely; a range is uniform, in the logarithm if asked."""
    if axis.log:
        return _log_uniform(axis, generator)
    values = listed(axis)
    if values is not None:
        return values[int(generator.integers(len(values)))]
    low, high = limits(axis)
    return float(generator.uniform(low, high))


def override(axis: AxisRecord, value: Any) -> str:
    """The override that gives a config a value of an axis."""
    return f"{axis.key}={to_yaml_value(value)}"


def _log_uniform(axis: AxisRecord, generator: np.random.Generator) -> Scale:
    """A value whose logarithm is uniform; an integer is rounded, so that both ends are as likely as their neighbors."""
    low, high = limits(axis)
    if is_integer(axis):
        value = math.exp(generator.uniform(math.log(low - HALF), math.log(high + HALF)))
        return min(max(round(value), int(low)), int(high))
    value = math.exp(generator.uniform(math.log(low), math.log(high)))
    return min(max(value, float(low)), float(high))


class _Steps(Sequence[Scale]):
    """The values ``low``, ``low + step``, ...; each is computed from its index and rounded, as 0.30000000000000004."""

    def __init__(self, low: Scale, step: Scale, count: int) -> None:
        self.low, self.step, self.length = low, step, count

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: Any) -> Any:
        if not 0 <= index < self.length:
            raise IndexError(index)
        value = self.low + index * self.step
        return value if isinstance(value, int) else float(f"{value:.12g}")
