"""A training step on a few rows, with a copy of every array that its operations use and compute."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any, NamedTuple

import numpy as np

from nncli.data.dataset import Random, some_weights
from nncli.experiment.assembly import Experiment
from nncli.nn.network import Network
from nncli.nn.parameters import Array, of_layer
from nncli.nn.trace import Kind, Observer, Operation, observed, step_methods
from nncli.training.evaluate import examples
from nncli.training.loop import Trainer

Arrays = dict[str, Array]


class Rows(NamedTuple):
    """The rows of the step.

    Args:
        inputs: (N, D).
        targets: as the data has them, (N,) or (N, M).
        encoded: as the loss encodes them, (N, M).
        total: the number of rows of the training set.
        weights: those of the rows in the loss (N,), if they differ.
    """

    inputs: Array
    targets: Array
    encoded: Array
    total: int
    weights: Array | None = None


class Recorder(Observer):
    """Copies the arrays that the operations of a step use and compute.

    Args:
        network: the network that is observed.
    """

    def __init__(self, network: Network) -> None:
        self.network, self.parameters = network, network.parameters
        self.arrays: dict[Operation, Arrays] = {}
        self.gradients: dict[str, tuple[Array, Array]] = {}  # before and after penalties and clipping
        self._before = np.zeros(0)

    def before(self, operation: Operation, *arguments: Any) -> None:
        """Copy the gradients."""
        self._before = self.parameters.gradients.copy()

    def after(self, operation: Operation, result: Any) -> None:
        """Copy what an operation has computed."""
        if operation.layer is None:
            self.gradients[operation.kind] = self._before, self.parameters.gradients.copy()
        self.arrays[operation] = copied(self._computed(operation, result))

    def _computed(self, operation: Operation, result: Any) -> Arrays:
        match operation:
            case Operation(Kind.FORWARD, int(index)):
                weights = of_layer(index, self.parameters.views(self.parameters.trainable))
                return {**weights, **self.network.layers[index].intermediates(), "outputs": result}
            case Operation(Kind.BACKWARD, int(index)):
                gradients = of_layer(index, self.parameters.views(self.parameters.gradients))
                return {**{f"dL/d {name}": array for name, array in gradients.items()}, "dL/d inputs": result}
            case Operation(Kind.LOSS_GRADIENT):
                return {"dL/d outputs": result}
            case Operation(Kind.UPDATE):
                return {"values": self.parameters.trainable}
        return {}


def choose_rows(experiment: Experiment, rows: int) -> Rows:
    """Rows at equal distances: the middle row of each of N equal parts of the training set."""
    network, data = experiment.network, examples(experiment.data["training"], experiment.network)
    total = len(data.inputs)
    count = min(max(rows, *(layer.min_batch_size for layer in network.layers)), total)
    chosen = ((np.arange(count) + 0.5) * total / count).astype(int)
    inputs, encoded = np.asfortranarray(data.inputs[chosen]), np.asfortranarray(data.encoded[chosen])
    return Rows(inputs, data.targets[chosen], encoded, total, some_weights(data.weights, chosen))


def record_step(experiment: Experiment, rows: Rows, masks: Random, fused: bool = True) -> Recorder:
    """The arrays of the first training step on these rows; the network of the experiment does not change."""
    config, initial = experiment.config, experiment.network
    layers, loss = [layer.build() for layer in config.layers], config.loss.build()
    network = Network(layers, loss, initial.widths[0], initial.dtype, fused=fused, input_gradient=True)
    network.parameters.values[...] = initial.parameters.values
    network.can_microbatch = False
    network.set_rng(deepcopy(masks))
    optimizer, recorder = experiment.optimizer, Recorder(network)
    optimizer.updates = 0
    optimizer.attach(network.parameters.trainable, network.parameters.gradients, optimizer.schedule)
    with observed(step_methods(network, experiment.clipping, optimizer), recorder):
        Trainer(experiment._replace(network=network)).step(rows.inputs, rows.encoded, rows.weights)
    return recorder


def copied(arrays: Mapping[str, Array]) -> Arrays:
    """A copy of each array."""
    return {name: array.copy() for name, array in arrays.items()}
