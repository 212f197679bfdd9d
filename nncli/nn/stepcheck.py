"""Compares the gradients of a training step with those of a float64 copy of the network, on the same rows.

The copy takes all rows column-major, and its gradients are compared with central differences by the gradient check. The
step takes its rows as training does: as a gathered mini-batch, in micro-batches, in the dtype of training. The
difference that rounding may cause is measured on the copy: random errors of the size of the dtype's rounding error are
added to everything that its layers compute, forward and backward.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from nncli.data.dataset import Random, some_weights
from nncli.nn.layers.layer import Layer
from nncli.nn.network import Network
from nncli.nn.parameters import Array
from nncli.nn.trace import Kind, Observer, Operation, observed, step_methods

DISTURBED_PASSES = 4  # over which the rounding error is measured
MARGIN = 30  # times the largest measured error, since layers round more than once


@dataclass(frozen=True)
class StepArrayCheck:
    """The gradient of one array in a step.

    Args:
        name: of the array.
        error: the largest difference from the float64 copy, relative to the copy's largest entry.
        tolerance: the largest error that rounding explains.
        too_small: whether rounding explains an error as large as the gradients, so that nothing is compared.
        place: the index of the entry with the largest difference.
        step: the gradient at this index in the step.
        copy: the gradient at this index in the copy.
    """

    name: str
    error: float
    tolerance: float
    too_small: bool
    place: tuple[int, ...]
    step: float
    copy: float


@dataclass(frozen=True)
class StepCheck:
    """The gradients of the step on one batch.

    Args:
        batch: the index of the batch in the epoch.
        rows: in the batch.
        micro_batches: into which the rows are divided.
        dtype: of the network that trains.
        arrays: one check per trainable array.
    """

    batch: int
    rows: int
    micro_batches: int
    dtype: str
    arrays: list[StepArrayCheck]

    @property
    def worst(self) -> StepArrayCheck:
        """The array whose error is largest relative to its tolerance; last those that are too small and do not fail."""
        judged = [check for check in self.arrays if not check.too_small or check.error > check.tolerance]
        return max(judged or self.arrays, key=lambda check: check.error / check.tolerance)

    @property
    def passes(self) -> bool:
        """Whether rounding explains every difference."""
        return self.worst.error <= self.worst.tolerance


class RoundingErrors(Observer):
    """Adds random rounding errors to everything that a network computes in a step.

    Args:
        network: the network that is observed.
        error: the relative rounding error.
        rng: draws the errors.
    """

    def __init__(self, network: Network, error: float, rng: np.random.Generator) -> None:
        self.network, self.error, self.rng = network, error, rng
        self._terms = np.zeros(1)

    def before(self, operation: Operation, *arguments: Any) -> None:
        """Estimate the magnitude of the terms that a layer sums in backward, which overwrites what this computes."""
        if operation.kind == Kind.BACKWARD and operation.layer is not None:
            self._terms = backward_terms(self.network.layers[operation.layer], self.rng)

    def after(self, operation: Operation, result: Any) -> None:
        """Disturb the outputs, the differences and the gradients where the layers left them."""
        if operation.kind == Kind.FORWARD and operation.layer is not None:
            layer = self.network.layers[operation.layer]
            is_sum = bool(layer.shapes(result.shape[1]))  # the terms of a sum may be larger than the sum
            self._disturb(result, np.max(np.abs(result)) * (result != 0) if is_sum else result)
            for difference, magnitude in layer.differences():
                self._disturb(difference, magnitude)
        elif operation.kind == Kind.LOSS_GRADIENT:
            self._disturb(result, result)
        elif operation.kind == Kind.BACKWARD:
            self._disturb(result, self._terms * (result != 0))

    def _disturb(self, values: Array, magnitudes: Array) -> None:
        """Add errors relative to the magnitudes in place: one drawn per value and one per column."""
        of_column = self.rng.uniform(-1, 1, (1, values.shape[1]))
        np.add(values, self.error * magnitudes * (self.rng.uniform(-1, 1, values.shape) + of_column), out=values)


class ReferenceNetwork:
    """A float64 copy of a network, with the rows of one step.

    Args:
        network: in float64, with the parameters of the network that trains.
        inputs: (N, D), rounded to the dtype of training.
        targets: (N, M), as the loss encodes them.
        masks: returns the generator of the dropout masks of the step, in the same state at each call.
        micro_batch_rows: rows per micro-batch, which determine the size of the dropout masks.
        weights: (N,), those of the rows in the loss, if they differ.
    """

    def __init__(
        self,
        network: Network,
        inputs: Array,
        targets: Array,
        masks: Callable[[], Random],
        micro_batch_rows: int,
        weights: Array | None = None,
    ) -> None:
        self.network, self.masks, self.micro_batch_rows = network, masks, micro_batch_rows
        self.inputs, self.targets, self.weights = np.asfortranarray(inputs), np.asfortranarray(targets), weights

    def gradients(self, error: float = 0.0, seed: int = 0) -> Array:
        """The gradients (P,) of loss and penalties, from intermediate values with a random relative error.

        The mean over the micro-batches is taken here, independently of the network's gradient accumulation.
        """
        network, rows, size = self.network, len(self.inputs), self.micro_batch_rows
        network.micro_batch_rows = size
        network.set_rng(self.masks())
        total = np.zeros_like(network.parameters.gradients)
        rounding_errors = RoundingErrors(network, error, np.random.default_rng(seed))
        with observed(step_methods(network) if error else (), rounding_errors):
            for start in range(0, rows, size):
                chunk = slice(start, start + size)
                inputs, targets, weights = self.inputs[chunk], self.targets[chunk], some_weights(self.weights, chunk)
                network.forward_backward(inputs, targets, weights=weights)
                total += network.parameters.gradients * (len(inputs) / rows)
        return total

    def rounding(self, error: float) -> Array:
        """The largest change (P,) of each gradient that a relative rounding error may cause."""
        exact = self.gradients()
        changes = [np.abs(self.gradients(error, seed) - exact) for seed in range(1, DISTURBED_PASSES + 1)]
        largest: Array = MARGIN * np.max(changes, axis=0)
        return largest


def check_step(copy: ReferenceNetwork, gradients: Array, batch: int, trained: Network) -> StepCheck:
    """Compare the gradients of a training step with those of a copy of its network.

    Args:
        copy: the copy, with the rows of the step.
        gradients: those of the step, (P,).
        batch: the index of the batch in the epoch.
        trained: the network that made the step.
    """
    rows, epsilon = len(copy.inputs), float(np.finfo(trained.dtype).eps)
    views, smallest = copy.network.parameters.views, float(np.finfo(trained.dtype).smallest_normal)
    exact = views(copy.gradients())
    noise, arrays = views(copy.rounding(epsilon)), []
    for name, gradient in views(gradients).items():
        largest = float(np.max(np.abs(exact[name]))) or 1.0
        differences = np.abs(gradient.astype(np.float64) - exact[name])
        index = np.unravel_index(int(np.argmax(differences)), differences.shape)
        tolerance = np.max(noise[name]) / largest + MARGIN * epsilon * np.sqrt(rows)  # sums over rows round as well
        tolerance += smallest / largest
        arrays.append(
            StepArrayCheck(
                name,
                float(differences[index]) / largest,
                float(tolerance),
                bool(tolerance >= 1),
                tuple(map(int, index)),
                float(gradient[index]),
                float(exact[name][index]),
            )
        )
    return StepCheck(batch, rows, len(trained.micro_batches(rows)), str(trained.dtype), arrays)


def backward_terms(layer: Layer, rng: np.random.Generator) -> Array:
    """The magnitude (D,) of the terms that a layer sums in backward; estimated with random signs if it is not known."""
    known = layer.backward_terms()
    if known is not None:
        return known
    grad = layer.d_outputs.copy()
    layer.d_outputs *= rng.choice([-1.0, 1.0], grad.shape)
    largest: Array = np.max(np.abs(type(layer).backward(layer)), axis=0)  # not the observed method
    layer.d_outputs[...] = grad
    return largest
