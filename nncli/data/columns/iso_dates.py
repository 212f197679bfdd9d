"""Vectorized parsing of ISO 8601 dates to seconds since 1970-01-01."""

import numpy as np

from nncli.data.transforms.moments import Array

PATTERNS = ("0000-00-00", "0000-00-00 00:00", "0000-00-00 00:00:00")
TIME = 10  # where the time of day begins, after a space or a T
DAY, HOUR, MINUTE = 86400, 3600, 60


def plain_dates(texts: list[str]) -> Array | None:
    """The seconds (N,) of dates in one format without fractions and offsets; None if a text has another format.

    Also None if a date does not exist, such as 2023-02-29.
    """
    lengths = set(map(len, texts))
    pattern = next((each for each in PATTERNS if lengths == {len(each)}), "")
    joined = "".join(texts)
    if not pattern or not joined.isascii():
        return None
    characters = np.frombuffer(joined.encode(), np.uint8).reshape(len(texts), len(pattern)).T
    expected = np.frombuffer(pattern.encode(), np.uint8)
    digits = characters - np.uint8(ord("0"))
    for index, (character, digit) in enumerate(zip(characters, digits, strict=True)):
        is_written = digit <= 9 if pattern[index] == "0" else character == expected[index]
        if index == TIME:
            is_written |= character == ord("T")
        if not is_written.all():
            return None
    parts = [_integers(digits[start : start + 2]) for start in range(5, len(pattern), 3)]
    return _seconds(_integers(digits[:4]), *parts)


def _integers(digits: Array) -> Array:
    """The integers (N,) of decimal digits (n, N), the highest digit first."""
    values = np.zeros(digits.shape[1], np.int64)
    for each in digits:
        values = 10 * values + each
    return values


def _seconds(year: Array, month: Array, day: Array, *time: Array) -> Array | None:
    """The seconds of dates; None if one does not exist."""
    months = (12 * (year - 1970) + month - 1).astype("datetime64[M]")
    first, following = (each.astype("datetime64[D]").astype(np.int64) for each in (months, months + 1))
    exists = (year >= 1) & (month >= 1) & (month <= 12) & (day >= 1) & (day <= following - first)
    seconds = DAY * (first + day - 1)
    for part, limit, unit in zip(time, (24, 60, 60), (HOUR, MINUTE, 1), strict=False):
        exists &= part < limit
        seconds += unit * part
    return seconds.astype(np.float64) if exists.all() else None
