"""L1 and L2 penalties of one array."""

import numpy as np
import pytest

from nncli.nn.penalties import Penalty
from tests.nn.differences import central_differences, relative_error


def penalty(values, l1=0.0, l2=0.0):
    return Penalty(values, np.zeros_like(values), l1, l2)


def test_penalty_matches_the_formula():
    """λ₁ Σ|w| + λ₂ Σ w², without ½."""
    assert penalty(np.array([1.0, -2.0, 3.0]), 0.1, 0.01).forward() == pytest.approx(0.1 * 6 + 0.01 * 14, rel=1e-15)


@pytest.mark.parametrize(("l1", "l2"), [(0.3, 0), (0, 0.2), (0.3, 0.2)])
def test_gradient_matches_central_differences(l1, l2):
    """The gradient of the penalty is added to the gradient, and agrees with central differences."""
    values = np.random.default_rng(0).normal(size=(3, 4))
    regularized = penalty(values, l1, l2)
    expected = central_differences(regularized.forward, values) + 1
    regularized.gradient += 1
    regularized.backward()
    assert relative_error(regularized.gradient, expected) < 1e-6


def test_gradient_at_0_is_plus_l1():
    """At the kink of |w| the gradient is +λ₁, for +0 and −0."""
    regularized = penalty(np.array([0.0, -0.0, 1.0, -1.0]), l1=0.5)
    regularized.backward()
    np.testing.assert_array_equal(regularized.gradient, [0.5, 0.5, 0.5, -0.5])


def test_penalty_of_float32_is_summed_in_float64():
    """A million equal terms lose no digits."""
    values = np.full(1_000_000, 0.1, np.float32)
    exact = float(np.float32(0.1))
    assert penalty(values, 1.0).forward() == pytest.approx(exact * 1e6, rel=1e-12)
    assert penalty(values, 0.0, 1.0).forward() == pytest.approx(exact**2 * 1e6, rel=1e-12)
