"""Dead and saturated units of the hidden layers."""

from typing import NamedTuple

import numpy as np

from nncli.nn.activations import Sigmoid, Tanh
from nncli.nn.layers.layer import Layer
from nncli.nn.network import Network
from nncli.nn.parameters import Array
from nncli.nn.trace import Observer, Operation, forward_methods, observed
from nncli.report.trained_run import TrainedRun
from nncli.training.constant_units import ConstantUnits

FLAT = 0.05  # derivative, relative to its maximum, below which an activation is saturated
MOSTLY = 0.95  # fraction of the rows for which a saturated unit is flat


class LayerUnits(NamedTuple):
    """The units of a hidden activation layer on the training set.

    Args:
        layer: the index of the layer.
        type: its type.
        dead: whether the output of each unit (M,) is the same for all rows.
        saturated: whether each unit (M,) is a sigmoid or tanh that is flat for 95 % of the rows; False for other types.
        active: the fraction of the rows (M,) for which the output of each unit is not 0.
    """

    layer: int
    type: str
    dead: Array
    saturated: Array
    active: Array


class _Counts(Observer):
    """Counts for each unit of the hidden layers the rows with an output of 0, and those where it is saturated.

    ``zero`` and ``flat`` are (M,) by the index of the layer.
    """

    def __init__(self, network: Network) -> None:
        self.layers = network.layers
        self.zero: dict[int, Array] = {}
        self.flat: dict[int, Array] = {}

    def after(self, operation: Operation, result: Array) -> None:
        """Count the rows of a layer."""
        index = operation.layer
        if index is None or not is_hidden_activation(self.layers, index):
            return
        for counts, found in ((self.zero, result == 0), (self.flat, is_flat(self.layers[index], result))):
            counts[index] = counts.get(index, 0) + np.count_nonzero(found, axis=0)


def units_of(trained: TrainedRun) -> list[LayerUnits]:
    """The units of each hidden activation layer.

    Raises:
        RunError, SourceError: the data cannot be read.
    """
    network, inputs = trained.experiment.network, trained.experiment.data["training"].inputs
    constant, counts = ConstantUnits(), _Counts(network)
    for observer in (constant, counts):
        with observed(forward_methods(network), observer):
            for start in range(0, len(inputs), network.micro_batch_rows):
                network.forward(inputs[start : start + network.micro_batch_rows])
    types, found = [layer.type for layer in trained.run.config.layers], []
    for index, zero in counts.zero.items():
        dead = constant.are_constant(index)
        saturated = counts.flat[index] >= MOSTLY * len(inputs)
        found.append(LayerUnits(index, types[index], dead, saturated, 1 - zero / len(inputs)))
    return found


def is_hidden_activation(layers: tuple[Layer, ...], index: int) -> bool:
    """Whether a layer is not the last one, has no parameters and is not dropout."""
    return index + 1 < len(layers) and not layers[index].stochastic and not layers[index].shapes(1)


def is_flat(layer: Layer, outputs: Array) -> Array:
    """Where (N, M) the derivative of a sigmoid or tanh is below 5 % of its maximum; nowhere for other activations.

    σ′ = y (1 − y), at most 1/4          tanh′ = 1 − y²
    """
    if isinstance(layer, Sigmoid):
        return np.asarray(4 * outputs * (1 - outputs) < FLAT)
    return np.asarray(1 - outputs**2 < FLAT) if isinstance(layer, Tanh) else np.zeros(outputs.shape, bool)
