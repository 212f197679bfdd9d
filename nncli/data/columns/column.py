"""One column of a table: from texts to values, from values to inputs of a network."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import compress
from math import nan
from typing import Any, ClassVar

import numpy as np

from nncli.data.columns.summary import Summary
from nncli.data.transforms.column_error import ColumnError
from nncli.data.transforms.imputation import Constant, Imputation, Refuse
from nncli.data.transforms.moments import Array
from nncli.data.transforms.state import State, require
from nncli.registry import kind

# Texts of missing values by default: an empty field, and those that R, pandas, SQL and spreadsheets write, in exactly
# these spellings. "None", "-" and "unknown" are often categories, and the user names words of other languages.
MISSING_TEXTS = frozenset({"", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "NULL", "null", "?"})

MISSING = -1  # the code of a missing category


@dataclass(frozen=True)
class CellProblem:
    """A text that is not a value of its column, or a value that cannot be encoded.

    Args:
        row: the index of its row in the block.
        text: the text; empty if it is missing.
        explain: makes the reason from the text, so that a million problems cost little until they are shown.
    """

    row: int
    text: str
    explain: Callable[[str], str] = field(repr=False, compare=False)

    @property
    def reason(self) -> str:
        """What is wrong, with a fix."""
        return self.explain(self.text)


class ParsedTexts(dict[str, float]):
    """Values by text, so that equal texts of a block are parsed once; NaN for texts of missing values."""

    def __init__(self, read: Callable[[str], float], missing: frozenset[str]) -> None:
        super().__init__(dict.fromkeys(missing, nan))
        self.read = read

    def __missing__(self, text: str) -> float:
        value = self[text] = self.read(text)
        return value


def known_texts(texts: list[str], missing: frozenset[str]) -> tuple[list[str], Array | None]:
    """The texts of values that are not missing, and a mask (N,) of their rows; None if no value is missing."""
    if missing.isdisjoint(texts):
        return texts, None
    is_known = ~np.fromiter(map(missing.__contains__, texts), np.bool_, len(texts))
    return list(compress(texts, is_known)), is_known


def with_missing(known: Array, is_known: Array | None) -> Array:
    """The values of all rows from those that are not missing: −1 for missing codes, NaN for missing numbers."""
    if is_known is None:
        return known
    values = np.full(len(is_known), MISSING if known.dtype.kind == "i" else nan, known.dtype)
    values[is_known] = known
    return values


@kind("column")
class Column:
    """A column: ``parse`` reads blocks of texts, ``fit`` measures training values, ``apply`` gives k inputs per row.

    Values are float64 (N,), NaN where missing. Missing values are replaced first; then the values are scaled or
    encoded. Both steps are fitted to the training rows alone. After ``fit``, ``is_constant`` is true if the inputs of
    all training rows are equal up to rounding; such a column carries no information.

    Args:
        missing: how missing values are replaced; default: error.
    """

    reads_numbers: ClassVar[bool] = False  # whether parse also takes float64 values
    has_order: ClassVar[bool] = True  # whether the values have a mean and a median
    training_range: tuple[float, float] | None = None  # the smallest and the largest number of the training rows

    def __init__(self, missing: Imputation | None = None) -> None:
        self.missing = missing or Refuse()
        self.is_constant = False
        self.fill: Any = None
        if self.missing.needs_order and not self.has_order:
            reason = "a category has no mean and no median; write missing: mode, or {type: constant, value: unknown}"
            raise ColumnError(reason, "missing")
        if isinstance(self.missing, Constant):
            self.constant(self.missing.value)

    # texts to values

    def parse(self, texts: Any, missing: frozenset[str]) -> tuple[Array, list[CellProblem]]:
        """Parse a block of texts; return the values (N,), and the texts that are neither a value nor in ``missing``.

        Args:
            texts: a list of N texts without white space around them; float64 (N,) too if ``reads_numbers``.
            missing: the texts of missing values.
        """
        values = self.read(texts, missing)
        rows = np.flatnonzero(self.is_missing(values)).tolist()
        return values, [CellProblem(row, texts[row], self._advice) for row in rows if texts[row] not in missing]

    def _advice(self, text: str) -> str:
        """Why a text is not a value, with the fixes."""
        return self.explain(text) + ("" if isinstance(self.missing, Refuse) else "; an empty field is replaced")

    def read(self, texts: list[str], missing: frozenset[str]) -> Array:
        """The values (N,) of texts; missing where a text is in ``missing`` or is not a value."""
        return np.fromiter(map(ParsedTexts(self.value, missing).__getitem__, texts), np.float64, len(texts))

    def value(self, text: str) -> float:
        """The value of a text; NaN if it is not one."""
        raise NotImplementedError(f"{type(self).__name__} has no value")

    def explain(self, text: str) -> str:
        """Why a text is not a value, with a fix."""
        raise NotImplementedError(f"{type(self).__name__} has no explain")

    def constant(self, value: float | str | bool) -> Any:
        """The given value of ``missing: constant`` as a value of the column.

        Raises:
            ColumnError: it is not a value of the column.
        """
        raise NotImplementedError(f"{type(self).__name__} has no constant")

    def is_missing(self, values: Array) -> Array:
        """A mask (N,) of the missing values."""
        return np.isnan(values)

    # values to inputs

    def fit(self, values: Array) -> None:
        """Fit the column to the values (N,) of the training rows; at most one copy of them exists at a time.

        Raises:
            ValueError: a value is missing although ``missing`` is error; ``check`` returns all such rows.
        """
        missing = self.is_missing(values)
        known = values[~missing]
        self.fill = self.fitted_fill(known)
        if self.fill is None and not len(known):  # no value at all
            self.is_constant = True
            return
        if len(known) < len(values):
            del known
            known = self.filled(values, missing)
        both = self.missing.indicator and 0 < np.count_nonzero(missing) < len(values)
        self.is_constant = self.measure(known) and not both

    def fitted_fill(self, known: Array) -> Any:
        """The value that replaces missing ones, from the known values; None if there is none."""
        if isinstance(self.missing, Constant):
            return self.constant(self.missing.value)
        return self.missing.fit(known) if len(known) else None

    def replaced(self, values: Array, missing: Array) -> Array:
        """A copy of the values with the missing ones replaced."""
        return np.where(missing, self.fill, values)

    def filled(self, values: Array, missing: Array) -> Array:
        """The values with the missing ones replaced, if there are any.

        Raises:
            ValueError: a value is missing, and ``fill`` is None.
        """
        count = np.count_nonzero(missing)
        if count and self.fill is None:
            raise ValueError(f"{count} values are missing, and there is none to replace them with")
        return self.replaced(values, missing) if count else values

    def measure(self, values: Array) -> bool:
        """Fit the transform or encoding to values without missing ones, which are overwritten.

        Returns whether the inputs of all rows are the same.
        """
        raise NotImplementedError(f"{type(self).__name__} has no measure")

    def apply(self, values: Array, out: Array | None = None) -> Array:
        """The inputs (N, k) of values (N,), in ``out`` if it is given; each row depends only on its own value.

        Raises:
            ValueError: a value cannot be encoded; ``check`` returns all such rows.
        """
        if out is None:
            out = np.empty((len(values), len(self.names(""))))
        missing = self.is_missing(values)
        values = self.filled(values, missing)
        if self.missing.indicator:
            out[:, -1] = missing
        with np.errstate(over="ignore"):  # an out of float32
            self.encode(values, out[:, :-1] if self.missing.indicator else out)
        return out

    def encode(self, values: Array, out: Array) -> None:
        """Write the inputs of values without missing ones."""
        raise NotImplementedError(f"{type(self).__name__} has no encode")

    def names(self, column: str) -> list[str]:
        """The names of the k inputs: those of the values, then ``column_missing`` with an indicator."""
        return [*self.value_names(column), *([f"{column}_missing"] if self.missing.indicator else [])]

    def value_names(self, column: str) -> list[str]:
        """The names of the inputs of the values; by default one, that of the column."""
        return [column]

    def check(self, values: Array) -> list[CellProblem]:
        """The rows that ``apply`` rejects: those with a missing value if ``missing`` is error.

        Before ``fit`` and ``restore``, the rows that ``fit`` rejects.
        """
        if not isinstance(self.missing, Refuse):
            return []
        return [CellProblem(row, "", self.explain_missing) for row in np.flatnonzero(self.is_missing(values)).tolist()]

    def explain_missing(self, text: str) -> str:
        """What to do about missing values."""
        choice = "median" if self.has_order else "mode"
        imputation = f"missing: {choice} or {{type: {choice}, indicator: true}}"
        return f"the value is missing; write it, remove the row, or train with {imputation}"

    def unseen(self, values: Array) -> dict[str, Array]:
        """The categories that are in no training row, each with the indices of its rows."""
        return {}

    def out_of_range(self, values: Array) -> Array:
        """The indices (k,) of values that are outside of the training range by more than its width."""
        if self.training_range is None:
            return np.empty(0, np.int64)
        smallest, largest = self.training_range
        width = largest - smallest
        return np.flatnonzero((values < smallest - width) | (values > largest + width))

    def summary(self, values: Array) -> Summary:
        """A summary of the values (N,), for display."""
        raise NotImplementedError(f"{type(self).__name__} has no summary")

    def state(self) -> State:
        """What ``fit`` has measured, as JSON values."""
        raise NotImplementedError(f"{type(self).__name__} has no state")

    def restore(self, state: State) -> None:
        """Restore the state of another column with the same parameters; ``apply`` then returns the same bits.

        Raises:
            ValueError: the state is damaged or impossible; the message names the key.
        """
        raise NotImplementedError(f"{type(self).__name__} has no restore")

    def restore_fill(self, fill: Any, constant: bool) -> None:
        """Restore the value for missing ones, and whether the column is constant.

        Raises:
            ValueError: there is a value although ``missing`` is error, or none although missing values are replaced.
        """
        refuses = isinstance(self.missing, Refuse)
        require(fill is None or not refuses, "fill", f"{fill!r}, but missing values are refused")
        require(fill is not None or refuses or constant, "fill", "null, but missing values are replaced")
        self.fill, self.is_constant = fill, constant
