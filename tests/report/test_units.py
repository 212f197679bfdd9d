"""Dead and saturated units."""

import numpy as np
import pytest

from nncli.nn.activations import ReLU, Sigmoid, Tanh
from nncli.report.units import is_flat, units_of


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid"])
def test_units_with_extreme_biases_are_found(trained, activation):
    """A large negative bias keeps a ReLU at 0 and saturates the others; other units are active."""
    run = trained(f"layers=[{{type: dense, units: 8}}, {activation}, {{type: dense, units: 3}}, softmax]")
    parameters = run.network.parameters
    parameters.views(parameters.values)["layers.0.biases"][2] = -1e3
    (found,) = units_of(run)
    assert (found.layer, found.type) == (1, activation)
    assert np.flatnonzero(found.dead).tolist() == [2]
    assert found.saturated[2] == (activation != "relu")
    assert (found.active[2] == 0) == (activation == "relu")
    assert found.active[[0, 1, 3, 4, 5, 6, 7]].min() > 0


def test_activity_is_the_fraction_of_rows(trained):
    """Of the training rows, those with an output that is not 0."""
    run = trained()
    (found,) = units_of(run)
    weights = run.network.parameters.views(run.network.parameters.values)
    inputs = run.experiment.data["training"].inputs
    outputs = inputs.astype(np.float32) @ weights["layers.0.weights"] + weights["layers.0.biases"]
    assert found.active == pytest.approx((outputs > 0).mean(axis=0))


def test_flat_is_a_small_derivative():
    """Below 5 % of the maximal derivative of sigmoid and tanh; other activations are never flat."""
    inputs = np.linspace(-6, 6, 101)[:, np.newaxis]
    sigmoid, tanh = 1 / (1 + np.exp(-inputs)), np.tanh(inputs)
    assert np.array_equal(is_flat(Sigmoid(), sigmoid), sigmoid * (1 - sigmoid) / 0.25 < 0.05)
    assert np.array_equal(is_flat(Tanh(), tanh), np.cosh(inputs) ** -2 < 0.05)
    assert not is_flat(ReLU(), inputs).any()


def test_saturated_units_are_flat_for_most_rows_of_all_batches(trained):
    """For 95 % of them; units that are flat for fewer rows are not."""
    run = trained("layers=[{type: dense, units: 8}, tanh, {type: dense, units: 3}, softmax]")
    network, inputs = run.experiment.network, run.experiment.data["training"].inputs
    weights = network.parameters.views(network.parameters.values)
    weights["layers.0.weights"][...] = [[1] * 8, [0] * 8]
    weights["layers.0.biases"][...] = 4 - np.arange(8) / 2
    network.micro_batch_rows = 7
    (found,) = units_of(run)
    slopes = np.cosh(inputs.astype(np.float32) @ weights["layers.0.weights"] + weights["layers.0.biases"]) ** -2
    fractions = (slopes < 0.05).mean(axis=0)
    assert found.saturated.tolist() == (fractions >= 0.95).tolist()
    assert ((fractions >= 0.95) & (fractions < 1)).any()
