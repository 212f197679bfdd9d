"""What the contracts do not say of losses: the ends of the clip, and the precision of a mean."""

import numpy as np
import pytest

from nncli.nn.losses import BinaryCrossentropy, CategoricalCrossentropy, average


def test_gradient_at_the_ends_of_the_clip():
    """A probability of 0 gives the slope at 1e-7, passing through the clip, and no infinity."""
    loss = CategoricalCrossentropy()
    loss.attach(np.dtype("float64"))
    outputs = np.array([[0.0, 1.0], [0.0, 1.0]])
    gradient = loss.backward(outputs, loss.encode(np.array([0, 1]), 2))
    np.testing.assert_allclose(gradient, [[-1 / (2 * 1e-7), 0], [0, -1 / (2 * (1 - 1e-7))]], rtol=1e-14)


def test_a_mean_of_single_precision_is_summed_in_double():
    """Ten million equal losses have that loss as their mean."""
    assert average(np.full(10_000_000, 0.1, np.float32)) == pytest.approx(float(np.float32(0.1)), rel=1e-12)


def test_one_clipped_output_is_a_clipped_row():
    """Of several outputs it takes one at an end for a row to count as clipped."""
    loss = BinaryCrossentropy()
    loss.attach(np.dtype("float64"))
    outputs = np.array([[0.5, 0.5], [0.0, 0.5], [0.5, 1.0], [1.0, 0.0]])
    assert loss.clipped(outputs, np.zeros((4, 2))).tolist() == [False, True, True, True]
