"""Statistics of a column, compared with those of the standard library."""

import statistics
from fractions import Fraction
from math import isclose, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nncli.data.transforms import moments

finite = st.floats(allow_nan=False, allow_infinity=False)
columns = st.lists(finite, min_size=1, max_size=30)


@given(columns)
def test_mean_and_deviation_are_those_of_exact_arithmetic(values):
    """At any magnitude: no square overflows, and none underflows."""
    mean, deviation = moments.mean_and_deviation(np.array(values))
    exact = [Fraction(value) for value in values]
    center = sum(exact) / len(exact)
    largest = max(map(abs, exact)) or Fraction(1)
    variance = sum(((value - center) / largest) ** 2 for value in exact) / len(exact)  # from 0 to 1
    tolerance = 1e-15 + float(Fraction(5e-324) / largest)
    assert abs(float((Fraction(mean) - center) / largest)) <= tolerance
    assert isclose(float(Fraction(deviation) / largest), sqrt(variance), rel_tol=1e-9, abs_tol=tolerance)


@pytest.mark.parametrize("scale", [1, 1e-3])
def test_weight_of_a_value_is_its_number_of_copies(scale):
    """Whatever the sum of the weights."""
    values, counts = np.array([1e9, 1e9 + 3, 1e9 + 4, 1e9 - 8]), np.array([1, 2, 5, 3])
    expected = moments.mean_and_deviation(values.repeat(counts))
    assert moments.mean_and_deviation(values, counts * scale) == pytest.approx(expected, rel=1e-14)


def test_small_deviation_of_large_values_is_exact():
    """Σx²/N − m² would be 0 or negative here."""
    values = 1e9 + np.array([4.0, 7.0, 13.0, 16.0])
    assert moments.mean_and_deviation(values.copy()) == (1e9 + 10, statistics.pstdev([4, 7, 13, 16]))


def test_deviation_of_tiny_values_is_not_zero():
    """Their squares underflow."""
    assert moments.mean_and_deviation(np.array([1e-200, 3e-200]))[1] == pytest.approx(1e-200)


@given(columns)
def test_mean_is_finite(values):
    """A sum that overflows is formed of quotients."""
    mean = moments.mean(np.array(values))
    assert min(values) - abs(min(values)) * 1e-9 <= mean <= max(values) + abs(max(values)) * 1e-9


@given(columns, st.floats(0, 1))
def test_percentile_is_that_of_numpy(values, fraction):
    """Linear between neighbors; the values are sorted in place."""
    array = np.array(values) / 4  # NumPy's difference of two neighbors overflows
    (found,) = moments.percentiles(array.copy(), fraction)
    assert found == pytest.approx(np.quantile(array, fraction), rel=1e-12, abs=np.abs(array).max() * 1e-15)


@pytest.mark.parametrize(
    ("values", "constant"),
    [
        ([3.0, 3.0], True),
        ([0.0], True),
        ([], True),
        ([0.3, 0.1 + 0.2], True),
        ([1e300, 1e300 * (1 + 2e-16)], True),
        ([1e15, 1e15 + 1], False),
        ([0.0, 1e-300], False),
        ([-1.7e308, 1.7e308], False),
        ([1.0, 1.0 + 1e-12], False),
    ],
)
def test_constant_means_equal_up_to_rounding(values, constant):
    """The last bits do not count, integers next to each other do."""
    assert moments.is_constant(np.array(values)) is constant
