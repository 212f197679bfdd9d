"""Error function and normal distribution, compared with the standard library."""

from math import erf, exp, pi, sqrt
from statistics import NormalDist

import numpy as np
import pytest

from nncli.nn.kernels.erf import (
    BLOCK,
    error_function,
    normal_cdf,
    normal_pdf,
    tanh_normal_cdf,
    tanh_normal_cdf_derivative,
)
from tests.nn.differences import central_differences, relative_error

GRID = np.concatenate([np.linspace(-10, 10, 40_001), 10.0 ** np.arange(-300, 0), -(10.0 ** np.arange(-300, 0))])


def test_error_function_is_accurate():
    """On a dense grid and for tiny values, the relative error is at most 1e-15."""
    expected = np.array([erf(x) for x in GRID])
    np.testing.assert_allclose(error_function(GRID), expected, rtol=1e-15, atol=0)


def test_error_function_of_special_values():
    """Zeros keep their sign, infinities give ±1, NaN stays NaN."""
    found = error_function(np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1e300]))
    np.testing.assert_array_equal(found, [0.0, -0.0, 1.0, -1.0, np.nan, 1.0])
    assert np.signbit(found).tolist()[:2] == [False, True]


def test_error_function_in_float32():
    """The result is float32 and accurate to a few ulp."""
    x = np.linspace(-5, 5, 1001, dtype=np.float32)
    found = error_function(x)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, [erf(v) for v in x.tolist()], rtol=5e-7)


def test_distribution_of_many_values_is_that_of_each_column():
    """Columns are computed in blocks, which does not change a bit."""
    values = np.asfortranarray(np.random.default_rng(0).normal(size=(BLOCK // 3, 7)))
    out, column = np.empty_like(values), np.empty((len(values), 1))
    normal_cdf(values, out)
    for index in range(values.shape[1]):
        normal_cdf(values[:, [index]], column)
        np.testing.assert_array_equal(out[:, [index]], column)


@pytest.mark.parametrize("x", [-8.0, -1.5, 0.0, 0.3, 4.0])
def test_distribution_and_density(x):
    """Φ and φ are those of the standard library, written to ``out``."""
    values, out = np.array([[x]]), np.empty((1, 1))
    normal_cdf(values, out)
    assert out[0, 0] == pytest.approx(NormalDist().cdf(x), rel=1e-12, abs=1e-15)
    normal_pdf(values, out)
    assert out[0, 0] == pytest.approx(exp(-(x**2) / 2) / sqrt(2 * pi), rel=1e-14)


def test_derivative_of_the_tanh_approximation():
    """It agrees with central differences."""
    x = np.linspace(-5, 5, 31)[:, None]
    cdf, derivative = np.empty_like(x), np.empty_like(x)

    def total():
        tanh_normal_cdf(x, cdf)
        return float(cdf.sum())

    expected = central_differences(total, x)
    total()
    tanh_normal_cdf_derivative(x, cdf, derivative)
    assert relative_error(derivative, expected) < 1e-6
