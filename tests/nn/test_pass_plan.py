"""The memory plan of a pass: which arrays layers share, and the size of all of them."""

import gc
import tracemalloc
from itertools import combinations, pairwise

import numpy as np
import pytest

from nncli.nn.activations import ELU, GELU, LeakyReLU, Linear, ReLU, Sigmoid, Softmax, Tanh
from nncli.nn.initializers import He
from nncli.nn.kernels.alignment import CACHE_LINE
from nncli.nn.layers.dense import Dense
from nncli.nn.layers.dropout import Dropout
from nncli.nn.layers.layer import PassSpec
from nncli.nn.losses.cross_entropy import CategoricalCrossentropy
from nncli.nn.network import MAX_PASSES, Network
from nncli.nn.pass_plan import bind_standalone, layers_with_gradient

FLOAT32 = np.dtype("float32")


def network_of(*layers, inputs=2, **options):
    network = Network(layers, CategoricalCrossentropy(), inputs, FLOAT32, **options)
    network.initialize(np.random.default_rng(0))
    network.set_rng(np.random.default_rng(1))
    return network


def hidden(*more, units=5):
    return [Dense(units, initializer=He()), ReLU(), *more, Dense(3, initializer=He()), Softmax()]


@pytest.mark.parametrize("training", [True, False])
def test_outputs_are_the_inputs_of_the_next_layer(training):
    """They are one array, and so are the gradients; an identity has no array of its own."""
    network = network_of(*hidden(Linear(), Dropout(0.5)))
    network.bind(PassSpec(7, training))
    for layer, following in pairwise(network.layers):
        assert np.shares_memory(layer.outputs, following.inputs)
    kept, identity, dropout, *_ = network.layers[1:]
    assert identity.outputs.ctypes.data == kept.outputs.ctypes.data
    assert np.shares_memory(dropout.outputs, kept.outputs) is not training
    assert hasattr(network.layers[1], "d_outputs") is training


def test_gradients_are_those_between_the_layers():
    """Each has the shape of the outputs; two slots serve all of them alternately."""
    network = network_of(*hidden(Linear(), Dropout(0.5)))
    network.bind(PassSpec(7, training=True))
    dense, relu, identity, dropout, last, _ = network.layers
    for layer, following in pairwise([dense, relu, identity, dropout, last]):
        assert layer.d_outputs is following.d_inputs
    assert [layer.d_outputs.shape[1] for layer in (dense, relu, dropout, last)] == [5, 5, 5, 3]
    assert identity.d_inputs is identity.d_outputs
    for layer in (relu, dropout, last):
        assert not np.shares_memory(layer.d_inputs, layer.d_outputs)
    assert relu.d_outputs.ctypes.data == last.d_outputs.ctypes.data
    assert not hasattr(dense, "d_inputs")


def test_ones_follow_the_inputs_of_a_dense_layer():
    """They follow the outputs of an identity, too, and stay when the inputs are filled."""
    network = network_of(*hidden(Dropout(0.5)))
    for training in (True, False):
        network.forward(np.full((7, 2), 9.0), training)
        dense, _, _, last, _ = network.layers
        for layer in (dense, last):
            np.testing.assert_array_equal(layer.inputs_and_ones[:, :-1], layer.inputs)
            np.testing.assert_array_equal(layer.inputs_and_ones[:, -1], np.ones(7))


@pytest.mark.parametrize(
    ("layers", "options", "expected"),
    [
        ([Dense(4), ReLU(), Dense(3), Softmax()], {"is_fused": True}, [2, 1, 0]),
        ([Dense(4), ReLU(), Dense(3), Softmax()], {"is_fused": False}, [3, 2, 1, 0]),
        ([Dropout(0.5), ReLU(), Dense(3), Softmax()], {"is_fused": True}, [2]),
        ([Dropout(0.5), ReLU(), Dense(3)], {"is_fused": False, "input_gradient": True}, [2, 1, 0]),
    ],
)
def test_layers_with_gradient(layers, options, expected):
    """From the loss down to the first trainable layer, or to the data."""
    assert list(layers_with_gradient(layers, 2, **options)) == expected


def bytes_by_hand(rows, training):
    """Bytes of 2-5-3: [X 1], ReLU's [Y 1], Z, P; zeros, ones, maxima and sums; two gradients of five columns."""
    columns = [3, 6, 3, 3, 5, 1, 3, *(training * [5, 5])]
    sizes = [rows * count for count in columns] + [3 * 3]
    return sum((-(-4 * size // CACHE_LINE) + 1) * CACHE_LINE for size in sizes)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("rows", [1, 7, 300])
def test_size_by_hand(rows, training):
    """Each array takes whole cache lines, and an unused one follows it."""
    network = network_of(*hidden())
    assert network.plan(PassSpec(rows, training)).nbytes == bytes_by_hand(rows, training)


def test_layers_overwrite_inputs_that_no_backward_needs():
    """ReLU overwrites the outputs of a dense layer; dropout does not overwrite those of ReLU, which backward needs."""
    network = network_of(*hidden(Dropout(0.5)))
    for training, shared in ((True, False), (False, True)):
        network.bind(PassSpec(7, training))
        dense, relu, dropout, *_ = network.layers
        assert np.shares_memory(relu.outputs, dense.outputs)
        assert np.shares_memory(dropout.outputs, relu.outputs) is shared


def test_activations_are_kept_on_request():
    """Also those of passes that were planned before."""
    network = network_of(*hidden())
    for is_shared in (True, False):
        network.bind(PassSpec(7, training=True))
        dense, relu, *_ = network.layers
        assert np.shares_memory(relu.outputs, dense.outputs) is is_shared
        network.keep_activations()


def test_activations_are_kept_from_the_next_pass_on():
    """Also if it is like the one before."""
    network, inputs = network_of(*hidden()), np.ones((7, 2))
    for is_shared in (True, False):
        network.forward(inputs, training=True)
        dense, relu, *_ = network.layers
        assert np.shares_memory(relu.outputs, dense.outputs) is is_shared
        network.keep_activations()


@pytest.mark.parametrize("row_major", [True, False])
def test_size_is_what_is_allocated(row_major):
    """The plan has the size that Python traces."""
    network = network_of(*hidden(units=400), inputs=1000)
    spec = PassSpec(300, True, row_major)
    planned = network.plan(spec).nbytes
    gc.collect()
    tracemalloc.start()
    network.bind(spec)
    allocated, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert planned <= allocated < 1.02 * planned


def test_passes_are_allocated_once_and_the_oldest_ones_are_freed():
    """A pass that comes again has the same arrays, unless too many others came in between."""
    network = network_of(*hidden())
    network.bind(PassSpec(1))
    first = network.outputs
    for rows in (2, 1, *range(3, MAX_PASSES + 1), 1):
        network.bind(PassSpec(rows))
    assert network.outputs is first
    network.bind(PassSpec(MAX_PASSES + 1))
    network.bind(PassSpec(1))
    assert network.outputs is not first


def test_a_pass_in_between_changes_nothing():
    """Training passes with other numbers of rows, and predictions, between two equal steps."""
    network, rng = network_of(*hidden()), np.random.default_rng(2)
    inputs, targets = rng.normal(size=(9, 2)), network.loss.encode(np.arange(9) % 3, 3)
    network.forward_backward(inputs, targets)
    expected = network.parameters.gradients.copy()
    network.forward_backward(inputs[:4], targets[:4])
    network.predict(inputs[:5])
    network.forward_backward(inputs, targets)
    assert network.parameters.gradients.tobytes() == expected.tobytes()


def test_ones_follow_no_other_array():
    """Inputs of a layer that overwrites nothing have none, even if its outputs have."""
    network = network_of(Dense(5, initializer=He()), LeakyReLU(), Dense(3, initializer=He()), Softmax())
    network.bind(PassSpec(7, training=True))
    assert [hasattr(layer, "inputs_and_ones") for layer in network.layers] == [True, False, True, False]


def test_one_layer_needs_one_area_of_gradients():
    """Nobody computes dL/d inputs; [X 1], Z, P, what softmax needs, and dL/dZ."""
    network = network_of(Dense(3, initializer=He()), Softmax())
    sizes = [7 * columns for columns in (3, 3, 3, 1, 3, 3)] + [3 * 3]
    assert (
        network.plan(PassSpec(7, training=True)).nbytes
        == sum(-(-4 * size // CACHE_LINE) + 1 for size in sizes) * CACHE_LINE
    )


def test_layers_overwrite_outputs_at_inference():
    """Tanh those of ReLU, which only backward would need."""
    network = network_of(Dense(5, initializer=He()), ReLU(), Tanh(), Dense(3, initializer=He()), Softmax())
    for training in (True, False):
        network.bind(PassSpec(7, training))
        assert np.shares_memory(network.layers[2].outputs, network.layers[1].outputs) is not training


@pytest.mark.parametrize("layer", [ReLU(), Tanh(), Sigmoid(), Dropout(0.5)])
def test_layers_that_need_no_inputs_overwrite_them(layer):
    """Those of a dense layer, which does not need its outputs."""
    network = network_of(Dense(5, initializer=He()), layer, Dense(3, initializer=He()), Softmax())
    network.bind(PassSpec(7, training=True))
    assert np.shares_memory(layer.outputs, network.layers[0].outputs)


@pytest.mark.parametrize("layer", [LeakyReLU(), ELU(), GELU()])
def test_layers_that_need_inputs_do_not_overwrite_them(layer):
    """Their backward uses them."""
    network = network_of(Dense(5, initializer=He()), layer, Dense(3, initializer=He()), Softmax())
    network.bind(PassSpec(7, training=True))
    assert not np.shares_memory(layer.outputs, network.layers[0].outputs)


@pytest.mark.parametrize("layer", [ReLU(), ELU()])
def test_zeros_of_a_rectifier_are_only_read(layer):
    """So that they take no memory."""
    assert layer.scratch(PassSpec(7, training=True), 3)["zeros"].constant


def test_layer_of_no_network_keeps_its_inputs():
    """It has all gradients."""
    layer = ReLU()
    bind_standalone(layer, PassSpec(7, training=True), 3, FLOAT32)
    arrays = layer.inputs, layer.outputs, layer.d_outputs, layer.d_inputs
    assert not any(np.shares_memory(*pair) for pair in combinations(arrays, 2))
