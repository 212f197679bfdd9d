"""Gradients held to a bound: direction, and numbers at the ends of a format."""

import numpy as np

from nncli.nn.clipping import ClipNorm, ClipValue


def test_a_norm_keeps_the_direction():
    """A gradient that is too long is as long as the bound afterwards, and parallel to what it was."""
    gradients = np.array([3.0, -4.0])
    ClipNorm(1.0).clip(gradients)
    np.testing.assert_allclose(gradients, [0.6, -0.8], rtol=1e-15)


def test_a_value_may_turn_it():
    """Only the entries beyond the bound change."""
    gradients = np.array([3.0, -4.0, 0.5])
    ClipValue(3.5).clip(gradients)
    assert gradients.tolist() == [3.0, -3.5, 0.5]


def test_a_norm_is_taken_in_double_precision():
    """A gradient in single precision whose square has no place in that format is clipped all the same."""
    gradients = np.array([1e30, 0.0], np.float32)
    ClipNorm(1.0).clip(gradients)
    assert gradients.tolist() == [1.0, 0.0]
    assert gradients.dtype == np.float32
