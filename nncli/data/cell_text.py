"""The text of a Python, NumPy or pandas value as in a CSV file."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from math import isnan
from numbers import Integral, Real
from typing import Any

import numpy as np

MISSING_TEXT = ""  # a missing value in every table
MISSING_TYPES = ("NAType", "NaTType")  # names of types of pandas, which is not imported here


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
    """The text of a value as in a CSV file: the shortest digits that give the same number, dates in ISO 8601.

    >>> cell_text(0.1), cell_text(3), cell_text(True), cell_text(float("nan")), cell_text(date(2024, 3, 1))
    ('0.1', '3', 'True', '', '2024-03-01')

    Raises:
        TypeError: the value is neither a number nor a text, a date or missing.
    """
    if value is None or type(value).__name__ in MISSING_TYPES:
        return MISSING_TEXT
    for types, as_text in TEXTS:
        if isinstance(value, types):
            return as_text(value)
    raise TypeError(f"a value of type {type(value).__name__} is neither a number nor a text, a date or None")
