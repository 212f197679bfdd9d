"""L1 and L2 of one array."""

import numpy as np
import pytest

from nncli.nn.penalties import Penalty
from tests.nn.differences import central_differences, relative_error


def penalty(values, l1=0.0, l2=0.0):
    return Penalty(values, np.zeros_like(values), l1, l2)


def test_price_is_the_formula():
    """λ₁ Σ|w| + λ₂ Σ w², without ½."""
    assert penalty(np.array([1.0, -2.0, 3.0]), 0.1, 0.01).forward() == pytest.approx(0.1 * 6 + 0.01 * 14, rel=1e-15)


@pytest.mark.parametrize(("l1", "l2"), [(0.3, 0), (0, 0.2), (0.3, 0.2)])
def test_gradient_is_the_slope(l1, l2):
    """The gradient is added to what stands there, and agrees with central differences."""
    values = np.random.default_rng(0).normal(size=(3, 4))
    priced = penalty(values, l1, l2)
    expected = central_differences(priced.forward, values) + 1
    priced.gradient += 1
    priced.backward()
    assert relative_error(priced.gradient, expected) < 1e-6


def test_slope_at_0_is_plus_1():
    """At the kink of |w| the slope is +λ₁, for +0 and for −0: there all biases begin."""
    priced = penalty(np.array([0.0, -0.0, 1.0, -1.0]), l1=0.5)
    priced.backward()
    np.testing.assert_array_equal(priced.gradient, [0.5, 0.5, 0.5, -0.5])


def test_single_precision_is_summed_in_double():
    """A million equal terms do not lose digits to the sum."""
    values = np.full(1_000_000, 0.1, np.float32)
    exact = float(np.float32(0.1))
    assert penalty(values, 1.0).forward() == pytest.approx(exact * 1e6, rel=1e-12)
    assert penalty(values, 0.0, 1.0).forward() == pytest.approx(exact**2 * 1e6, rel=1e-12)
