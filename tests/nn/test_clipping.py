"""Gradient clipping: direction, and overflow."""

import numpy as np

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
