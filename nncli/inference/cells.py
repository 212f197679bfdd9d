"""Values in memory, parsed like the fields of a file by a column of a table."""

from collections.abc import Sequence
from contextlib import suppress
from math import isnan
from numbers import Real
from typing import Any

import numpy as np

from nncli.data.cell_text import MISSING_TEXT, cell_text
from nncli.data.columns import Category, CellProblem, Column
from nncli.data.record_file import PLAIN_NUMBERS
from nncli.nn.parameters import Array


def parsed(cells: Any, column: Column, missing: frozenset[str]) -> tuple[Array, list[CellProblem]]:
    """Parse cells; return the values (N,), and the problems of cells that are not values of the column.

    Args:
        cells: a list, or an array of any library with ``__array__``.
        column: the fitted column.
        missing: the texts of missing values.
    """
    if not isinstance(cells, list | tuple):
        cells = np.asarray(cells)
        if column.reads_numbers and cells.dtype.kind in "iuf":
            return _numbers(cells, column, missing)
        cells = _listed(cells)
    if column.reads_numbers and PLAIN_NUMBERS.issuperset(map(type, cells)):
        with suppress(OverflowError):  # an integer that float64 cannot hold
            return _numbers(np.array(cells, np.float64), column, missing)
    texts, refused = list[str](), list[CellProblem]()
    for row, value in enumerate(cells):
        try:
            texts.append(_text(value, column, missing))
        except TypeError as error:
            texts.append(MISSING_TEXT)
            refused.append(CellProblem(row, str(error), str))
    values, problems = column.parse(texts, missing)
    return values, [*refused, *problems]


def _numbers(numbers: Array, column: Column, missing: frozenset[str]) -> tuple[Array, list[CellProblem]]:
    """The values of numbers in an array; equal to those of their texts in a file."""
    values, problems = column.parse(numbers.astype(np.float64), missing)
    infinite = np.flatnonzero(np.isinf(values)).tolist()
    return values, [*problems, *(CellProblem(row, repr(float(values[row])), column.explain) for row in infinite)]


def _listed(cells: Array) -> Sequence[Any]:
    """The cells of an array as Python values; dates to the microsecond."""
    if cells.dtype.kind == "M":
        texts = np.datetime_as_string(cells.astype("datetime64[us]"))
        return np.where(np.isnat(cells), MISSING_TEXT, texts).tolist()  # type: ignore[no-any-return]
    return cells.tolist()  # type: ignore[no-any-return]


def _text(value: Any, column: Column, missing: frozenset[str]) -> str:
    """The text of a value for a column.

    An integer column with missing values, or within a float array, has floats. A category 3 may therefore be given as
    3.0, and vice versa.

    Raises:
        TypeError: the value is neither a number nor a text, a date or missing.
    """
    text = cell_text(value)
    if column.reads_numbers or isinstance(value, str | bool) or not isinstance(value, Real) or text in missing:
        return text
    other = text.removesuffix(".0") if text.endswith(".0") else f"{text}.0"
    return other if other in missing or (_recognizes(column, other) and not _recognizes(column, text)) else text


def _recognizes(column: Column, text: str) -> bool:
    """Whether a text is a value of a fitted column, or a category of the training rows."""
    return column.encoding.is_known(text) if isinstance(column, Category) else not isnan(column.value(text))
