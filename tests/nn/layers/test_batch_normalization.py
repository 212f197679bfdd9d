"""Batch normalization in training and outside it, and the statistics between the two."""

import numpy as np
import pytest

from nncli.nn.initializers import Normal
from nncli.nn.layers.batch_normalization import BatchNormalization
from nncli.nn.layers.dense import Dense
from nncli.nn.losses.regression import MeanSquaredError
from nncli.nn.network import Network

MOMENTUM, EPSILON = 0.8, 1e-3


def network(*above):
    """A network that begins with a batch normalization of three columns."""
    made = Network(
        [BatchNormalization(MOMENTUM, EPSILON), *above, Dense(2, initializer=Normal(1.0))],
        MeanSquaredError(),
        3,
        np.dtype("float64"),
    )
    made.initialize(np.random.default_rng(0))
    return made


def batch(seed=1, rows=20):
    return np.random.default_rng(seed).normal([0, 5, -3], [1, 2, 0.1], size=(rows, 3))


def test_training_takes_the_batch_s_own_moments():
    """Each column comes out with mean 0 and with the variance that ε leaves of 1."""
    inputs = batch()
    outputs = network().layers[0].forward(inputs, training=True)
    np.testing.assert_allclose(outputs.mean(axis=0), 0, atol=1e-12)
    variance = inputs.var(axis=0)
    np.testing.assert_allclose(outputs.var(axis=0), variance / (variance + EPSILON), rtol=1e-12)


def test_scale_and_shift_are_applied_after():
    """γ multiplies and β is added once the columns are normalized."""
    layer = network().layers[0]
    plain = layer.forward(batch(), training=True).copy()
    layer.scale[:], layer.shift[:] = [2, 3, 4], [-1, 0, 1]
    np.testing.assert_allclose(layer.forward(batch(), training=True), plain * [2, 3, 4] + [-1, 0, 1], rtol=1e-12)


def test_running_statistics_are_means_of_those_of_the_batches():
    """From 0 and 1 on, the old ones count ρ and each batch's 1 − ρ, the variance over N − 1."""
    layer, mean, variance = network().layers[0], np.zeros(3), np.ones(3)
    for seed in range(5):
        inputs = batch(seed)
        layer.forward(inputs, training=True)
        mean = MOMENTUM * mean + (1 - MOMENTUM) * inputs.mean(axis=0)
        variance = MOMENTUM * variance + (1 - MOMENTUM) * inputs.var(axis=0, ddof=1)
    np.testing.assert_allclose(layer.running_mean, mean, rtol=1e-12)
    np.testing.assert_allclose(layer.running_variance, variance, rtol=1e-12)


@pytest.mark.parametrize("rows", [2, 3, 5, 31, 64, 99, 100, 251, 1000, 5000])
def test_running_statistics_follow_batches_of_any_size(rows):
    """With any number of rows the mean and the unbiased variance of the batch count 1 − ρ."""
    layer, inputs = network().layers[0], batch(rows, rows)
    layer.forward(inputs, training=True)
    np.testing.assert_allclose(layer.running_mean, (1 - MOMENTUM) * inputs.mean(axis=0), rtol=1e-10)
    expected = MOMENTUM + (1 - MOMENTUM) * inputs.var(axis=0, ddof=1)
    np.testing.assert_allclose(layer.running_variance, expected, rtol=1e-12)


def test_inference_takes_the_running_statistics_and_leaves_them():
    """Outside training a row's outputs depend on that row alone, and nothing is remembered of it."""
    layer = network().layers[0]
    for seed in range(3):
        layer.forward(batch(seed), training=True)
    before = layer.running_mean.tobytes() + layer.running_variance.tobytes()
    inputs = batch(9)
    outputs = layer.forward(inputs).copy()
    expected = (inputs - layer.running_mean) / np.sqrt(layer.running_variance + EPSILON)
    np.testing.assert_allclose(outputs, expected, rtol=1e-12)
    np.testing.assert_array_equal(layer.forward(inputs[3:4]), outputs[3:4])
    assert layer.running_mean.tobytes() + layer.running_variance.tobytes() == before


def test_backward_outside_training_takes_the_statistics_as_constants():
    """The gradient of a row is then γ / √(v + ε) times that of its outputs."""
    layer = network().layers[0]
    layer.forward(batch(), training=True)
    layer.scale[:] = [2, 3, 4]
    layer.forward(batch())
    grad = np.random.default_rng(3).normal(size=(20, 3))
    expected = grad * layer.scale / np.sqrt(layer.running_variance + EPSILON)
    np.testing.assert_allclose(layer.backward(grad), expected, rtol=1e-12)


def test_statistics_stand_behind_what_is_trained():
    """They are part of the values, named like the layer's other arrays, and no optimizer or gradient reaches them."""
    made = network(Dense(3, initializer=Normal(1.0)), BatchNormalization())
    parameters = made.parameters
    names = list(parameters.shapes)
    running = [f"layers.{index}.running_{what}" for index in (0, 2) for what in ("mean", "variance")]
    assert names[-4:] == running
    assert list(parameters.views(parameters.gradients)) == names[:-4]
    assert len(parameters.values) == len(parameters.trainable) + 12
    assert np.shares_memory(parameters.trainable, parameters.values)
    assert made.layers[2].running_variance.tolist() == [1, 1, 1]


def test_statistics_that_are_put_back_are_used():
    """A copy of the values restores the outputs of that moment, statistics included."""
    made, inputs = network(), batch(7)
    made.forward(batch(1), training=True)
    kept, expected = made.parameters.values.copy(), made.forward(inputs).copy()
    made.forward(batch(2), training=True)
    assert not np.array_equal(made.forward(inputs), expected)
    made.parameters.values[...] = kept
    np.testing.assert_array_equal(made.forward(inputs), expected)


def test_a_constant_column_stays_finite():
    """ε keeps the quotient finite where a column has no variance; it comes out as β, with a finite gradient."""
    layer, inputs = network().layers[0], np.ones((6, 3))
    np.testing.assert_array_equal(layer.forward(inputs, training=True), np.zeros((6, 3)))
    assert np.isfinite(layer.backward(np.ones((6, 3)))).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_number_format_is_the_network_s(dtype):
    """Outputs, gradients and statistics have the format of the network."""
    made = Network([BatchNormalization(), Dense(2, initializer=Normal(1.0))], MeanSquaredError(), 3, np.dtype(dtype))
    made.initialize(np.random.default_rng(0))
    inputs = batch().astype(dtype)
    outputs = made.forward(inputs, training=True)
    made.backward(outputs)
    layer = made.layers[0]
    grad = np.ones((20, 3), dtype)
    assert {outputs.dtype, layer.running_mean.dtype, layer.forward(inputs).dtype, layer.backward(grad).dtype} == {
        np.dtype(dtype)
    }
