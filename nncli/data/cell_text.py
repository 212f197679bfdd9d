"""The text that a CSV file has for a value of a program or of another format."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from math import isnan
from numbers import Integral, Real
from typing import Any

import numpy as np

MISSING_TEXT = ""  # stands for a missing value in every table
MISSING_TYPES = ("NAType", "NaTType")  # of pandas, which is not imported for it


def _float_text(value: Real | Decimal) -> str:
    number = float(value)
    return MISSING_TEXT if isnan(number) else repr(number)


TEXTS: tuple[tuple[Any, Callable[[Any], str]], ...] = (  # types, and their text; a type comes before a more general one
    (str, str.strip),
    ((bool, np.bool_), lambda value: str(bool(value))),
    (Integral, lambda value: str(int(value))),
    ((Real, Decimal), _float_text),
    (np.datetime64, lambda value: MISSING_TEXT if np.isnat(value) else str(value.astype("datetime64[us]"))),
    (date, lambda value: value.isoformat()),
)


def cell_text(value: Any) -> str:
    """The text that a CSV file has for a value: numbers in the shortest form that reads back the same, ISO 8601 dates.

    >>> cell_text(0.1), cell_text(3), cell_text(True), cell_text(float("nan")), cell_text(date(2024, 3, 1))
    ('0.1', '3', 'True', '', '2024-03-01')

    Raises:
        TypeError: it is no value of a table.
    """
    if value is None or type(value).__name__ in MISSING_TYPES:
        return MISSING_TEXT
    for types, as_text in TEXTS:
        if isinstance(value, types):
            return as_text(value)
    raise TypeError(f"a value of type {type(value).__name__} is neither a number nor a text, a date or None")
