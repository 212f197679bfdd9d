"""The comparison of a training step with a float64 copy: correct steps pass in either dtype, wrong ones fail."""

from functools import partial

import numpy as np
import pytest

from nncli.nn.activations import ReLU, Sigmoid, Softmax
from nncli.nn.initializers import Glorot
from nncli.nn.layers.batch_normalization import BatchNormalization
from nncli.nn.layers.dense import Dense
from nncli.nn.losses.cross_entropy import CategoricalCrossentropy
from nncli.nn.network import Network
from nncli.nn.stepcheck import ReferenceNetwork, RoundingErrors, StepCheck, check_step
from nncli.nn.trace import Kind, Operation

ROWS = 40


def layers(*middle):
    """A network with eight hidden units, the layers in the middle, and three classes."""
    return [Dense(8, initializer=Glorot()), *middle, Dense(3, initializer=Glorot()), Softmax()]


def networks(dtype, *middle):
    """A network of a dtype and its float64 copy, with equal parameters."""
    both = [
        Network(layers(*(make() for make in middle)), CategoricalCrossentropy(), 2, np.dtype(each))
        for each in (dtype, "float64")
    ]
    both[0].initialize(np.random.default_rng(1))
    both[1].parameters.values[...] = both[0].parameters.values
    return both


def step_of(dtype, *middle, spread=1.0, factor=1.0):
    """The check of one step on forty random rows, its gradients multiplied by a factor."""
    network, copy = networks(dtype, *middle)
    inputs = (1 + spread * np.random.default_rng(2).normal(size=(ROWS, 2))).astype(dtype)
    targets = np.arange(ROWS) % 3
    network.forward_backward(inputs, network.loss.encode(targets, 3))
    encoded = copy.loss.encode(targets, 3)
    reference = ReferenceNetwork(copy, inputs.astype(np.float64), encoded, lambda: np.random.default_rng(3), ROWS)
    return check_step(reference, network.parameters.gradients * np.asarray(factor, dtype), 0, network)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("middle", [[], [ReLU], [Sigmoid], [BatchNormalization, ReLU]], ids=str)
def test_correct_gradients_pass(dtype, middle):
    """Rounding in the dtype of training passes, and an error of a thousandth of the gradient fails."""
    check = step_of(dtype, *middle)
    assert check.passes, check.worst
    assert not step_of(dtype, *middle, factor=1.001).passes


@pytest.mark.parametrize("spread", [1e-1, 1e-2, 1e-3, 1e-4])
def test_tolerance_follows_from_the_conditioning(spread):
    """Normalizing a column of small variance makes rounding errors and the tolerance larger: the step passes."""
    check = step_of("float32", partial(BatchNormalization, epsilon=1e-12), spread=spread)
    assert check.passes, check.worst
    wide = step_of("float32", partial(BatchNormalization, epsilon=1e-12))
    weights = [next(each.tolerance for each in of.arrays if each.name == "layers.0.weights") for of in (check, wide)]
    assert weights[0] > weights[1]


def before_normalization(factor=1.0):
    """A step that normalizes the outputs of a dense layer, so that the gradient of its biases is 0 but for rounding."""
    check = step_of("float32", BatchNormalization, ReLU, factor=factor)
    return check, next(each for each in check.arrays if each.name == "layers.0.biases")


def test_gradients_that_are_only_rounding_are_too_small():
    """The largest error is that of another array; a wrong factor of the others is found."""
    check, biases = before_normalization()
    assert (biases.too_small, check.passes) == (True, True)
    assert check.worst.name != biases.name
    assert check.worst.error < check.worst.tolerance < 0.01
    assert [each.name for each in check.arrays if each.too_small] == [biases.name]
    wrong, _ = before_normalization(factor=1.001)
    assert (wrong.passes, wrong.worst.name != biases.name) == (False, True)


def test_gradients_that_should_be_too_small_and_are_not_fail():
    """An error that rounding does not explain is the worst one, however small the gradients should be."""
    _, biases = before_normalization()
    wrong, found = before_normalization(factor=1e12 * biases.tolerance)
    assert (found.too_small, wrong.passes) == (True, False)
    assert StepCheck(0, ROWS, 1, "float32", [biases, found]).worst is found


def test_worst_entry_is_located():
    """One wrong entry is found in its array, at its index."""
    network, copy = networks("float32", ReLU)
    inputs, targets = np.random.default_rng(2).normal(size=(ROWS, 2)).astype(np.float32), np.arange(ROWS) % 3
    network.forward_backward(inputs, network.loss.encode(targets, 3))
    gradients = network.parameters.gradients.copy()
    network.parameters.views(gradients)["layers.2.weights"][5, 1] += 0.01
    encoded = copy.loss.encode(targets, 3)
    reference = ReferenceNetwork(copy, inputs.astype(np.float64), encoded, lambda: np.random.default_rng(3), ROWS)
    worst = check_step(reference, gradients, 0, network).worst
    assert (worst.name, worst.place) == ("layers.2.weights", (5, 1))


@pytest.mark.parametrize("rows", [1, 15, 20])
def test_reference_gradients_do_not_depend_on_the_micro_batches(rows):
    """Each micro-batch has the weight of its rows, of which the last one may have fewer."""
    _, copy = networks("float64", ReLU)
    inputs, encoded = np.random.default_rng(2).normal(size=(ROWS, 2)), copy.loss.encode(np.arange(ROWS) % 3, 3)
    whole, parts = (
        ReferenceNetwork(copy, inputs, encoded, lambda: np.random.default_rng(3), size).gradients()
        for size in (ROWS, rows)
    )
    np.testing.assert_allclose(parts, whole, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("operation", [Operation(Kind.FORWARD, 1), Operation(Kind.LOSS_GRADIENT)])
def test_rounding_errors_are_added_to_every_value(operation):
    """Relative to the value, where the step left it."""
    network, _ = networks("float64", ReLU)
    network.forward(np.ones((5, 2)), training=True)
    values = np.full((5, 8), 3.0)
    RoundingErrors(network, 1e-6, np.random.default_rng(0)).after(operation, values)
    assert (values != 3).all()
    np.testing.assert_allclose(values, 3, rtol=2e-6)
