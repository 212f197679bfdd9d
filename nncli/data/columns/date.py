"""Date columns, with or without a time of day."""

import re
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime
from math import nan
from typing import Annotated, Any, Literal, get_args

import numpy as np

from nncli.config.diagnostics import shown
from nncli.data.columns.column import Column, known_texts, with_missing
from nncli.data.columns.iso_dates import plain_dates
from nncli.data.columns.summary import Summary, summary_of_numbers
from nncli.data.transforms.column_error import ColumnError
from nncli.data.transforms.imputation import Imputation
from nncli.data.transforms.moments import Array
from nncli.data.transforms.scaling import Standardize
from nncli.data.transforms.state import State, nested, require, validated_state
from nncli.data.transforms.transform import Transform
from nncli.registry import Bounds, Model, register

EPOCH, EPOCH_WITHOUT_OFFSET = datetime(1970, 1, 1, tzinfo=UTC), datetime(1970, 1, 1)
ISO = r"\d{4}-\d\d-\d\d([T ]([01]\d|2[0-3]):\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d(:?\d\d)?)?)?"
DAY, HOUR = 86400, 3600
THURSDAY = 3  # 1970-01-01, where Monday is 0
OTHER_FORMATS = {  # patterns of texts that are no ISO dates, and the format to write
    r"\d{1,2}\.\d{1,2}\.\d{4}": 'format: "%d.%m.%Y"',
    r"\d{1,2}/\d{1,2}/\d{4}": 'format: "%d/%m/%Y" or "%m/%d/%Y"',
    r"\d{1,2}-\d{1,2}-\d{4}": 'format: "%d-%m-%Y" or "%m-%d-%Y"',
    r"\d{4}/\d{1,2}/\d{1,2}": 'format: "%Y/%m/%d"',
    r"\d{8}": 'format: "%Y%m%d"',
}
Part = Literal["year", "month", "day", "weekday", "hour", "seconds"]


def _days(seconds: Array) -> Array:
    return np.floor(seconds / DAY).astype(np.int64).astype("datetime64[D]")


def _month(seconds: Array) -> Array:
    months: Array = _days(seconds).astype("datetime64[M]").astype(np.int64)
    return months % 12 + 1


def _day(seconds: Array) -> Array:
    days = _days(seconds)
    since_first: Array = (days - days.astype("datetime64[M]")).astype(np.int64)
    return since_first + 1


PARTS: dict[str, Callable[[Array], Array]] = {  # each part as numbers, of seconds since 1970-01-01 in UTC
    "year": lambda seconds: _days(seconds).astype("datetime64[Y]").astype(np.int64) + 1970,
    "month": _month,
    "day": _day,
    "weekday": lambda seconds: (_days(seconds).astype(np.int64) + THURSDAY) % 7,
    "hour": lambda seconds: np.floor(seconds % DAY / HOUR),
    "seconds": lambda seconds: seconds,
}


class DateState(Model):
    """The state of a date column.

    Args:
        parts: the state of the transform of each part that is not constant.
        fill: the seconds for missing dates; None if there is none.
        constant: whether the inputs of all training rows are equal.
    """

    parts: dict[str, dict[str, Any]]
    fill: float | None
    constant: bool


@register("date")
class Date(Column):
    """Dates, with or without a time of day, as one input per part of the date.

        y_k = transform(part_k(x))

    Without a format, dates must be in ISO 8601: 2024-03-01, 2024-03-01 10:30, 2024-03-01T10:30:00.25+02:00. A time
    without an offset is in UTC, and so are all parts. The order of day and month is never guessed. Parts that are equal
    in all training rows are left out. Values are seconds since 1970-01-01 in UTC.

    Args:
        format: the directives of Python's strptime, such as "%d.%m.%Y"; default: ISO 8601.
        parts: the parts of the date that are inputs; default: year, month, day and weekday. year: the year. month: 1 to
            12. day: 1 to 31. weekday: 0 is Monday, 6 Sunday. hour: 0 to 23. seconds: since 1970-01-01.
        transform: how each part is scaled; default: standardize.

    Source: ISO 8601-1:2019; Guo and Berkhahn 2016, arXiv:1604.06737, whose network has these parts of a date.
    """

    def __init__(
        self,
        format: Annotated[str, Bounds("%d.%m.%Y")] | None = None,  # noqa: A002 (the name of the key)
        parts: Annotated[list[Part], Bounds(["year", "month"], min_length=1)] | None = None,
        transform: Transform | None = None,
        missing: Imputation | None = None,
    ) -> None:
        self.format = format
        self.parts = list(dict.fromkeys(parts or get_args(Part)[:4]))
        if format is not None:
            _require_format(format)
        super().__init__(missing)
        self.transform = transform or Standardize()
        self.transforms: dict[str, Transform] = {}  # of the parts that are not constant

    def read(self, texts: list[str], missing: frozenset[str]) -> Array:
        """The values (N,); texts are parsed one by one only if not all of them are plain ISO dates."""
        known, is_known = known_texts(texts, missing)
        values = plain_dates(known) if self.format is None else None
        return with_missing(super().read(known, frozenset()) if values is None else values, is_known)

    def value(self, text: str) -> float:
        """Seconds since 1970-01-01; NaN if the text is not a date."""
        try:
            return self._seconds(text)
        except ValueError:
            return nan

    def _seconds(self, text: str) -> float:
        """Seconds since 1970-01-01.

        Raises:
            ValueError: the text is not a date; the message is that of Python.
        """
        if not text.isascii() and any(each.isdecimal() and not each.isascii() for each in text):
            raise ValueError("does not match: digits that are not ASCII")
        if self.format is not None:
            found = datetime.strptime(text, self.format)
        elif re.fullmatch(ISO, text, re.ASCII):
            found = datetime.fromisoformat(text)
        else:
            raise ValueError("does not match ISO 8601")
        return (found - (EPOCH if found.tzinfo else EPOCH_WITHOUT_OFFSET)).total_seconds()

    def explain(self, text: str) -> str:
        """Why a text is not a date, with a fix."""
        try:
            self._seconds(text)
        except ValueError as error:
            if not re.search("does not match|unconverted data", str(error)):
                return f"{shown(text)} does not exist: {error}; correct it"
        if self.format is not None:
            example = datetime(2024, 3, 31, tzinfo=UTC).strftime(self.format)
            return f"{shown(text)} is not a date in the format {shown(self.format)}, such as {example}; correct it"
        format_ = other_format(text) or 'its format, such as format: "%d.%m.%Y"'
        return f"{shown(text)} is not an ISO 8601 date such as 2024-03-31; write it so, or train with {format_}"

    def constant(self, value: float | str | bool) -> float:
        """The date in seconds since 1970-01-01."""
        if isinstance(value, str) and not np.isnan(seconds := self.value(value)):
            return seconds
        reason = self.explain(value) if isinstance(value, str) else f"{shown(value)} is not a date; write it in quotes"
        raise ColumnError(reason, "missing")

    def measure(self, values: Array) -> bool:
        """Fit a transform to each part, and leave out those that are constant."""
        fitted = {part: deepcopy(self.transform) for part in self.parts}
        for part, transform in fitted.items():
            transform.fit(PARTS[part](values).astype(np.float64))
        self.transforms = {part: transform for part, transform in fitted.items() if not transform.is_constant}
        return not self.transforms

    def encode(self, values: Array, out: Array) -> None:
        """y_k = transform(part_k(x))."""
        for index, (part, transform) in enumerate(self.transforms.items()):
            out[:, index] = transform.apply(PARTS[part](values).astype(np.float64))

    def value_names(self, column: str) -> list[str]:
        """``joined_year``, ``joined_month``, ..."""
        return [f"{column}_{part}" for part in self.transforms]

    def summary(self, values: Array) -> Summary:
        """First and last date in seconds since 1970-01-01; ``date_text`` formats them."""
        return summary_of_numbers(values)

    def state(self) -> State:
        """The states of the transforms, and the date for missing values."""
        parts = {part: transform.state() for part, transform in self.transforms.items()}
        return {"parts": parts, "fill": self.fill, "constant": self.is_constant}

    def restore(self, state: State) -> None:
        """Restore the states of the transforms, and the date for missing values."""
        restored = validated_state(state, DateState)
        transforms = {part: deepcopy(self.transform) for part in self.parts if part in restored.parts}
        for part, fitted in restored.parts.items():
            require(part in transforms, f"parts.{part}", f"not one of {', '.join(self.parts)}")
            nested(transforms[part], f"parts.{part}", fitted)
        self.restore_fill(restored.fill, restored.constant)
        self.transforms = transforms


def date_text(seconds: float) -> str:
    """A date in ISO 8601, with the time of day unless that is midnight.

    >>> date_text(0.0), date_text(1709287200.0)
    ('1970-01-01', '2024-03-01 10:00:00')
    """
    moment = np.datetime64(round(seconds * 1000), "ms").item()
    return str(moment.date() if moment.time() == datetime.min.time() else moment)


def other_format(text: str) -> str | None:
    """The key for a text that looks like a date but is not an ISO date, such as ``format: "%d.%m.%Y"``; else None."""
    return next((key for pattern, key in OTHER_FORMATS.items() if re.fullmatch(pattern, text, re.ASCII)), None)


def _require_format(format: str) -> None:  # noqa: A002
    """Require a format that strptime supports, with a year.

    Raises:
        ColumnError: the format is invalid, or has no year.
    """
    example = datetime(2024, 3, 31, 13, 45, tzinfo=UTC)
    if not re.search("%[YyGcx]", format.replace("%%", "")):
        raise ColumnError(f'format {shown(format)} has no year; write one, such as "%d.%m.%Y"', "format")
    try:
        datetime.strptime(example.strftime(format), format)
    except ValueError as error:
        raise ColumnError(f"format {shown(format)}: {error}; see Python's strptime", "format") from None
