"""A network: layers, loss and penalties together."""

import numpy as np
import pytest

from nncli.nn.activations import ELU, GELU, LeakyReLU, ReLU, Sigmoid, Softmax, Tanh
from nncli.nn.initializers import He, Normal
from nncli.nn.layers.batch_normalization import BatchNormalization
from nncli.nn.layers.dense import Dense
from nncli.nn.layers.dropout import Dropout
from nncli.nn.losses.cross_entropy import BinaryCrossentropy, CategoricalCrossentropy
from nncli.nn.losses.loss import is_fused
from nncli.nn.losses.regression import MeanAbsoluteError, MeanSquaredError
from nncli.nn.microbatching import MICRO_BATCH_BYTES, MIN_ACTIVATIONS_PER_PARAMETER, MIN_UNPACKED_ROWS, ROWWISE_ROWS
from nncli.nn.network import Network
from tests.nn.differences import central_differences, relative_error
from tests.nn.passes import backward, forward, fused_gradient, loss_gradient

LABELS = np.array([0, 1, 2, 0, 1, 2, 2])


def network_of(*layers, dtype="float64", inputs=2):
    network = Network(layers, CategoricalCrossentropy(), inputs, np.dtype(dtype))
    network.initialize(np.random.default_rng(0))
    network.set_rng(np.random.default_rng(1))
    return network


def points(rows=7, columns=2):
    return np.random.default_rng(2).normal(size=(rows, columns))


def gradient_error(network, inputs):
    """The largest relative error of the gradient, with constant dropout masks."""
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
        *(
            pytest.param(
                [Dense(5, initializer=He()), each, Dropout(0.4), Tanh(), Dense(3, initializer=He()), Softmax()],
                id=f"{type(each).__name__}, then layers that may overwrite its outputs",
            )
            for each in (ReLU(), LeakyReLU(), ELU(6.0), GELU(), Tanh(), Sigmoid(), Softmax())
        ),
        pytest.param(
            [Dense(4, 0.1, 0.2, 0.3, 0.4, Normal(0.5)), ReLU(), Dense(3, 0.4, 0.3, 0.2, 0.1, Normal(0.5)), Softmax()],
            id="penalties",
        ),
        pytest.param(
            [Dropout(0.2), Dense(4, initializer=He()), Softmax(), Dense(3, initializer=He()), Softmax()],
            id="softmax inside, dropout first",
        ),
    ],
)
def test_gradient_matches_central_differences(layers):
    """The gradient of loss and penalties through all layers agrees to 1e-6."""
    network = network_of(*layers)
    network.parameters.values[:] += 0.01  # biases off the kink of |b|
    assert gradient_error(network, points()) < 1e-6


@pytest.mark.parametrize(
    ("last", "loss"),
    [(Softmax(), CategoricalCrossentropy()), (Sigmoid(), BinaryCrossentropy())],
    ids=["softmax", "sigmoid"],
)
def test_fused_gradient_is_that_of_loss_and_last_layer(last, loss):
    """The fused gradient is that of the loss and the last layer one after the other."""
    last.attach({}, {})
    loss.attach(np.dtype("float64"))
    targets = loss.encode(LABELS, 3)
    outputs = forward(last, points(7, 3))
    expected = backward(last, loss_gradient(loss, outputs, targets)).copy()
    np.testing.assert_allclose(fused_gradient(loss, outputs, targets), expected, rtol=1e-13, atol=1e-16)


def test_only_two_pairs_are_fused():
    """Softmax with categorical, and sigmoid with binary cross-entropy."""
    assert is_fused(Softmax(), CategoricalCrossentropy())
    assert is_fused(Sigmoid(), BinaryCrossentropy())
    assert not is_fused(ReLU(), CategoricalCrossentropy())
    assert not is_fused(Softmax(), BinaryCrossentropy())
    with pytest.raises(NotImplementedError, match="MeanSquaredError has no fused gradient"):
        fused_gradient(MeanSquaredError(), points(), points())


@pytest.mark.parametrize("loss", [CategoricalCrossentropy, BinaryCrossentropy, MeanSquaredError, MeanAbsoluteError])
@pytest.mark.parametrize("rows", [8, 20, 23])
@pytest.mark.parametrize("weighted", [False, True])
def test_loss_of_many_rows_is_computed_in_blocks_alike(monkeypatch, loss, rows, weighted):
    """Bit for bit, also with a last block that is smaller."""
    network = Network([Dense(3, initializer=He()), Softmax()], loss(), 2, np.dtype("float32"))
    network.initialize(np.random.default_rng(0))
    weights = np.random.default_rng(3).random(rows).astype("float32") if weighted else None
    outputs = network.predict(points(rows))
    targets = network.loss.encode(np.arange(rows) % 3, 3)
    expected = network.data_loss(outputs, targets, weights)
    monkeypatch.setattr("nncli.nn.network.LOSS_ROWS", 8)
    assert network.data_loss(outputs, targets, weights) == expected


def test_unfused_loss_uses_backward_of_the_last_layer():
    """The gradient of a loss after another last layer is right."""
    network = network_of(Dense(3, initializer=He()), Softmax(), ReLU())
    assert gradient_error(network, points()) < 1e-6


@pytest.mark.parametrize("is_fused", [True, False])
def test_input_gradient_matches_central_differences(is_fused):
    """Down to more inputs than there are units; the gradients of the parameters are the same as without it."""
    layers, inputs, without = plain_layers(), points(7, 12), network_of(*plain_layers(), inputs=12)
    options = {"fused": is_fused, "input_gradient": True}
    network = Network(layers, CategoricalCrossentropy(), 12, np.dtype("float64"), **options)
    network.parameters.values[:] = without.parameters.values
    targets = network.loss.encode(LABELS, 3)
    for each in (network, without):
        each.forward_backward(inputs, targets)
    np.testing.assert_allclose(network.parameters.gradients, without.parameters.gradients, rtol=1e-10, atol=1e-13)
    found, flat = network.layers[0].d_inputs.copy(), inputs.ravel()
    expected = central_differences(lambda: network.data_loss(network.forward(inputs), targets), flat)
    assert relative_error(found.ravel(), expected) < 1e-6


def test_parameters_are_views_of_one_vector():
    """The arrays of the layers share memory with the flat vector, in the order of the layers."""
    network = network_of(Dense(2, initializer=He()), ReLU(), Dense(3, initializer=He()), Softmax())
    first, _, second, _ = network.layers
    network.parameters.values[:] = np.arange(15)
    np.testing.assert_array_equal(first.weights, [[0, 1], [2, 3]])
    np.testing.assert_array_equal(first.biases, [4, 5])
    np.testing.assert_array_equal(second.weights, np.arange(6, 12).reshape(2, 3))
    np.testing.assert_array_equal(second.biases, [12, 13, 14])
    assert list(network.parameters.shapes) == [f"layers.{i}.{name}" for i in (0, 2) for name in ("weights", "biases")]


def accumulated_gradients(layers, micro_batch_rows, rng):
    """Gradients, losses of the rows, and rows of each pass, of a batch that is split into micro-batches."""
    network = network_of(*layers)
    network.micro_batch_rows = micro_batch_rows
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
@pytest.mark.parametrize(("micro_batch_rows", "passes"), [(1, [1] * 7), (3, [3, 3, 1]), (5, [4, 3]), (6, [4, 3])])
def test_accumulated_gradients_are_those_of_the_batch(layers, micro_batch_rows, passes):
    """Each row has the same weight in micro-batches of any size; the legacy generator draws the same masks."""
    expected, losses, single = accumulated_gradients(layers(), 7, np.random.RandomState(3))
    found, found_losses, several = accumulated_gradients(layers(), micro_batch_rows, np.random.RandomState(3))
    assert (single, several) == ([7], passes)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(found_losses, losses, rtol=1e-12)


@pytest.mark.parametrize("more", [BatchNormalization(), Dropout(0.5)], ids=["coupled rows", "a second mask"])
def test_batch_is_not_split_if_the_result_would_change(more):
    """Rows depend on each other, or several masks are drawn one after another."""
    *_, passes = accumulated_gradients(masked_layers(more), 3, np.random.default_rng(0))
    assert passes == [7]


def test_micro_batch_fits_the_cache():
    """Inputs and outputs of all layers take at most MICRO_BATCH_BYTES, and one more row would not fit."""
    network = network_of(*plain_layers())
    bytes_per_row = 8 * (2 + 5 + 5 + 3 + 3)
    assert (
        network.micro_batch_rows * bytes_per_row <= MICRO_BATCH_BYTES < (network.micro_batch_rows + 1) * bytes_per_row
    )


def test_micro_batch_grows_with_the_parameters():
    """It has at least two activations per trainable parameter."""
    assert MIN_ACTIVATIONS_PER_PARAMETER == 2
    units = 1000
    wide = network_of(Dense(units, initializer=He()), ReLU(), Dense(units, initializer=He()), Softmax())
    parameters, values_per_row = len(wide.parameters.trainable), 2 + 4 * units
    assert parameters == 3 * units + (units + 1) * units
    assert (
        wide.micro_batch_rows * values_per_row
        <= MIN_ACTIVATIONS_PER_PARAMETER * parameters
        < (wide.micro_batch_rows + 1) * values_per_row
    )


@pytest.mark.parametrize(("units", "is_limited"), [(39, True), (40, False)])
def test_products_of_a_micro_batch_are_not_packed(units, is_limited):
    """If at least 256 rows are left: 1,000,000 multiply-adds are 256 rows of 100 × 39, but 250 of 100 × 40."""
    rows = network_of(Dense(units, initializer=He()), Softmax(), inputs=100).micro_batch_rows
    assert (rows == MIN_UNPACKED_ROWS == 256) is is_limited
    assert is_limited or rows == MICRO_BATCH_BYTES // (8 * (100 + 2 * units))


def test_micro_batch_has_at_least_one_row():
    """However many activations a row has."""
    deep = [Dense(1000, initializer=He()), *(ReLU() for _ in range(300)), Dense(3, initializer=He()), Softmax()]
    assert network_of(*deep).micro_batch_rows == 1


def test_inputs_keep_their_memory_layout_only_if_their_rows_are_contiguous():
    """A column-major batch of many features is not copied row-major in each pass."""
    network = network_of(Dense(3, initializer=He()), Softmax(), inputs=20)
    for inputs in (points(7, 20), np.asfortranarray(points(7, 20))):
        network.forward(inputs)
        assert network.bound.row_major is inputs.flags.c_contiguous


def test_predict_does_not_depend_on_the_chunk_size():
    """And it returns a new array."""
    network = network_of(Dense(5, initializer=He()), ReLU(), Dense(3, initializer=He()), Softmax())
    outputs = network.predict(points())
    network.micro_batch_rows = 3
    np.testing.assert_allclose(network.predict(points()), outputs, rtol=1e-14)
    before = outputs.copy()
    network.forward(points() + 1)
    np.testing.assert_array_equal(outputs, before)


def test_passes_of_a_prediction_have_only_its_rows():
    """Nothing is added to the last chunk, unless outputs must not depend on the number of rows."""
    network, passes = network_of(*plain_layers()), []
    network.micro_batch_rows, forward = 3, network.forward
    network.forward = lambda inputs: passes.append(len(inputs)) or forward(inputs)
    network.predict(points())
    assert passes == [3, 3, 1]


def test_inference_has_no_dropout():
    """At inference a dropout layer is the identity, so that outputs are deterministic."""
    network = network_of(Dense(5, initializer=He()), Dropout(0.9), Dense(3, initializer=He()), Softmax())
    assert network.stochastic
    np.testing.assert_array_equal(network.predict(points()), network.predict(points()))


def test_gradient_in_float32_is_close_to_float64():
    """The same weights give the same gradient, up to the precision of float32."""
    gradients = []
    for dtype in ("float32", "float64"):
        network = network_of(Dense(5, initializer=He()), ReLU(), Dense(3, initializer=He()), Softmax(), dtype=dtype)
        network.forward(points().astype(dtype), training=True)
        network.backward(network.loss.encode(LABELS, 3))
        assert network.parameters.gradients.dtype == dtype
        gradients.append(network.parameters.gradients.astype(float))
    np.testing.assert_allclose(*gradients, rtol=1e-4, atol=1e-6)


WEIGHTS = np.array([0.0, 2.0, 1.0, 0.25, 1.75, 1.0, 1.0])


def weighted_network(*layers, micro_batch_rows=7):
    network = network_of(*layers)
    network.parameters.values[:] += 0.01
    network.micro_batch_rows = micro_batch_rows
    return network, points(), network.loss.encode(LABELS, 3)


@pytest.mark.parametrize("micro_batch_rows", [7, 3, 1])
@pytest.mark.parametrize("is_fused", [True, False], ids=["fused", "unfused"])
def test_weighted_gradient_is_that_of_the_weighted_mean(is_fused, micro_batch_rows):
    """It agrees with central differences of (1/N) Σ w L + R, and with the naive sum of the gradients of single rows."""
    layers = [Dense(5, 0.1, 0.2, 0.3, 0.4, He()), ReLU(), Dense(3, initializer=He()), Softmax()]
    layers += [] if is_fused else [LeakyReLU(0.9)]
    network, inputs, targets = weighted_network(*layers, micro_batch_rows=micro_batch_rows)
    assert network.is_fused is is_fused
    losses = np.empty(7)
    network.forward_backward(inputs, targets, losses, WEIGHTS)
    found, penalties = network.parameters.gradients.copy(), np.zeros(len(network.parameters.gradients))

    def loss():
        rows = network.loss.forward(network.forward(inputs, training=True), targets)
        return float(sum(w * each for w, each in zip(WEIGHTS, rows, strict=True))) / 7 + network.regularization_loss()

    assert relative_error(found, central_differences(loss, network.parameters.values)) < 1e-6
    naive = np.zeros_like(found)
    for row, weight in enumerate(WEIGHTS):
        network.parameters.gradients[...] = 0
        network.penalize()
        penalties[...] = network.parameters.gradients
        network.forward_backward(inputs[row : row + 1], targets[row : row + 1])
        naive += weight / 7 * (network.parameters.gradients - penalties)
    np.testing.assert_allclose(found, naive + penalties, rtol=1e-12, atol=1e-14)
    rows = network.loss.forward(network.forward(inputs), targets)
    np.testing.assert_allclose(losses, WEIGHTS * rows, rtol=1e-13)
    assert network.data_loss(network.outputs, targets, WEIGHTS) == pytest.approx(float(np.mean(WEIGHTS * rows)))


def test_weight_of_2_is_a_row_twice():
    """In a full batch, weights of mean 1 give the gradient of the batch in which each row is as often as it weighs."""
    network, inputs, targets = weighted_network(*plain_layers())
    times = np.array([0, 1, 2, 3, 1, 1, 2])
    network.forward_backward(inputs, targets, weights=times / times.mean())
    found, twice = network.parameters.gradients.copy(), np.repeat(np.arange(7), times)
    network.forward_backward(inputs[twice], targets[twice])
    np.testing.assert_allclose(found, network.parameters.gradients, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_weights_of_1_change_no_bit(dtype):
    """The gradient is that of a step without weights."""
    network = network_of(*plain_layers(), dtype=dtype)
    inputs, targets = points(), network.loss.encode(LABELS, 3)
    network.forward_backward(inputs, targets)
    without = network.parameters.gradients.copy()
    network.forward_backward(inputs, targets, weights=np.ones(7, dtype))
    np.testing.assert_array_equal(network.parameters.gradients, without)


@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("hidden", [8, 50, 128])
@pytest.mark.parametrize("features", [4, 13, 100])
def test_outputs_of_a_row_do_not_depend_on_other_rows(features, hidden, outputs):
    """Bit for bit in float32, in chunks of any size and in any order, with an inference network in float64."""

    def network(dtype, **options):
        layers = [Dense(hidden, initializer=Normal(0.3)), ReLU(), Dense(outputs, initializer=Normal(0.3))]
        return Network(layers, MeanSquaredError(), features, np.dtype(dtype), **options)

    network = network("float32", inference=network("float64", rowwise=True))
    assert network.dtype == np.float32
    network.initialize(np.random.default_rng(0))
    inputs = np.random.default_rng(1).normal(size=(601, features)).astype(np.float32)
    expected, order = network.predict(inputs), np.random.default_rng(2).permutation(len(inputs))
    assert np.array_equal(network.predict(inputs[order]), expected[order])
    for size in (1, 7, 256, 300):
        chunks = [network.predict(inputs[start : start + size]) for start in range(0, len(inputs), size)]
        assert np.array_equal(np.concatenate(chunks), expected)


def test_inference_has_the_parameters_of_the_last_step():
    """Not those of an earlier prediction."""
    network = network_of(*plain_layers(), dtype="float32")
    network.inference = network_of(*plain_layers(), dtype="float64")
    network.predict(points())
    network.parameters.values[...] *= 2
    expected = network.forward(points().astype(np.float32))
    np.testing.assert_allclose(network.predict(points()), expected, rtol=1e-5)


def test_passes_of_rowwise_inference_have_the_same_number_of_rows(monkeypatch):
    """Whatever the number of rows that are predicted, as some BLAS round by it."""
    passes, network = set(), network_of(*plain_layers())
    rowwise = Network(network.layers, network.loss, 2, np.dtype("float64"), rowwise=True)
    monkeypatch.setattr(rowwise, "forward", lambda inputs: passes.add(len(inputs)) or np.zeros((len(inputs), 3)))
    for rows in (1, 7, 300, 601):
        assert rowwise.predict(np.zeros((rows, 2))).shape == (rows, 3)
    assert passes == {rowwise.inference_rows} == {ROWWISE_ROWS}


def test_rowwise_inference_has_no_more_rows_than_a_micro_batch():
    """In a network with many activations per row, whose passes of 256 rows would not fit the cache."""
    layers = [Dense(1000, initializer=He()), ReLU(), Dense(3, initializer=He()), Softmax()]
    network = Network(layers, CategoricalCrossentropy(), 2, np.dtype("float64"), rowwise=True)
    assert network.inference_rows == network.micro_batch_rows < ROWWISE_ROWS


@pytest.mark.parametrize(("rowwise", "passes"), [(True, [2] * 4), (False, [3, 3, 1])])
def test_passes_at_inference_have_the_rows_of_the_network_that_computes_them(rowwise, passes):
    """Not those of the network that is trained, which has its own micro-batches."""
    network, seen = network_of(*plain_layers()), []
    network.micro_batch_rows = 5
    inference = Network(plain_layers(), CategoricalCrossentropy(), 2, np.dtype("float64"), rowwise=rowwise)
    network.inference, inference.micro_batch_rows, forward = inference, 3, inference.forward
    if rowwise:
        inference.inference_rows = 2
    inference.forward = lambda inputs: seen.append(len(inputs)) or forward(inputs)
    network.predict(points())
    assert seen == passes
