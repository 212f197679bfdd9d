"""What varies between the points of a search: lists of values, and ranges."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from nncli.config.yaml_output import to_yaml_value
from nncli.store.group_files import AxisRecord, Scale

HALF = 0.5  # an integer n is sampled from n - 1/2 to n + 1/2


def listed(axis: AxisRecord) -> Sequence[Any] | None:
    """The values of an axis in their order; None for a range in which every value is possible."""
    if axis.values is not None:
        return axis.values
    low, high = axis.limits
    if axis.step is None or axis.count is None:
        return range(int(low), int(high) + 1) if axis.is_integer else None
    return _Steps(low, axis.step, axis.count)


def is_countable(axis: AxisRecord) -> bool:
    """Whether a grid can have every value of an axis: a list, or a range with a step."""
    return axis.values is not None or axis.step is not None


def sampled(axis: AxisRecord, generator: np.random.Generator) -> Any:
    """A random value of an axis: each of a list is equally likely; a range is uniform, in the logarithm if asked."""
    if axis.log:
        return _log_uniform(axis, generator)
    values = listed(axis)
    if values is not None:
        return values[int(generator.integers(len(values)))]
    low, high = axis.limits
    return float(generator.uniform(low, high))


def override(axis: AxisRecord, value: Any) -> str:
    """The override that gives a config a value of an axis."""
    return f"{axis.key}={to_yaml_value(value)}"


def _log_uniform(axis: AxisRecord, generator: np.random.Generator) -> Scale:
    """A value whose logarithm is uniform; an integer is rounded, so that both ends are as likely as their neighbors."""
    low, high = axis.limits
    if axis.is_integer:
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
