"""Sigmoid and other activations with extreme inputs."""

import numpy as np
import pytest

from nncli import registry
from nncli.nn.activations import Sigmoid
from nncli.nn.activations.sigmoids import MAX_EXPONENT
from tests.nn.passes import backward, forward


def attached(layer, dtype="float64"):
    layer.attach({}, {})
    return layer


@pytest.mark.parametrize(("dtype", "largest"), MAX_EXPONENT.items(), ids=str)
def test_largest_exponent_does_not_overflow(dtype, largest):
    """exp of the bound is finite in this dtype, of one more it is not."""
    with np.errstate(over="ignore"):
        found = np.exp(np.array([largest, largest + 1], dtype))
    assert np.isfinite(found).tolist() == [True, False]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ["relu", "leaky_relu", "elu", "gelu", "tanh", "sigmoid", "softmax", "linear"])
def test_extreme_inputs_give_finite_results(name, dtype):
    """Outputs and gradients are finite for inputs near the largest number of the dtype."""
    largest = float(np.finfo(dtype).max) / 4
    layer = attached(registry.names("layer")[name].target(), dtype)
    inputs = np.array([[largest, -largest], [1e30, -1e30], [800.0, -800.0], [0.0, -0.0]], dtype)
    with np.errstate(over="ignore"):
        outputs = forward(layer, inputs, training=True)
        grad = backward(layer, np.ones((4, 2), dtype))
    assert np.isfinite(outputs).all()
    assert np.isfinite(grad).all()
    assert outputs.dtype == grad.dtype == dtype


@pytest.mark.parametrize("x", [-700.0, -40.0, -1e-9, 0.0, 1e-9, 30.0, 700.0])
def test_sigmoid_keeps_small_probabilities(x):
    """Far below 0 the sigmoid is exp(x), accurately, not 0."""
    found = forward(attached(Sigmoid()), np.array([[x]]))[0, 0]
    assert found == pytest.approx(1 / (1 + np.exp(-x)), rel=1e-14)
    assert found > 0
