"""Many decimal numbers at once, compared with ``float``."""

import re

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nncli.data.columns.decimals import first_with_leading_zero, plain_numbers
from nncli.data.columns.number_errors import NUMBER

decimals = (
    st.tuples(
        st.sampled_from(["", "-", "+"]),
        st.text("0123456789", min_size=1, max_size=18),
        st.sampled_from(["", ".", ".5", ".25", ".000", ".1234567890123"]),
        st.sampled_from(["", "", "", "e5", "E-05", "e+300", "e-400"]),
    )
    .map("".join)
    .filter(lambda text: abs(float(text)) < float("inf"))
)
odd = st.text(alphabet="0123456789.+-eE\n _x１", max_size=8)


@given(st.lists(decimals | st.floats(allow_nan=False, allow_infinity=False).map(repr), max_size=20))
@example(["9" * 15, "-0", ".5", "5.", "+1.0", "0.000000000000001"])
@example(["123456789012345.6", "-999999999999999"])
def test_numbers_have_the_bits_of_float(texts):
    """Signs, points, exponents, zeros and any number of digits."""
    found = plain_numbers(texts)
    assert found is not None
    assert found.tobytes() == np.array([float(text) for text in texts], np.float64).tobytes()


@given(st.lists(decimals, max_size=3), odd)
@example(["1", "2"], "1\n2")
@example([], "--1")
@example([], "1.2.3")
@example([], "")
@example([], "-")
@example([], ".")
@example([], "1-")
@example([], "1e")
def test_one_text_that_is_no_number_is_noticed(texts, text):
    """Wherever it is; also if two numbers are in it."""
    is_number = re.fullmatch(NUMBER, text) is not None and abs(float(text)) < float("inf")
    assert (plain_numbers([*texts, text]) is not None) is is_number


@pytest.mark.parametrize("text", ["nan", "inf", "1e999", "1_000", " 1", "1 ", "\t1", "１", "0x1", "1,5", "1d5", "٣"])
def test_what_float_or_numpy_would_read_is_rejected(text):
    """The texts that ``float`` takes, and those of other languages."""
    assert plain_numbers(["1", text, "2"]) is None


@given(st.lists(decimals, max_size=10))
@example(["1", "0.5", "0", "-0", "1e05", "1e-05", "100", "-007"])
def test_leading_zero_is_found(texts):
    """The first digit is 0 and another digit follows, after a sign or without; exponents do not count."""
    expected = next((text for text in texts if re.match(r"[+-]?0[0-9]", text)), None)
    assert first_with_leading_zero(texts) == expected
