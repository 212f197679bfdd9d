"""Cross-entropy losses for classification."""

from functools import cache
from typing import Any

import numpy as np

from nncli.nn.activations import Sigmoid, Softmax
from nncli.nn.losses.loss import Loss, row_means
from nncli.nn.parameters import Array
from nncli.registry import register

CLIP = 1e-7  # probabilities are clipped to [CLIP, 1 − CLIP]
SATURATION = 1e-4  # P or 1 − P below this is inaccurate


@register("categorical_crossentropy", alias="Loss_CategoricalCrossentropy")
class CategoricalCrossentropy(Loss):
    """Categorical cross-entropy: negative log-likelihood of the target class.

        L = −log clip(Σ T P)          P (N, C) probabilities, T (N, C) one-hot; sum over the classes
        dL/dP = −T / (clip(P) N)      N from the mean over the rows

    P is clipped to [1e-7, 1 − 1e-7] to avoid infinite logarithms; the gradient ignores the clipping. After a softmax,
    the gradient of both is fused into a shorter formula.

    Source: Kinsley and Kukieła 2020, chapters 5 and 9.
    """

    last_layers = ("softmax",)
    needs_classes = True
    fused_with = Softmax
    fused_formula = "dL/dZ = (P − T) / N"

    def attach(self, dtype: np.dtype[Any]) -> None:
        """Extend ``Loss.attach`` with the clip bounds as 0-d arrays, which are faster than Python floats."""
        super().attach(dtype)
        self.clip_bounds = np.array(CLIP, dtype), np.array(1 - CLIP, dtype)

    def widths(self, classes: int) -> tuple[int, ...]:
        """One output per class."""
        return (classes,)

    def forward(self, outputs: Array, targets: Array) -> Array:
        """L = −log clip(Σ T P)."""
        losses: Array = np.multiply(targets, outputs).dot(ones(outputs.shape[1], outputs.dtype))  # Σ T P
        clip_in_place(losses, *self.clip_bounds)  # clip(Σ T P)
        return np.negative(np.log(losses, out=losses), out=losses)  # −log clip(Σ T P)

    def backward(self, outputs: Array, targets: Array, out: Array) -> Array:
        """dL/dP = −T / (clip(P) N)."""
        np.divide(targets, clip(outputs), out=out)  # T / clip(P)
        return np.divide(out, -float(len(outputs)), out=out)  # −T / (clip(P) N)

    def backward_fused(self, outputs: Array, targets: Array, out: Array) -> Array:
        """Gradient of softmax and loss together, ``fused_formula``.

            dL/dZ = P (dL/dP − Σ dL/dP P) with dL/dP = −T / (P N), and Σ T = 1 in a row

        Source: Kinsley and Kukieła 2020, chapter 9.
        """
        np.subtract(outputs, targets, out=out)  # P − T
        np.divide(out, float(len(outputs)), out=out)  # (P − T) / N
        return out

    def clipped(self, outputs: Array, targets: Array) -> Array:
        """Rows in which the probability of the target class is clipped."""
        probabilities: Array = np.sum(targets * outputs, axis=1)
        return np.not_equal(clip(probabilities), probabilities)


@register("binary_crossentropy", alias="Loss_BinaryCrossentropy")
class BinaryCrossentropy(Loss):
    """Binary cross-entropy: negative log-likelihood of independent binary targets, averaged over the outputs.

        L = −(1/M) Σ (T log clip(P) + (1 − T) log(1 − clip(P)))       P (N, M) probabilities of 1, T (N, M) 0 or 1
        dL/dP = −(T / clip(P) − (1 − T) / (1 − clip(P))) / (M N)      N from the mean over the rows

    One output distinguishes two classes; with one output per class, each predicts its class independently. P is clipped
    to [1e-7, 1 − 1e-7], whose upper bound is 1 − 1.19e-7 in float32, so that a loss is at most 15.94 there instead of
    16.12; the gradient ignores the clipping. After a sigmoid, the gradient of both is fused into a shorter formula.

    Source: Kinsley and Kukieła 2020, chapter 16.
    """

    last_layers = ("sigmoid",)
    needs_classes = True
    fused_with = Sigmoid
    fused_formula = "dL/dZ = (P − T) / (M N)"

    def forward(self, outputs: Array, targets: Array) -> Array:
        """L = −(1/M) Σ (T log clip(P) + (1 − T) log(1 − clip(P)))."""
        clipped = clip(outputs)  # clip(P)
        return np.negative(row_means(targets * np.log(clipped) + (1 - targets) * np.log(1 - clipped)))

    def backward(self, outputs: Array, targets: Array, out: Array) -> Array:
        """dL/dP = −(T / clip(P) − (1 − T) / (1 − clip(P))) / (M N)."""
        clipped = clip(outputs)
        np.subtract(targets / clipped, (1 - targets) / (1 - clipped), out=out)  # T / clip(P) − (1 − T) / (1 − clip(P))
        return np.divide(out, -float(outputs.size), out=out)

    def backward_fused(self, outputs: Array, targets: Array, out: Array) -> Array:
        """Gradient of sigmoid and loss together, ``fused_formula``.

            dL/dZ = dL/dP (1 − P) P with dL/dP = −(T / P − (1 − T) / (1 − P)) / (M N)

        Source: Bishop 2006, equation 4.91; the book multiplies the two gradients.
        """
        np.subtract(outputs, targets, out=out)  # P − T
        np.divide(out, float(outputs.size), out=out)  # (P − T) / (M N)
        return out

    def clipped(self, outputs: Array, targets: Array) -> Array:
        """Rows in which a probability is clipped, or so close to 0 or 1 that 1 − P is inaccurate."""
        saturated: Array = np.any(np.minimum(outputs, 1 - outputs) < SATURATION, axis=1)
        return saturated


@cache
def ones(count: int, dtype: np.dtype[Any]) -> Array:
    """A vector of ones, always the same one; nobody writes to it."""
    return np.ones(count, dtype)


def clip(probabilities: Array) -> Array:
    """Probabilities p clipped to [1e-7, 1 − 1e-7], so that log p and log(1 − p) are finite."""
    clipped: Array = np.clip(probabilities, CLIP, 1 - CLIP)
    return clipped


def clip_in_place(probabilities: Array, low: Array, high: Array) -> None:
    """Clip in place; for few values this is several times as fast as ``np.clip``."""
    np.maximum(probabilities, low, out=probabilities)
    np.minimum(probabilities, high, out=probabilities)
