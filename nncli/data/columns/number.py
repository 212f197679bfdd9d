"""Number columns."""

from functools import cache
from math import isfinite, nan
from typing import Any

import numpy as np

from nncli.data.columns.column import CellProblem, Column, known_texts, with_missing
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
    """The state of a number column.

    Args:
        transform: the state of the transform.
        fill: the value for missing ones; None if there is none.
        constant: whether the inputs of all training rows are equal.
        smallest: the smallest value of the training rows; None in a run of an older version.
        largest: the largest value of the training rows; None likewise.
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

    Numbers are rounded to the nearest float64. Numbers from 1.8e308 on are errors.

    Args:
        transform: how the numbers are scaled; default: standardize.

    Source: IEEE 754-2019, binary64.
    """

    reads_numbers = True

    def __init__(self, transform: Transform | None = None, missing: Imputation | None = None) -> None:
        super().__init__(missing)
        self.transform = transform or Standardize()

    def parse(self, texts: Any, missing: frozenset[str]) -> tuple[Array, list[CellProblem]]:
        """Parse texts or float64 values; numbers in ``missing``, such as −999, are compared by value."""
        if isinstance(texts, np.ndarray):
            values, problems = texts.astype(np.float64, copy=False), list[CellProblem]()
        else:
            values, problems = super().parse(texts, missing)
        return without_sentinels(values, missing), problems

    def read(self, texts: list[str], missing: frozenset[str]) -> Array:
        """The values (N,); texts are parsed one by one only if not all of them are plain numbers."""
        known, is_known = known_texts(texts, missing)
        values = plain_numbers(known)
        if values is None:
            values = np.fromiter(map(self.value, known), np.float64, len(known))
        return with_missing(values, is_known)

    def value(self, text: str) -> float:
        """The value of a text; NaN if it is not a finite number."""
        value = float(text) if is_number(text) else nan
        return value if isfinite(value) else nan

    def explain(self, text: str) -> str:
        """Why a text is not a number, with a fix."""
        return explain_number(text)

    def constant(self, value: float | str | bool) -> float:
        """The number."""
        if isinstance(value, bool | str):
            raise ColumnError(f"the column holds numbers; write value: 0, not {value!r}", "missing")
        return float(value)

    def measure(self, values: Array) -> bool:
        """Fit the transform, and record the training range."""
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
        """The state of the transform, the value for missing ones, and the training range."""
        smallest, largest = self.training_range or (None, None)
        state = {"transform": self.transform.state(), "fill": self.fill, "constant": self.is_constant}
        return {**state, "smallest": smallest, "largest": largest}

    def restore(self, state: State) -> None:
        """Restore the state of the transform, the value for missing ones, and the training range."""
        restored = validated_state(state, NumberState)
        if restored.smallest is not None and restored.largest is not None:
            require(restored.smallest <= restored.largest, "smallest", "greater than largest")
            self.training_range = restored.smallest, restored.largest
        nested(self.transform, "transform", restored.transform)
        self.restore_fill(restored.fill, restored.constant)


def without_sentinels(values: Array, missing: frozenset[str]) -> Array:
    """The values with sentinels of missing values, such as −999, replaced by NaN."""
    sentinels = _sentinels(missing)
    return np.where(np.isin(values, sentinels), nan, values) if sentinels else values


@cache
def _sentinels(missing: frozenset[str]) -> list[float]:
    return [float(text) for text in missing if is_number(text)]
