"""Gradient clipping: direction, and overflow."""

import numpy as np
import pytest

from nncli.nn.clipping import ClipNorm, ClipValue


def test_clip_norm_preserves_the_direction():
    """A gradient with too large a norm is scaled to the limit."""
    gradients = np.array([3.0, -4.0])
    ClipNorm(1.0).clip(gradients)
    np.testing.assert_allclose(gradients, [0.6, -0.8], rtol=1e-15)


def test_clip_value_changes_only_entries_beyond_the_limit():
    """Other entries stay, so that the direction may change."""
    gradients = np.array([3.0, -4.0, 0.5])
    ClipValue(3.5).clip(gradients)
    assert gradients.tolist() == [3.0, -3.5, 0.5]


def test_clip_norm_is_computed_in_float64():
    """A float32 gradient whose square overflows float32 is clipped."""
    gradients = np.array([1e30, 0.0], np.float32)
    ClipNorm(1.0).clip(gradients)
    assert gradients.tolist() == [1.0, 0.0]
    assert gradients.dtype == np.float32


def test_clip_norm_notices_a_limit_that_is_not_a_number():
    """The gradients become NaN, which ends the training, instead of staying as they are."""
    gradients = np.array([3.0, -4.0])
    ClipNorm(np.nan).clip(gradients)
    assert np.isnan(gradients).all()


@pytest.mark.parametrize("clipping", [ClipNorm(1.0), ClipValue(1.0)])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_stay(clipping, value):
    """A gradient that has become infinite would look finite after clipping, and its divergence would be missed."""
    gradients = np.array([value, 0.5])
    clipping.clip(gradients)
    np.testing.assert_array_equal(gradients, [value, 0.5])
