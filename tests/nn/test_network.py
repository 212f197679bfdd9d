"""Layers, loss and penalties together."""

import numpy as np
import pytest

from nncli.nn.activations import ReLU, Sigmoid, Softmax
from nncli.nn.initializers import He, Normal
from nncli.nn.layers.batch_normalization import BatchNormalization
from nncli.nn.layers.dense import Dense
from nncli.nn.layers.dropout import Dropout
from nncli.nn.losses.cross_entropy import BinaryCrossentropy, CategoricalCrossentropy
from nncli.nn.losses.loss import is_fused
from nncli.nn.losses.regression import MeanSquaredError
from nncli.nn.microbatching import MICRO_BATCH_BYTES, MIN_ACTIVATIONS_PER_PARAMETER
from nncli.nn.network import Network
from tests.nn.differences import central_differences, relative_error

LABELS = np.array([0, 1, 2, 0, 1, 2, 2])


def network_of(*layers, dtype="float64", inputs=2):
    network = Network(layers, CategoricalCrossentropy(), inputs, np.dtype(dtype))
    network.initialize(np.random.default_rng(0))
    network.set_rng(np.random.default_rng(1))
    return network


def points(rows=7, columns=2):
    return np.random.default_rng(2).normal(size=(rows, columns))


def gradient_error(network, inputs):
    """The largest relative error of the whole gradient, dropout masks frozen."""
    targets = network.loss.encode(LABELS, 3)

    def loss():
        network.set_rng(np.random.default_rng(1))
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
    """Loss, penalties and every layer together resolve_config with central differences to 1e-6."""
    network = network_of(*layers)
    network.parameters.values[:] += 0.01  # biases off the kink of |b|
    assert gradient_error(network, points()) < 1e-6


@pytest.mark.parametrize(
    ("last", "loss"),
    [(Softmax(), CategoricalCrossentropy()), (Sigmoid(), BinaryCrossentropy())],
    ids=["softmax", "sigmoid"],
)
def test_fused_gradient_is_that_of_its_two_parts(last, loss):
    """The short formula gives what the last layer and its loss give one after the other."""
    last.attach({}, {}, np.dtype("float64"))
    loss.attach(np.dtype("float64"))
    targets = loss.encode(LABELS, 3)
    outputs = last.forward(points(7, 3))
    apart = last.backward(loss.backward(outputs, targets)).copy()
    np.testing.assert_allclose(loss.backward_fused(outputs, targets), apart, rtol=1e-13, atol=1e-16)


def test_only_two_pairs_are_fused():
    """No other last layer takes the short way, and neither does another's loss."""
    assert is_fused(Softmax(), CategoricalCrossentropy())
    assert is_fused(Sigmoid(), BinaryCrossentropy())
    assert not is_fused(ReLU(), CategoricalCrossentropy())
    assert not is_fused(Softmax(), BinaryCrossentropy())
    with pytest.raises(NotImplementedError, match="MeanSquaredError is fused with no layer"):
        MeanSquaredError().backward_fused(points(), points())


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


def gradients_in_portions(layers, portion, rng):
    """Gradients, row losses and how many passes it took, of a batch that goes through in portions of so many rows."""
    network = network_of(*layers)
    network.micro_batch_rows = portion
    network.set_rng(rng)
    passes, forward = [], network.forward
    network.forward = lambda inputs, training: passes.append(len(inputs)) or forward(inputs, training)
    losses = np.full(7, np.nan)
    network.forward_backward(points(), network.loss.encode(LABELS, 3), losses)
    return network.parameters.gradients, losses, passes


def plain_layers():
    return [Dense(5, l2=0.1, initializer=He()), ReLU(), Dense(3, initializer=He()), Softmax()]


def masked_layers(*more):
    return [Dense(5, initializer=He()), ReLU(), Dropout(0.4), *more, Dense(3, initializer=He()), Softmax()]


@pytest.mark.parametrize("layers", [plain_layers, masked_layers], ids=["plain", "dropout"])
@pytest.mark.parametrize(("portion", "passes"), [(1, [1] * 7), (3, [3, 3, 1]), (5, [4, 3]), (6, [4, 3])])
def test_gradients_in_portions_are_those_of_the_whole_batch(layers, portion, passes):
    """Rows count alike, whatever the sizes of their portions; the book's stream gives them the same masks."""
    whole, losses, once = gradients_in_portions(layers(), 7, np.random.RandomState(3))
    found, found_losses, taken = gradients_in_portions(layers(), portion, np.random.RandomState(3))
    assert (once, taken) == ([7], passes)
    np.testing.assert_allclose(found, whole, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(found_losses, losses, rtol=1e-12)


@pytest.mark.parametrize("more", [BatchNormalization(), Dropout(0.5)], ids=["mixed rows", "a second mask"])
def test_some_batches_are_not_divided(more):
    """Where rows depend on each other, or where the book draws one whole mask after another, all go at once."""
    *_, passes = gradients_in_portions(masked_layers(more), 3, np.random.default_rng(0))
    assert passes == [7]


def test_a_portion_is_as_many_rows_as_the_cache_holds():
    """So many rows and what the layers put out for them take just less than the bound."""
    network = network_of(*plain_layers())
    bytes_a_row = 8 * (2 + 5 + 5 + 3 + 3)
    assert network.micro_batch_rows * bytes_a_row <= MICRO_BATCH_BYTES < (network.micro_batch_rows + 1) * bytes_a_row


def test_a_portion_is_not_small_beside_the_weights():
    """Rows and what the layers put out for them are twice as many numbers as are trained, where these are many."""
    assert MIN_ACTIVATIONS_PER_PARAMETER == 2
    units = 1000
    wide = network_of(Dense(units, initializer=He()), ReLU(), Dense(units, initializer=He()), Softmax())
    trained, a_row = len(wide.parameters.trainable), 2 + 4 * units
    assert trained == 3 * units + (units + 1) * units
    assert (
        wide.micro_batch_rows * a_row <= MIN_ACTIVATIONS_PER_PARAMETER * trained < (wide.micro_batch_rows + 1) * a_row
    )


def test_one_row_always_passes():
    """However much the layers put out for it, and however little is trained."""
    deep = [Dense(1000, initializer=He()), *(ReLU() for _ in range(300)), Dense(3, initializer=He()), Softmax()]
    assert network_of(*deep).micro_batch_rows == 1


def test_predict_in_portions_is_predict_at_once():
    """Outputs do not depend on how many rows go in together, and they are an array of their own."""
    network = network_of(Dense(5, initializer=He()), ReLU(), Dense(3, initializer=He()), Softmax())
    whole = network.predict(points())
    network.micro_batch_rows = 3
    np.testing.assert_allclose(network.predict(points()), whole, rtol=1e-14)
    kept = whole.copy()
    network.forward(points() + 1)
    np.testing.assert_array_equal(whole, kept)


def test_inference_has_no_dropout():
    """Outside training a dropout layer hands its inputs on, so that equal rows give equal outputs."""
    network = network_of(Dense(5, initializer=He()), Dropout(0.9), Dense(3, initializer=He()), Softmax())
    assert network.stochastic
    np.testing.assert_array_equal(network.predict(points()), network.predict(points()))


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
