"""Batch normalization in training and at inference, and its running statistics."""

import numpy as np
import pytest

from nncli.nn.initializers import Normal
from nncli.nn.layers.batch_normalization import BatchNormalization
from nncli.nn.layers.dense import Dense
from nncli.nn.losses.regression import MeanSquaredError
from nncli.nn.network import Network
from tests.nn.passes import backward, forward

MOMENTUM, EPSILON = 0.8, 1e-3


def network(*layers):
    """A network whose first layer is a batch normalization of three features."""
    result = Network(
        [BatchNormalization(MOMENTUM, EPSILON), *layers, Dense(2, initializer=Normal(1.0))],
        MeanSquaredError(),
        3,
        np.dtype("float64"),
    )
    result.initialize(np.random.default_rng(0))
    return result


def batch(seed=1, rows=20):
    return np.random.default_rng(seed).normal([0, 5, -3], [1, 2, 0.1], size=(rows, 3))


def test_training_standardizes_each_feature():
    """The outputs have mean 0, and variance 1 but for ε."""
    inputs = batch()
    outputs = forward(network().layers[0], inputs, training=True)
    np.testing.assert_allclose(outputs.mean(axis=0), 0, atol=1e-12)
    variance = inputs.var(axis=0)
    np.testing.assert_allclose(outputs.var(axis=0), variance / (variance + EPSILON), rtol=1e-12)


def test_scale_and_shift_are_applied_after_normalization():
    """Outputs are γ X̂ + β."""
    layer = network().layers[0]
    plain = forward(layer, batch(), training=True).copy()
    layer.scale[:], layer.shift[:] = [2, 3, 4], [-1, 0, 1]
    np.testing.assert_allclose(forward(layer, batch(), training=True), plain * [2, 3, 4] + [-1, 0, 1], rtol=1e-12)


def test_running_statistics_are_moving_averages():
    """Exponential moving averages with decay rate ρ, starting at 0 and 1; the variance is the unbiased one."""
    layer, mean, variance = network().layers[0], np.zeros(3), np.ones(3)
    for seed in range(5):
        inputs = batch(seed)
        forward(layer, inputs, training=True)
        mean = MOMENTUM * mean + (1 - MOMENTUM) * inputs.mean(axis=0)
        variance = MOMENTUM * variance + (1 - MOMENTUM) * inputs.var(axis=0, ddof=1)
    np.testing.assert_allclose(layer.running_mean, mean, rtol=1e-12)
    np.testing.assert_allclose(layer.running_variance, variance, rtol=1e-12)


@pytest.mark.parametrize("rows", [2, 3, 5, 31, 64, 99, 100, 251, 1000, 5000])
def test_running_statistics_follow_batches_of_any_size(rows):
    """With any number of rows, the mean and the unbiased variance of the batch have weight 1 − ρ."""
    layer, inputs = network().layers[0], batch(rows, rows)
    forward(layer, inputs, training=True)
    np.testing.assert_allclose(layer.running_mean, (1 - MOMENTUM) * inputs.mean(axis=0), rtol=1e-10)
    expected = MOMENTUM + (1 - MOMENTUM) * inputs.var(axis=0, ddof=1)
    np.testing.assert_allclose(layer.running_variance, expected, rtol=1e-12)


def test_inference_uses_the_running_statistics():
    """At inference the outputs of a row depend on that row only, and the statistics do not change."""
    layer = network().layers[0]
    for seed in range(3):
        forward(layer, batch(seed), training=True)
    before = layer.running_mean.tobytes() + layer.running_variance.tobytes()
    inputs = batch(9)
    outputs = forward(layer, inputs).copy()
    expected = (inputs - layer.running_mean) / np.sqrt(layer.running_variance + EPSILON)
    np.testing.assert_allclose(outputs, expected, rtol=1e-12)
    np.testing.assert_array_equal(forward(layer, inputs[3:4]), outputs[3:4])
    assert layer.running_mean.tobytes() + layer.running_variance.tobytes() == before


def test_backward_at_inference_treats_the_statistics_as_constants():
    """The gradient of the inputs is γ / √(v + ε) times that of the outputs."""
    layer = network().layers[0]
    forward(layer, batch(), training=True)
    layer.scale[:] = [2, 3, 4]
    forward(layer, batch())
    grad = np.random.default_rng(3).normal(size=(20, 3))
    expected = grad * layer.scale / np.sqrt(layer.running_variance + EPSILON)
    np.testing.assert_allclose(backward(layer, grad), expected, rtol=1e-12)


def test_running_statistics_follow_the_trainable_parameters():
    """They are part of ``values``, with names like the other arrays, but not trainable and without gradients."""
    stack = network(Dense(3, initializer=Normal(1.0)), BatchNormalization())
    parameters = stack.parameters
    names = list(parameters.shapes)
    running = [f"layers.{index}.running_{statistic}" for index in (0, 2) for statistic in ("mean", "variance")]
    assert names[-4:] == running
    assert list(parameters.views(parameters.gradients)) == names[:-4]
    assert len(parameters.values) == len(parameters.trainable) + 12
    assert np.shares_memory(parameters.trainable, parameters.values)
    assert stack.layers[2].running_variance.tolist() == [1, 1, 1]


def test_restored_values_include_running_statistics():
    """Restoring a copy of ``values`` restores the outputs."""
    stack, inputs = network(), batch(7)
    stack.forward(batch(1), training=True)
    saved, expected = stack.parameters.values.copy(), stack.forward(inputs).copy()
    stack.forward(batch(2), training=True)
    assert not np.array_equal(stack.forward(inputs), expected)
    stack.parameters.values[...] = saved
    np.testing.assert_array_equal(stack.forward(inputs), expected)


def test_constant_feature_stays_finite():
    """ε avoids a division by zero if a feature has no variance; its output is β, its gradient finite."""
    layer, inputs = network().layers[0], np.ones((6, 3))
    np.testing.assert_array_equal(forward(layer, inputs, training=True), np.zeros((6, 3)))
    assert np.isfinite(backward(layer, np.ones((6, 3)))).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dtype_is_that_of_the_network(dtype):
    """Outputs, gradients and running statistics have the dtype of the network."""
    stack = Network([BatchNormalization(), Dense(2, initializer=Normal(1.0))], MeanSquaredError(), 3, np.dtype(dtype))
    stack.initialize(np.random.default_rng(0))
    inputs = batch().astype(dtype)
    outputs = stack.forward(inputs, training=True)
    stack.backward(outputs)
    layer = stack.layers[0]
    grad = np.ones((20, 3), dtype)
    assert {outputs.dtype, layer.running_mean.dtype, forward(layer, inputs).dtype, backward(layer, grad).dtype} == {
        np.dtype(dtype)
    }
