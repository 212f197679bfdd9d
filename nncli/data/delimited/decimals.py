"""Vectorized parsing of decimal numbers in delimited text to correctly rounded float64."""

import re
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nncli.data.delimited.quotes import Positions

Array = NDArray[Any]

DIGITS = b"0123456789"
NO_DIGITS = bytes(sorted(set(range(256)) - set(DIGITS)))
DIGIT_VALUES = bytes.maketrans(DIGITS, bytes(range(10)))
POINT, PLUS, MINUS, LINE_FEED = b".+-\n"

MAX_DIGITS = 19  # 10¹⁹ < 2⁶⁴
POWERS = np.array([float(10**k) for k in range(23)])  # exact, since 5²² < 2⁵³
MASKS = np.array([0] + [2**64 - 2 ** (64 - 8 * n) for n in range(1, 9)], np.uint64)  # the last n bytes of a word
MARGIN = 2.0**-40  # relative; the error of the second quotient in _divided is below 2⁻⁴⁵
SPLITTER = 2.0**27 + 1
PLAIN = re.compile(rb"[+-]?(?!0[0-9])([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


def parsed_decimals(text: bytes, ends: Positions, delimiter: str) -> Array:
    """The values of all fields, with the bits of ``float()``; NaN for a field that is not a plain decimal number.

    A plain decimal is finite and has digits, optionally a sign, a point and an exponent, and no leading zero:

        value = ± digits / 10^decimals

    This is one correctly rounded division for digits below 2⁵³, and a division with remainder below 10¹⁹. Fields with
    more digits or with an exponent are parsed by ``float()``.

    Args:
        text: fields of any length, each followed by a delimiter or a line feed.
        ends: the positions where the fields end; if a field contains a delimiter or a line feed, all values are NaN.
        delimiter: one character.

    Source: Clinger 1990, "How to read floating point numbers accurately"; the remainder by Dekker 1971.
    """
    fields = _located(text, ends, ord(delimiter))
    if fields is None:
        return np.full(len(ends), np.nan)
    mantissas, first_digits = _mantissas(text, fields.digits)
    values, exact = _divided(np.where(fields.regular, mantissas, 0), fields.decimals)
    np.negative(values, out=values, where=fields.negative)
    exact &= fields.regular
    exact &= (first_digits != 0) | (fields.digits - fields.decimals <= 1)  # no leading zero
    others = np.flatnonzero(~exact)
    if len(others):
        values[others] = _each_decimal(text, fields.starts[others], ends[others])
    return values


class _Fields(NamedTuple):
    """The starts of the fields of a text, and the numbers of their digits."""

    starts: Positions
    digits: Positions  # their number
    decimals: Positions  # the number of digits after the point
    negative: Array
    regular: Array  # whether a field is a sign, digits, a point and digits, of which all but one digit may be absent


def _located(text: bytes, ends: Positions, delimiter: int) -> _Fields | None:
    characters = np.frombuffer(text, np.uint8)
    others = np.flatnonzero(characters - np.uint8(DIGITS[0]) > 9)  # signs, points, exponents and ends
    kinds = characters[others]
    last = np.flatnonzero((kinds == delimiter) | (kinds == LINE_FEED))  # the indices of the ends in others
    if len(last) != len(ends):
        return None
    first = np.concatenate(([0], last[:-1] + 1))
    extra = last - first  # their number in each field
    starts = np.concatenate(([0], ends[:-1] + 1))
    digits = ends - starts - extra
    negative = kinds[first] == MINUS
    signed = (negative | (kinds[first] == PLUS)) & (others[first] == starts)
    pointed = kinds[last - 1] == POINT
    decimals = np.where(pointed, ends - others[last - 1] - 1, 0)
    regular = (extra == signed.view(np.uint8) + pointed.view(np.uint8)) & (digits > 0) & (digits <= MAX_DIGITS)
    return _Fields(starts, digits, np.minimum(decimals, len(POWERS) - 1), negative, regular & (decimals < len(POWERS)))


def _mantissas(text: bytes, digits: Positions) -> tuple[Array, Array]:
    """The last 24 digits of each field as an integer modulo 2⁶⁴, and its first digit."""
    padded = bytes(24) + text.translate(DIGIT_VALUES, NO_DIGITS) + b"\0"  # of a last field without digits
    words = np.ndarray((len(padded) - 7,), "<u8", padded, strides=(1,))  # eight digits from each position on
    ends = np.cumsum(digits)
    mantissas = _eight_digits(words[ends + 16], np.minimum(digits, 8))
    for power in (8, 16):
        longer = np.flatnonzero(digits > power)
        more = _eight_digits(words[ends[longer] + (16 - power)], np.minimum(digits[longer] - power, 8))
        mantissas[longer] += more * np.uint64(10**power)
    return mantissas, np.frombuffer(padded, np.uint8)[ends - digits + 24]


def _eight_digits(words: Array, count: Positions) -> Array:
    """The integers whose last digits are the last bytes of little-endian words, in pairs, fours and eights."""
    values = words & MASKS[count]
    for factor, bits, mask in ((10, 8, 0x00FF00FF00FF00FF), (100, 16, 0x0000FFFF0000FFFF), (10000, 32, 0xFFFFFFFF)):
        lower = values >> np.uint64(bits)
        values *= np.uint64(factor)
        values += lower
        values &= np.uint64(mask)
    return values


def _divided(mantissas: Array, decimals: Positions) -> tuple[Array, Array]:
    """Mantissas / 10^decimals, and whether each quotient is certain to be correctly rounded.

        q₁ = m₁ / p    r = m₁ − q₁ p + m₂    q₂ = r / p    m = m₁ + m₂, exactly

    q₁ + q₂ has so small an error that the sum is rounded correctly, unless it is nearly halfway between two floats.
    """
    quotients, is_exact = mantissas / POWERS[decimals], np.ones(len(mantissas), bool)
    long = np.flatnonzero(mantissas > 2**53)
    if len(long):
        quotients[long], is_exact[long] = _divided_with_remainder(mantissas[long], POWERS[decimals[long]])
    return quotients, is_exact


def _divided_with_remainder(mantissas: Array, powers: Array) -> tuple[Array, Array]:
    upper = mantissas.astype(np.float64)
    lower = (mantissas - upper.astype(np.uint64)).view(np.int64).astype(np.float64)
    quotient = upper / powers
    product, error = _exact_product(quotient, powers)
    second = (upper - product - error + lower) / powers
    least, most = quotient + second * (1 - MARGIN), quotient + second * (1 + MARGIN)
    return least, least == most


def _exact_product(a: Array, b: Array) -> tuple[Array, Array]:
    """The rounded product and its rounding error: a b = product + error."""
    product = a * b
    (a_high, a_low), (b_high, b_low) = _halves(a), _halves(b)
    return product, ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low


def _halves(values: Array) -> tuple[Array, Array]:
    """Floats of 26 bits whose sum is the value."""
    scaled = values * SPLITTER
    high = scaled - (scaled - values)
    return high, values - high


def _each_decimal(text: bytes, starts: Positions, ends: Positions) -> Array:
    """The values of single fields; NaN for those that are not plain decimals."""
    fields = (text[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True))
    values = (float(field) if PLAIN.fullmatch(field) else np.nan for field in fields)
    found = np.fromiter(values, np.float64, len(starts))
    return np.where(np.isfinite(found), found, np.nan)
