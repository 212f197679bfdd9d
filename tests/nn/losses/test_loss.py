"""Losses beyond the contracts: clipped probabilities, and the precision of means."""

import numpy as np
import pytest

from nncli.nn.losses.cross_entropy import BinaryCrossentropy, CategoricalCrossentropy
from nncli.nn.losses.loss import average, row_means
from tests.nn.passes import loss_gradient


def test_gradient_of_clipped_probability_is_finite():
    """A probability of 0 has the gradient at 1e-7."""
    loss = CategoricalCrossentropy()
    loss.attach(np.dtype("float64"))
    outputs = np.array([[0.0, 1.0], [0.0, 1.0]])
    gradient = loss_gradient(loss, outputs, loss.encode(np.array([0, 1]), 2))
    np.testing.assert_allclose(gradient, [[-1 / (2 * 1e-7), 0], [0, -1 / (2 * (1 - 1e-7))]], rtol=1e-14)


def test_average_of_float32_is_summed_in_float64():
    """The mean of ten million equal losses is that loss."""
    assert average(np.full(10_000_000, 0.1, np.float32)) == pytest.approx(float(np.float32(0.1)), rel=1e-12)


@pytest.mark.parametrize("columns", [2, 9, 100, 30_000])
def test_row_means_of_float32_are_summed_in_float64(columns):
    """The mean of a row keeps the digits of small terms beside a large one."""
    rows = np.full((3, columns), 0.1, np.float32, order="F")
    rows[:, 0] = [1e8, 1e-8, 0.1]
    expected = (rows[:, 0].astype(float) + (columns - 1) * float(np.float32(0.1))) / columns
    np.testing.assert_allclose(row_means(rows), expected, rtol=1e-11)


def test_row_with_one_clipped_output_is_clipped():
    """One saturated output of several is enough."""
    loss = BinaryCrossentropy()
    loss.attach(np.dtype("float64"))
    outputs = np.array([[0.5, 0.5], [0.0, 0.5], [0.5, 1.0], [1.0, 0.0]])
    assert loss.clipped(outputs, np.zeros((4, 2))).tolist() == [False, True, True, True]
