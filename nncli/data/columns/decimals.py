"""Vectorized parsing of decimal numbers from lists of texts."""

import numpy as np

from nncli.data.transforms.moments import Array

EXACT_DIGITS = 15  # float64 represents integers of 15 digits exactly, and powers of ten up to 10^22
POWERS = 10.0 ** np.arange(EXACT_DIGITS + 1)
LINE, ZERO, POINT, MINUS, PLUS = np.frombuffer(b"\n0.-+", np.uint8)


def plain_numbers(texts: list[str]) -> Array | None:
    """The values (N,) of texts that are all finite decimal numbers in ASCII; None if one is not.

    ``float`` also accepts ``1_000``, ``nan``, ``inf``, white space and digits of other scripts. One search for their
    characters in the joined texts takes a tenth of the time of ``float``.
    """
    lines = "\n".join(["", *texts, ""])
    if not lines.isascii() or lines.count("\n") > len(texts) + 1:  # a text with a line feed
        return None
    others = lines.encode().translate(None, b"0123456789.+-\n")
    if others.strip(b"eE"):
        return None
    if not others and (short := _short_decimals(np.frombuffer(lines.encode(), np.uint8))) is not None:
        return short
    try:
        values = np.fromiter(map(float, texts), np.float64, len(texts))
    except ValueError:
        return None
    return values if np.isfinite(values).all() else None


def _short_decimals(lines: Array) -> Array | None:
    """The values of decimals of up to 15 digits, one per line; None if a line is longer or is not a decimal.

        x = ± m / 10^f             m the integer of all digits, f the number of digits after the point

    m and 10^f are exact and the division is rounded once, so x has the same bits as ``float(text)``, in a third of the
    time.

    Source: Clinger 1990, "How to read floating point numbers accurately", section 3.
    """
    line_feeds = np.flatnonzero(lines == LINE)
    at, ends = line_feeds[:-1] + 1, line_feeds[1:]
    width = int((ends - at).max(initial=0))
    if width > EXACT_DIGITS + 2:  # 2: a sign and a point
        return None
    is_negative = lines[at] == MINUS
    at += is_negative | (lines[at] == PLUS)
    lengths = ends - at
    mantissa = np.zeros(len(at))
    digits, points, fraction = np.zeros((3, len(at)), np.int8)
    for _ in range(width):
        character = lines[np.minimum(at, ends)]  # beyond the end of a line: its line feed
        digit = character - ZERO
        is_digit = digit < 10
        points += character == POINT
        digits += is_digit
        fraction += is_digit & (points > 0)
        mantissa = np.where(is_digit, 10 * mantissa + digit, mantissa)
        at += 1
    is_decimal = (digits > 0) & (digits <= EXACT_DIGITS) & (points <= 1) & (digits + points == lengths)
    return np.where(is_negative, -1.0, 1.0) * mantissa / POWERS[fraction] if is_decimal.all() else None


def first_with_leading_zero(texts: list[str]) -> str | None:
    """The first number with a leading zero, such as 007 or -01.5; None if there is none."""
    joined = np.frombuffer(("\n".join(["", *texts, ""])).encode(), np.uint8)
    is_digit = (joined >= ord("0")) & (joined <= ord("9"))
    zeros = np.flatnonzero((joined[:-1] == ord("0")) & is_digit[1:])  # a digit follows
    signs = (joined[zeros - 1] == ord("+")) | (joined[zeros - 1] == ord("-"))
    starts = zeros - signs  # where the number would begin
    found = starts[joined[starts - 1] == ord("\n")]
    if not len(found):
        return None
    return texts[int(np.count_nonzero(joined[: found[0]] == ord("\n"))) - 1]
