"""Dead and saturated units: those whose output says nothing about the row."""

from typing import NamedTuple

import numpy as np

from nncli.nn.activations import Sigmoid, Tanh
from nncli.nn.layers.layer import Layer
from nncli.nn.parameters import Array
from nncli.nn.trace import Observer, Operation, forward_methods, observed
from nncli.report.trained_run import TrainedRun
from nncli.training.learning import SAME

ROWS = 2048  # of the training set that are looked at; of more, some at equal distances
FLAT = 0.05  # slope relative to the largest one below which an activation is saturated
MOSTLY = 0.95  # of the rows in which a saturated unit is


class LayerUnits(NamedTuple):
    """The units of an activation layer.

    Args:
        layer: the index of the layer.
        type: its type.
        dead: whether the output of each unit (M,) is 0 in all rows.
        saturated: whether each unit (M,) is where its activation is flat in 95 % of the rows; never for others.
        active: the fraction of rows (M,) in which the output of each unit is not 0.
        rows: the number of training rows that were looked at.
    """

    layer: int
    type: str
    dead: Array
    saturated: Array
    active: Array
    rows: int


class _Units(Observer):
    """Collects the outputs of the activation layers before the last one."""

    def __init__(self, layers: tuple[Layer, ...], types: list[str]) -> None:
        self.layers, self.types = layers, types
        self.found: list[LayerUnits] = []

    def after(self, operation: Operation, result: Array) -> None:
        """Judge the units of a layer."""
        index = operation.layer
        if index is None or index == len(self.layers) - 1 or not _is_activation(self.layers[index]):
            return
        layer, outputs = self.layers[index], result.astype(np.float64)
        is_zero = np.abs(outputs) <= SAME * np.abs(outputs).max(initial=0.0)
        saturated = np.mean(is_flat(layer, outputs), axis=0) >= MOSTLY
        active = 1 - is_zero.mean(axis=0)
        self.found.append(LayerUnits(index, self.types[index], is_zero.all(axis=0), saturated, active, len(outputs)))


def units_of(trained: TrainedRun) -> list[LayerUnits]:
    """The units of each hidden activation layer on rows of the training set.

    Raises:
        RunError, SourceError: the data cannot be read.
    """
    network, inputs = trained.experiment.network, trained.experiment.data["training"].inputs
    chosen = np.arange(len(inputs))[:: max(1, -(-len(inputs) // ROWS))]
    observer = _Units(network.layers, [layer.type for layer in trained.run.config.layers])
    with observed(forward_methods(network), observer):
        network.forward(np.asarray(inputs[chosen]))
    return observer.found


def is_flat(layer: Layer, outputs: Array) -> Array:
    """Where (N, M) the slope of a sigmoid or tanh is below 5 % of its largest one; nowhere for other activations.

    σ′ = y (1 − y), at most 1/4          tanh′ = 1 − y²
    """
    if isinstance(layer, Sigmoid):
        flat: Array = 4 * outputs * (1 - outputs) < FLAT
        return flat
    return 1 - outputs**2 < FLAT if isinstance(layer, Tanh) else np.zeros(outputs.shape, bool)


def _is_activation(layer: Layer) -> bool:
    return type(layer).__module__.startswith("nncli.nn.activations.")
