"""Layers, loss and penalties together."""

import numpy as np
import pytest

from nncli.nn.activations import ReLU, Softmax
from nncli.nn.dense import Dense
from nncli.nn.dropout import Dropout
from nncli.nn.initializers import He, Normal
from nncli.nn.losses import CategoricalCrossentropy, fused, softmax_crossentropy
from nncli.nn.network import Network
from tests.nn.differences import central_differences, relative_error

LABELS = np.array([0, 1, 2, 0, 1, 2, 2])


def network_of(*layers, dtype="float64", inputs=2):
    network = Network(layers, CategoricalCrossentropy(), inputs, np.dtype(dtype))
    network.initialize(np.random.default_rng(0))
    network.draw_from(np.random.default_rng(1))
    return network


def points(rows=7, columns=2):
    return np.random.default_rng(2).normal(size=(rows, columns))


def gradient_error(network, inputs):
    """The largest relative error of the whole gradient, dropout masks frozen."""
    targets = network.loss.encode(LABELS, 3)

    def loss():
        network.draw_from(np.random.default_rng(1))
        return network.data_loss(network.forward(inputs, training=True), targets) + network.regularization_loss()

    loss()
    network.backward(targets)
    found = network.parameters.gradients.copy()
    return relative_error(found, central_differences(loss, network.parameters.values))


@pytest.mark.parametrize(
    "layers",
    [
        pytest.param([Dense(5, initializer=He()), ReLU(), Dense(3, initializer=He()), Softmax()], id="plain"),
        pytest.param([Dense(3, initializer=He()), Softmax()], id="one layer"),
        pytest.param(
            [Dense(5, initializer=He()), ReLU(), Dropout(0.4), Dense(3, initializer=He()), Softmax()], id="dropout"
        ),
        pytest.param(
            [Dense(4, 0.1, 0.2, 0.3, 0.4, Normal(0.5)), ReLU(), Dense(3, 0.4, 0.3, 0.2, 0.1, Normal(0.5)), Softmax()],
            id="penalties",
        ),
        pytest.param(
            [Dropout(0.2), Dense(4, initializer=He()), Softmax(), Dense(3, initializer=He()), Softmax()],
            id="softmax inside, dropout below",
        ),
    ],
)
def test_gradient_is_the_slope_of_the_whole_loss(layers):
    """Loss, penalties and every layer together agree with central differences to 1e-6."""
    network = network_of(*layers)
    network.parameters.values[:] += 0.01  # biases off the kink of |b|
    assert gradient_error(network, points()) < 1e-6


def test_fused_gradient_is_that_of_its_two_parts():
    """(P − T) / N is what softmax and cross-entropy give one after the other."""
    softmax, loss = Softmax(), CategoricalCrossentropy()
    softmax.attach({}, {}, np.dtype("float64"))
    loss.attach(np.dtype("float64"))
    targets = loss.encode(LABELS, 3)
    outputs = softmax.forward(points(7, 3))
    apart = softmax.backward(loss.backward(outputs, targets))
    together = softmax_crossentropy(outputs, targets, np.empty((7, 3)))
    np.testing.assert_allclose(together, apart, rtol=1e-13, atol=1e-16)


def test_only_softmax_and_crossentropy_are_fused():
    """No other last layer takes the short way."""
    assert fused(Softmax(), CategoricalCrossentropy()) is softmax_crossentropy
    assert fused(ReLU(), CategoricalCrossentropy()) is None


def test_unfused_backward_reaches_every_layer():
    """A loss behind another last layer goes through that layer's own backward."""
    network = network_of(Dense(3, initializer=He()), Softmax(), ReLU())
    assert gradient_error(network, points()) < 1e-6


def test_parameters_are_views_of_one_vector():
    """A layer's arrays and the flat vector are the same memory, in the order of the layers."""
    network = network_of(Dense(2, initializer=He()), ReLU(), Dense(3, initializer=He()), Softmax())
    first, _, second, _ = network.layers
    network.parameters.values[:] = np.arange(15)
    np.testing.assert_array_equal(first.weights, [[0, 1], [2, 3]])
    np.testing.assert_array_equal(first.biases, [4, 5])
    np.testing.assert_array_equal(second.weights, np.arange(6, 12).reshape(2, 3))
    np.testing.assert_array_equal(second.biases, [12, 13, 14])
    assert list(network.parameters.shapes) == [f"layers.{i}.{name}" for i in (0, 2) for name in ("weights", "biases")]


def test_predict_in_portions_is_predict_at_once():
    """Outputs do not depend on how many rows go in together, and they are an array of their own."""
    network = network_of(Dense(5, initializer=He()), ReLU(), Dense(3, initializer=He()), Softmax())
    whole = network.predict(points(), 100)
    np.testing.assert_allclose(network.predict(points(), 3), whole, rtol=1e-14)
    kept = whole.copy()
    network.forward(points() + 1)
    np.testing.assert_array_equal(whole, kept)


def test_inference_has_no_dropout():
    """Outside training a dropout layer hands its inputs on, so that equal rows give equal outputs."""
    network = network_of(Dense(5, initializer=He()), Dropout(0.9), Dense(3, initializer=He()), Softmax())
    assert network.stochastic
    np.testing.assert_array_equal(network.predict(points(), 9), network.predict(points(), 9))


def test_float32_follows_float64():
    """The same weights in single precision give the same gradient to about seven digits."""
    gradients = []
    for dtype in ("float32", "float64"):
        network = network_of(Dense(5, initializer=He()), ReLU(), Dense(3, initializer=He()), Softmax(), dtype=dtype)
        network.forward(points().astype(dtype), training=True)
        network.backward(network.loss.encode(LABELS, 3))
        assert network.parameters.gradients.dtype == dtype
        gradients.append(network.parameters.gradients.astype(float))
    np.testing.assert_allclose(*gradients, rtol=1e-4, atol=1e-6)
