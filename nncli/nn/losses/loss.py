"""The interface of a loss function."""

from typing import Any, ClassVar

import numpy as np

from nncli.nn.layers.layer import Layer
from nncli.nn.parameters import Array
from nncli.registry import kind


@kind("loss")
class Loss:
    """The loss of each row of outputs (N, M), given its target; training minimizes the mean.

    ``backward`` and ``backward_fused`` fill ``out`` and return it.
    """

    last_layers: ClassVar[tuple[str, ...]] = ()  # types of last layer that are valid; empty: any
    needs_classes: ClassVar[bool] = False
    fused_with: ClassVar[type[Layer] | None] = None  # the last layer with which the loss has a fused gradient
    fused_formula: ClassVar[str | None] = None  # that gradient, Z being the inputs of the last layer

    def attach(self, dtype: np.dtype[Any]) -> None:
        """Store the dtype of the network."""
        self.dtype = dtype

    def widths(self, classes: int) -> tuple[int, ...]:
        """The valid numbers of outputs for a number of classes: one per class, or a single one for two classes."""
        return (classes, 1) if classes == 2 else (classes,)

    def encode(self, targets: Array, width: int) -> Array:
        """Encode targets as (N, width) for ``forward`` and ``backward``.

        Class labels (N,) are one-hot encoded, or become a column of 0 and 1 if there is one output; real-valued targets
        are only converted to the dtype.
        """
        if targets.ndim == 2 or width == 1:
            return np.asfortranarray(targets.reshape(len(targets), -1), self.dtype)
        one_hot = np.zeros((width, len(targets)), self.dtype)
        one_hot[targets, np.arange(len(targets))] = 1
        return one_hot.T

    def forward(self, outputs: Array, targets: Array) -> Array:
        """The loss of each row (N,)."""
        raise NotImplementedError(f"{type(self).__name__} has no forward")

    def backward(self, outputs: Array, targets: Array, out: Array) -> Array:
        """dL/d outputs (N, M), where L is the mean over the rows."""
        raise NotImplementedError(f"{type(self).__name__} has no backward")

    def backward_fused(self, outputs: Array, targets: Array, out: Array) -> Array:
        """dL/dZ (N, M), where Z are the inputs of the last layer, which must be a ``fused_with``."""
        raise NotImplementedError(f"{type(self).__name__} has no fused gradient")

    def kink_distances(self, outputs: Array, targets: Array) -> Array | None:
        """Signed distance of each output from the kink of the loss; None if it has none."""
        return None

    def clipped(self, outputs: Array, targets: Array) -> Array:
        """Which rows (N,) have an output that ``forward`` clips; their gradient differs from the derivative."""
        return np.zeros(len(outputs), np.bool_)


def row_means(values: Array) -> Array:
    """The mean (N,) of each row of (N, M) values, summed in float64."""
    return np.asarray(np.mean(values, axis=1, dtype=np.float64))


def average(losses: Array) -> float:
    """The mean of (N,) losses, summed in float64."""
    return float(np.add.reduce(losses, dtype=np.float64)) / len(losses)


def is_fused(last: Layer, loss: Loss) -> bool:
    """Whether the last layer and the loss have one fused gradient, which is shorter and more accurate."""
    return loss.fused_with is not None and isinstance(last, loss.fused_with)
