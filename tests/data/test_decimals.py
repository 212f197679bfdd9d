"""Decimal numbers of a table, many at a time, against ``float()``."""

import random
import struct

import numpy as np
import pytest

from nncli.data.delimited.decimals import parsed_decimals


def parsed(fields, delimiter=","):
    """The values of some fields in one row."""
    text = delimiter.join(fields).encode() + b"\n"
    characters = np.frombuffer(text, np.uint8)
    return parsed_decimals(text, np.flatnonzero((characters == ord(delimiter)) | (characters == 10)), delimiter)


def require_exact(fields):
    """Every value has the bits that ``float()`` gives."""
    values, expected = parsed(fields), np.array(list(map(float, fields)))
    wrong = np.flatnonzero(values.view(np.int64) != expected.view(np.int64))
    assert not [(fields[index], values[index]) for index in wrong[:5]]


PLAIN = """0 -0 +0 1 -1 +1 10 0.0 -0.0 0.1 .5 -.5 5. -5. 0. 0e5 1e5 1E5 1e+05 1e-05 -1.5e-07 00e 1.7976931348623157e308
5e-324 2.2250738585072014e-308 4.9406564584124654e-324 1e-400 123456789012345678901234567890 9007199254740993
9007199254740992 9007199254740991 4503599627370496.5 4503599627370497.5 0.30000000000000004 9999999999999999999
18446744073709551615 18446744073709551616 0.0000000000000000000001 0.00000000000000000000001 8.5 0.500000000000000000
1234567 12345678 123456789 1234567890123456 12345678901234567 123456789.123456789 1.000000000000000000 72057594037927945
72057594037927944.0 0.1234567890123456789012345678901234567890""".replace("00e ", "").split()

NOT_PLAIN = [
    "007",
    "-007",
    "+00",
    "00",
    "00.5",
    "00e1",
    "01e5",
    "1_000",
    "nan",
    "NaN",
    "inf",
    "-inf",
    "infinity",
    "0x10",
    "1e999",
    "-1e400",
    "1e",
    "1e+",
    "e5",
    ".",
    "-",
    "+",
    "-.",
    ".e5",
    "1.2.3",
    "--1",
    "+-1",
    "1-2",
    "1-",
    "1+1",
    "1e5.0",
    "1e5e5",
    "1ee5",
    "٣",
    "1a",
    "x",
    "1,5",
    '"1"',
    "1;",
]


@pytest.mark.parametrize("field", PLAIN)
def test_plain_decimal_is_exact(field):
    """Alone and among others, a plain decimal has the value of ``float()``."""
    require_exact([field])
    require_exact(["1", field, "-2.5", "1234567890123456789", field])


@pytest.mark.parametrize("field", [*NOT_PLAIN, "", " ", " 1", "1 ", "9" * 400])
def test_other_field_is_left_to_text(field):
    """A field that is empty or no plain decimal is NaN, and the others are not."""
    for fields in ([field], ["1", field, "2"], [field, "1.5"], ["1.5", field], ["1e5", field]):
        assert np.isnan(parsed(fields, ";")).tolist() == [each in {field, ""} for each in ";".join(fields).split(";")]


def test_other_characters_are_delimiters():
    """Any delimiter separates numbers, and those in several rows are one after the other."""
    for delimiter in ",;\t| :":
        assert parsed(["1", "-2.5"], delimiter).tolist() == [1, -2.5]
    assert parsed_decimals(b"1,2\n3,4\n", np.array([1, 3, 5, 7]), ",").tolist() == [1, 2, 3, 4]


def test_text_with_other_line_feeds_is_no_number():
    """A line feed that ends no field is not overlooked."""
    assert np.isnan(parsed_decimals(b"\n1,2\n", np.array([2, 4]), ",")).all()


def random_decimals(rng, count):
    """Decimals of all lengths, of the digits of floats, and nearly halfway between two floats."""
    for _ in range(count):
        digits = str(rng.randrange(10 ** rng.randint(1, 21)))
        point = rng.randint(0, len(digits))
        whole = digits[:point].lstrip("0") or "0"
        yield rng.choice(["", "-", "+"]) + (f"{whole}.{digits[point:]}" if point < len(digits) else whole)
        yield repr(rng.gauss(0, 1))
        yield f"{rng.uniform(-1000, 1000):.{rng.randint(0, 18)}f}"
        half = 2 * rng.randrange(2**52, 2**53) + 1  # between two floats, or next to the middle
        yield f"{half + rng.choice([-1, 0, 0, 1])}"
        yield f"{half * 5 ** (shift := rng.randint(1, 3)):0d}"[:-shift] + "." + f"{half * 5**shift}"[-shift:]


@pytest.mark.slow
def test_a_million_random_decimals_are_exact():
    """Numbers up to 21 digits, floats of 17 digits and ties are rounded as by ``float()``."""
    rng = random.Random(1)
    for _ in range(20):
        require_exact(list(random_decimals(rng, 10_000)))


@pytest.mark.slow
def test_every_float_is_read_back():
    """A float of random bits, subnormal ones among them, is what its shortest and its longest text stand for."""
    rng = random.Random(2)
    bits = [rng.getrandbits(64) for _ in range(50_000)] + [rng.getrandbits(52) for _ in range(10_000)]
    floats = [
        value for (value,) in (struct.unpack("d", struct.pack("Q", each)) for each in bits) if abs(value) < np.inf
    ]
    require_exact([repr(value) for value in floats])
    require_exact([f"{value:.18e}" for value in floats])
