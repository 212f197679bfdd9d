"""Functions of the normal distribution, held against the standard library's."""

from math import erf, exp, pi, sqrt
from statistics import NormalDist

import numpy as np
import pytest

from nncli.nn.kernels.erf import error_function, normal_cdf, normal_pdf, tanh_normal_cdf, tanh_normal_cdf_derivative
from tests.nn.differences import central_differences, relative_error

GRID = np.concatenate([np.linspace(-10, 10, 40_001), 10.0 ** np.arange(-300, 0), -(10.0 ** np.arange(-300, 0))])


def test_error_function_to_the_last_digits():
    """On a dense grid and down to the smallest numbers it is the standard library's, to 1e-15 of its value."""
    expected = np.array([erf(x) for x in GRID])
    np.testing.assert_allclose(error_function(GRID), expected, rtol=1e-15, atol=0)


def test_error_function_at_the_ends():
    """Zeros keep their sign, infinities give ±1, and what is no number stays none."""
    found = error_function(np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1e300]))
    np.testing.assert_array_equal(found, [0.0, -0.0, 1.0, -1.0, np.nan, 1.0])
    assert np.signbit(found).tolist()[:2] == [False, True]


def test_error_function_in_single_precision():
    """It stays in single precision, and is right to a few units of its last place."""
    x = np.linspace(-5, 5, 1001, dtype=np.float32)
    found = error_function(x)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, [erf(v) for v in x.tolist()], rtol=5e-7)


@pytest.mark.parametrize("x", [-8.0, -1.5, 0.0, 0.3, 4.0])
def test_distribution_and_density(x):
    """Φ and φ are the standard library's, in an array of the caller's."""
    numbers, out = np.array([[x]]), np.empty((1, 1))
    normal_cdf(numbers, out)
    assert out[0, 0] == pytest.approx(NormalDist().cdf(x), rel=1e-12, abs=1e-15)
    normal_pdf(numbers, out)
    assert out[0, 0] == pytest.approx(exp(-(x**2) / 2) / sqrt(2 * pi), rel=1e-14)


def test_slope_of_the_form_with_tanh():
    """It is the slope of the share that it belongs to."""
    x = np.linspace(-5, 5, 31)[:, None]
    share, slope = np.empty_like(x), np.empty_like(x)

    def total():
        tanh_normal_cdf(x, share)
        return float(share.sum())

    expected = central_differences(total, x)
    total()
    tanh_normal_cdf_derivative(x, share, slope)
    assert relative_error(slope, expected) < 1e-6
