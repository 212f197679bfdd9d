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
from nncli.nn.stepcheck import ReferenceNetwork, check_step

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
