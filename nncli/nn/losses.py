"""How wrong a network is, in one number a row, and which way each output should move."""

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from nncli.nn.activations import Softmax
from nncli.nn.layer import Buffers, Layer
from nncli.nn.parameters import Array
from nncli.registry import kind, register


@kind("loss")
class Loss:
    """A number for each row of outputs (N, M) held against its target; training makes their mean small."""

    last_layers: ClassVar[tuple[str, ...]] = ()  # the types that may come last; empty: any

    def attach(self, dtype: np.dtype[Any]) -> None:
        """Make the workspace."""
        self.buffer = Buffers(dtype)

    def encode(self, targets: Array, width: int) -> Array:
        """Targets as ``forward`` and ``backward`` take them, (N, width)."""
        raise NotImplementedError(f"{type(self).__name__} has no encode")

    def forward(self, outputs: Array, targets: Array) -> Array:
        """The loss of each row, (N,)."""
        raise NotImplementedError(f"{type(self).__name__} has no forward")

    def backward(self, outputs: Array, targets: Array) -> Array:
        """dL/d outputs (N, M), L being the mean over the rows."""
        raise NotImplementedError(f"{type(self).__name__} has no backward")


@register("categorical_crossentropy", alias="Loss_CategoricalCrossentropy")
class CategoricalCrossentropy(Loss):
    """Minus the logarithm of the probability that a row gives to its own class.

        L = −log Σ T clip(P)          P (N, C) probabilities, T (N, C) one-hot; a row's sum
        dL/dP = −T / (clip(P) N)      N from the mean over the rows

    P is clipped to [1e-7, 1 − 1e-7], so that no logarithm is infinite; the gradient passes through the clip as if
    it were not there. Behind a softmax the two gradients shrink to (P − T) / N, see ``softmax_crossentropy``.

    Source: Kinsley and Kukieła 2020, chapters 5 and 9.
    """

    last_layers = ("softmax",)
    CLIP = 1e-7

    def encode(self, targets: Array, width: int) -> Array:
        """One-hot rows (N, C) of class numbers (N,); what is one-hot already stays."""
        if targets.ndim == 2:
            return np.asfortranarray(targets, self.buffer.dtype)
        one_hot = np.zeros((width, len(targets)), self.buffer.dtype)
        one_hot[targets, np.arange(len(targets))] = 1
        return one_hot.T

    def forward(self, outputs: Array, targets: Array) -> Array:
        """L = −log Σ T clip(P)."""
        clipped = np.clip(outputs, self.CLIP, 1 - self.CLIP)  # clip(P)
        own: Array = np.sum(targets * clipped, axis=1)  # Σ T clip(P)
        return np.negative(np.log(own))  # −log Σ T clip(P)

    def backward(self, outputs: Array, targets: Array) -> Array:
        """dL/dP = −T / (clip(P) N)."""
        d_outputs = self.buffer["d_outputs", *outputs.shape]
        np.clip(outputs, self.CLIP, 1 - self.CLIP, out=d_outputs)  # clip(P)
        np.divide(targets, d_outputs, out=d_outputs)  # T / clip(P)
        return np.divide(d_outputs, -len(outputs), out=d_outputs)  # −T / (clip(P) N)


def average(losses: Array) -> float:
    """The mean of (N,) numbers, summed in double precision."""
    return float(np.mean(losses, dtype=np.float64))


def softmax_crossentropy(probabilities: Array, targets: Array, out: Array) -> Array:
    """Fill ``out`` with dL/dZ = (P − T) / N, the gradient of categorical cross-entropy through a softmax.

        dL/dZ = P (dL/dP − Σ dL/dP P) with dL/dP = −T / (P N), and Σ T = 1 in a row

    Arrays are (N, C). Source: Kinsley and Kukieła 2020, chapter 9.
    """
    np.subtract(probabilities, targets, out=out)  # P − T
    return np.divide(out, len(out), out=out)  # (P − T) / N


def fused(last: Layer, loss: Loss) -> Callable[[Array, Array, Array], Array] | None:
    """The gradient through a last layer and its loss at once, where the two make a shorter formula together."""
    if isinstance(last, Softmax) and isinstance(loss, CategoricalCrossentropy):
        return softmax_crossentropy
    return None
