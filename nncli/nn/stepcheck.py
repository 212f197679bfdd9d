"""The gradients of a training step compared with those of a float64 copy of the network, on the same rows.

The copy takes all rows column-major, as the gradient check does that compares it with central differences; the step
takes them as training does: a mini-batch as it was gathered, in micro-batches, in the dtype of training. How far
rounding may take the two apart is measured on the copy: what its layers compute, forward and backward, is disturbed at
random by the rounding error of the dtype.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from nncli.nn.kernels.dropout_mask import Random
from nncli.nn.layers.layer import Layer
from nncli.nn.network import Network
from nncli.nn.parameters import Array

DISTURBANCES = 4  # how often it is measured
MARGIN = 30  # times the largest of them, since layers round more often than once


@dataclass(frozen=True)
class StepArrayCheck:
    """The gradient of one array in a step.

    Args:
        name: of the array.
        error: the largest difference from the float64 copy, relative to the copy's largest entry.
        tolerance: what rounding explains.
        place: the indices of that entry.
        step: the gradient there, as the step has it.
        copy: and as the copy has it.
    """

    name: str
    error: float
    tolerance: float
    place: tuple[int, ...]
    step: float
    copy: float


@dataclass(frozen=True)
class StepCheck:
    """The arrays in the step on one batch: its number in the epoch, its rows, and the micro-batches they pass in."""

    batch: int
    rows: int
    micro_batches: int
    dtype: str
    arrays: list[StepArrayCheck]

    @property
    def worst(self) -> StepArrayCheck:
        """The array whose error is largest in units of its tolerance."""
        return max(self.arrays, key=lambda each: each.error / each.tolerance)

    @property
    def passes(self) -> bool:
        """Whether rounding explains every difference."""
        return self.worst.error <= self.worst.tolerance


class ReferenceNetwork:
    """A float64 copy of a network, with the rows of one step.

    Args:
        network: in float64, with the parameters of the network that trains.
        inputs: (N, D), rounded to the dtype of training.
        targets: (N, M), as the loss encodes them.
        masks: makes the stream of dropout masks of the step.
        size: how many rows pass at once, and the size of the dropout masks.
    """

    def __init__(self, network: Network, inputs: Array, targets: Array, masks: Callable[[], Random], size: int) -> None:
        self.network, self.masks, self.size = network, masks, size
        self.inputs, self.targets = np.asfortranarray(inputs), np.asfortranarray(targets)

    def gradients(self, error: float = 0.0, seed: int = 0) -> Array:
        """Those of loss and penalties (P,), all that is computed on the way disturbed by a relative error."""
        network, rng = self.network, np.random.default_rng(seed)
        rows, size = len(self.inputs), self.size
        network.set_rng(self.masks())
        total = np.zeros_like(network.parameters.gradients)
        for start in range(0, rows, size):
            some = slice(start, min(start + size, rows))
            self._pass(np.asfortranarray(self.inputs[some]), np.asfortranarray(self.targets[some]), error, rng)
            total += network.parameters.gradients * ((some.stop - some.start) / rows)
        network.parameters.gradients[...] = total
        network.penalize()
        return network.parameters.gradients.copy()

    def rounding(self, error: float) -> Array:
        """How far rounding may move each gradient (P,), where a number is rounded by a relative error."""
        right = self.gradients()
        moved = [np.abs(self.gradients(error, seed) - right) for seed in range(1, DISTURBANCES + 1)]
        largest: Array = MARGIN * np.max(moved, axis=0)
        return largest

    def _pass(self, inputs: Array, targets: Array, error: float, rng: np.random.Generator) -> None:
        """Forward and backward over some of the rows; the numbers of each layer are disturbed where it left them."""
        network, outputs = self.network, inputs
        for layer in network.layers:
            outputs = layer.forward(outputs, training=True)
            sums = bool(layer.shapes(outputs.shape[1]))  # the terms of a sum may be larger than the sum
            _disturb(outputs, np.max(np.abs(outputs)) * (outputs != 0) if sums else outputs, error, rng)
            for difference, magnitude in layer.differences():
                _disturb(difference, magnitude, error, rng)
        network.outputs = outputs
        grad = (network.loss.backward_fused if network.is_fused else network.loss.backward)(outputs, targets)
        _disturb(grad, grad, error, rng)
        for layer in network.backward_layers:
            terms = _terms(layer, grad, rng) if error else np.zeros(1)
            grad = layer.backward(grad)
            _disturb(grad, terms * (grad != 0), error, rng)
        network.first_trainable.parameter_gradients(grad)


def check_step(copy: ReferenceNetwork, gradients: Array, batch: int, trained: Network) -> StepCheck:
    """Compare the gradients (P,) that a step of the network in training has left with those of a copy."""
    rows, epsilon = len(copy.inputs), float(np.finfo(trained.dtype).eps)
    right, views = copy.gradients(), copy.network.parameters.views
    noise, arrays = views(copy.rounding(epsilon)), []
    for name, own in views(right).items():
        largest = float(np.max(np.abs(own))) or 1.0
        off = np.abs(views(gradients.astype(np.float64))[name] - own)
        place = np.unravel_index(int(np.argmax(off)), own.shape)
        tolerance = np.max(noise[name]) / largest + MARGIN * epsilon * np.sqrt(rows)  # sums over rows round as well
        least = float(np.finfo(trained.dtype).smallest_normal) / largest
        found = float(views(gradients)[name][place]), float(own[place])
        indices = tuple(map(int, place))
        arrays.append(StepArrayCheck(name, float(off[place]) / largest, float(tolerance + least), indices, *found))
    return StepCheck(batch, rows, len(trained.micro_batches(rows)), str(trained.dtype), arrays)


def _terms(layer: Layer, grad: Array, rng: np.random.Generator) -> Array:
    """The magnitude of the terms that a layer's backward sums; estimated with random signs where it has no formula."""
    known = layer.backward_terms(grad)
    if known is not None:
        return known
    largest: Array = np.max(np.abs(layer.backward(grad * rng.choice([-1.0, 1.0], grad.shape))), axis=0)
    return largest


def _disturb(numbers: Array, sizes: Array, error: float, rng: np.random.Generator) -> None:
    """Move numbers in place by an error relative to the sizes: at random, and all of a column alike."""
    if error:
        alike = rng.uniform(-1, 1, (1, numbers.shape[1]))
        np.add(numbers, error * sizes * (rng.uniform(-1, 1, numbers.shape) + alike), out=numbers)
