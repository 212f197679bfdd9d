"""How wrong a network is, in one number a row, and which way each output should move."""

from typing import Any, ClassVar

import numpy as np

from nncli.nn.kernels.buffers import BufferPool
from nncli.nn.layers.layer import NO_INPUT, Layer
from nncli.nn.parameters import Array
from nncli.registry import kind


@kind("loss")
class Loss:
    """A number for each row of outputs (N, M) held against its target; training makes their mean small.

    What ``backward`` and ``backward_fused`` return belongs to the loss until the next call of either. As in a layer,
    arrays are looked up by ``arrange`` when the outputs are another array than before.
    """

    last_layers: ClassVar[tuple[str, ...]] = ()  # the types that may come last; empty: any
    needs_classes: ClassVar[bool] = False
    fused_with: ClassVar[type[Layer] | None] = None  # the last layer together with which it has a shorter gradient
    fused_formula: ClassVar[str | None] = None  # of that gradient

    def attach(self, dtype: np.dtype[Any]) -> None:
        """Make the workspace."""
        self.buffer = BufferPool(dtype)
        self.outputs = NO_INPUT

    def widths(self, classes: int) -> tuple[int, ...]:
        """How many outputs can stand for so many classes: one for each, or one that tells two apart."""
        return (classes, 1) if classes == 2 else (classes,)

    def encode(self, targets: Array, width: int) -> Array:
        """Targets (N, width) as ``forward`` and ``backward`` take them.

        Class numbers (N,) become one-hot rows, or, where there is one output, a column of 0 and 1; numbers stay.
        """
        if targets.ndim == 2 or width == 1:
            return np.asfortranarray(targets.reshape(len(targets), -1), self.buffer.dtype)
        one_hot = np.zeros((width, len(targets)), self.buffer.dtype)
        one_hot[targets, np.arange(len(targets))] = 1
        return one_hot.T

    def bind_inputs(self, outputs: Array) -> None:
        """Look up what passes over these outputs (N, M) fill; called where they are another array than before."""
        self.outputs = outputs
        self.d_outputs = self.buffer["d_outputs", *outputs.shape]
        self.rows, self.entries = (np.array(number, outputs.dtype) for number in (len(outputs), outputs.size))  # N, M N

    def forward(self, outputs: Array, targets: Array) -> Array:
        """The loss of each row, (N,), in an array of its own."""
        raise NotImplementedError(f"{type(self).__name__} has no forward")

    def backward(self, outputs: Array, targets: Array) -> Array:
        """dL/d outputs (N, M), L being the mean over the rows."""
        raise NotImplementedError(f"{type(self).__name__} has no backward")

    def backward_fused(self, outputs: Array, targets: Array) -> Array:
        """dL/dZ (N, M), Z being the inputs of the last layer, where that is ``fused_with``."""
        raise NotImplementedError(f"{type(self).__name__} is fused with no layer")

    def kink_distances(self, outputs: Array, targets: Array) -> Array | None:
        """How far each output lies from the loss's kink, signed; None where it has none."""
        return None

    def clipped(self, outputs: Array, targets: Array) -> Array:
        """Which rows (N,) have an output that ``forward`` clips and ``backward`` does not: their slopes say nothing."""
        return np.zeros(len(outputs), np.bool_)


def row_means(numbers: Array) -> Array:
    """The mean (N,) of each row of (N, M) numbers, summed in double precision."""
    return np.asarray(np.mean(numbers, axis=1, dtype=np.float64))


def average(losses: Array) -> float:
    """The mean of (N,) numbers, summed in double precision."""
    return float(np.add.reduce(losses, dtype=np.float64)) / len(losses)


def is_fused(last: Layer, loss: Loss) -> bool:
    """Whether the gradient through a last layer and its loss is taken at once, by a shorter formula."""
    return loss.fused_with is not None and isinstance(last, loss.fused_with)
