"""Softmax on both code paths."""

import numpy as np
import pytest

from nncli.nn.activations import Softmax
from nncli.nn.activations.softmax import MAX_REPEATED_COLUMNS
from tests.nn.differences import central_differences
from tests.nn.passes import backward, forward


@pytest.mark.parametrize("columns", [1, MAX_REPEATED_COLUMNS, MAX_REPEATED_COLUMNS + 1, 40])
def test_softmax_of_few_and_of_many_classes(columns):
    """Outputs match the formula on both code paths, and backward agrees with central differences."""
    layer, rng = Softmax(), np.random.default_rng(3)
    layer.attach({}, {})
    logits, grad = rng.normal(size=(2, 5, columns))
    exponentials = np.exp(logits)
    expected = exponentials / exponentials.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(forward(layer, logits), expected, rtol=1e-13)
    expected = central_differences(lambda: float(np.sum(forward(layer, logits) * grad)), logits)
    forward(layer, logits)
    np.testing.assert_allclose(backward(layer, grad), expected, atol=1e-8)


@pytest.mark.parametrize("classes", [2, 3, 4, 5])
def test_large_logits_do_not_overflow_in_any_class(classes):
    """Whichever of them is the largest."""
    logits = 1000 * np.eye(classes)
    np.testing.assert_array_equal(forward(Softmax(), logits), np.eye(classes))
