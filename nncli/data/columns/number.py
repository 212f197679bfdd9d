"""Columns of numbers."""

from functools import cache
from math import isfinite, nan
from typing import Any

import numpy as np

from nncli.data.columns.column import CellProblem, Column, known_texts, spread
from nncli.data.columns.decimals import plain_numbers
from nncli.data.columns.number_errors import explain_number, is_number
from nncli.data.columns.summary import Summary, summary_of_numbers
from nncli.data.transforms.column_error import ColumnError
from nncli.data.transforms.imputation import Imputation
from nncli.data.transforms.moments import Array
from nncli.data.transforms.scaling import Standardize
from nncli.data.transforms.state import State, nested, require, validated_state
from nncli.data.transforms.transform import Transform
from nncli.registry import Model, register


class NumberState(Model):
    """The state of a column of numbers.

    Args:
        transform: the state of the transform.
        fill: the value for missing ones; None if there is none.
        constant: whether the column is of no use.
        smallest: the smallest value of the training rows; None in a run of an older version.
        largest: the largest one.
    """

    transform: dict[str, Any]
    fill: float | None
    constant: bool
    smallest: float | None = None
    largest: float | None = None


@register("number")
class Number(Column):
    """Numbers, written with a decimal point and no thousands separators: 3, -0.5, 007, 1e-3.

        y = transform(x)

    A number that float64 cannot hold is rounded to the nearest one that it can, as every decimal fraction is; from
    1.8e308 on it is an error.

    Args:
        transform: how the numbers are scaled; default: standardize.

    Source: IEEE 754-2019, binary64.
    """

    reads_numbers = True

    def __init__(self, transform: Transform | None = None, missing: Imputation | None = None) -> None:
        super().__init__(missing)
        self.transform = transform or Standardize()

    def parse(self, texts: Any, missing: frozenset[str]) -> tuple[Array, list[CellProblem]]:
        """The values, also of a block that is float64 already; numbers in ``missing`` are compared by value."""
        if isinstance(texts, np.ndarray):
            values, problems = texts.astype(np.float64, copy=False), list[CellProblem]()
        else:
            values, problems = super().parse(texts, missing)
        return without_codes(values, missing), problems

    def read(self, texts: list[str], missing: frozenset[str]) -> Array:
        """The values; those of single texts are only looked at if a block is not all numbers."""
        known, is_known = known_texts(texts, missing)
        values = plain_numbers(known)
        if values is None:
            values = np.fromiter(map(self.value, known), np.float64, len(known))
        return spread(values, is_known)

    def value(self, text: str) -> float:
        """The value of a text; NaN if it is none."""
        value = float(text) if is_number(text) else nan
        return value if isfinite(value) else nan

    def explain(self, text: str) -> str:
        """Why a text is no number, with a fix."""
        return explain_number(text)

    def constant(self, value: float | str | bool) -> float:
        """The number."""
        if isinstance(value, bool | str):
            raise ColumnError(f"the column holds numbers; write value: 0, not {value!r}", "missing")
        return float(value)

    def measure(self, values: Array) -> bool:
        """Fit the transform, and measure the range."""
        self.training_range = float(values.min()), float(values.max())
        self.transform.fit(values)
        return self.transform.is_constant

    def encode(self, values: Array, out: Array) -> None:
        """y = transform(x)."""
        out[:, 0] = self.transform.apply(values)

    def summary(self, values: Array) -> Summary:
        """Smallest, mean and largest number, and a histogram."""
        return summary_of_numbers(values)

    def state(self) -> State:
        """The state of the transform, the value for missing ones, and the range."""
        smallest, largest = self.training_range or (None, None)
        state = {"transform": self.transform.state(), "fill": self.fill, "constant": self.is_constant}
        return {**state, "smallest": smallest, "largest": largest}

    def restore(self, state: State) -> None:
        """Take the state of the transform, the value for missing ones, and the range."""
        restored = validated_state(state, NumberState)
        if restored.smallest is not None and restored.largest is not None:
            require(restored.smallest <= restored.largest, "smallest", "greater than largest")
            self.training_range = restored.smallest, restored.largest
        nested(self.transform, "transform", restored.transform)
        self.restore_fill(restored.fill, restored.constant)


def without_codes(values: Array, missing: frozenset[str]) -> Array:
    """The values with NaN for the numbers that stand for missing values, such as −999."""
    codes = _codes(missing)
    return np.where(np.isin(values, codes), nan, values) if codes else values


@cache
def _codes(missing: frozenset[str]) -> list[float]:
    return [float(text) for text in missing if is_number(text)]
