"""How wrong a network is, in one number a row, and which way each output should move."""

from typing import Any, ClassVar

import numpy as np

from nncli.nn.activations import Sigmoid, Softmax
from nncli.nn.buffers import Buffers
from nncli.nn.layer import NOTHING, Layer
from nncli.nn.parameters import Array
from nncli.registry import kind, register

CLIP = 1e-7
EDGE = 1e-4


@kind("loss")
class Loss:
    """A number for each row of outputs (N, M) held against its target; training makes their mean small.

    What ``backward`` and ``backward_fused`` return belongs to the loss until the next call of either. As in a layer,
    arrays are looked up by ``arrange`` when the outputs are another array than before.
    """

    last_layers: ClassVar[tuple[str, ...]] = ()  # the types that may come last; empty: any
    needs_classes: ClassVar[bool] = False
    fused_with: ClassVar[type[Layer] | None] = None  # the last layer together with which it has a shorter gradient

    def attach(self, dtype: np.dtype[Any]) -> None:
        """Make the workspace."""
        self.buffer = Buffers(dtype)
        self.outputs = NOTHING
        self.ends = np.array(CLIP, dtype), np.array(1 - CLIP, dtype)  # as arrays they are taken in half the time

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

    def arrange(self, outputs: Array) -> None:
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

    def margins(self, outputs: Array, targets: Array) -> Array | None:
        """How far each output lies from the loss's kink, signed; None where it has none."""
        return None

    def clipped(self, outputs: Array, targets: Array) -> Array:
        """Which rows (N,) have an output that ``forward`` clips and ``backward`` does not: their slopes say nothing."""
        return np.zeros(len(outputs), np.bool_)


@register("categorical_crossentropy", alias="Loss_CategoricalCrossentropy")
class CategoricalCrossentropy(Loss):
    """Minus the logarithm of the probability that a row gives to its own class.

        L = −log clip(Σ T P)          P (N, C) probabilities, T (N, C) one-hot; a row's sum
        dL/dP = −T / (clip(P) N)      N from the mean over the rows

    P is clipped to [1e-7, 1 − 1e-7], so that no logarithm is infinite; the gradient passes through the clip as if
    it were not there. Behind a softmax the two gradients shrink to (P − T) / N.

    Source: Kinsley and Kukieła 2020, chapters 5 and 9.
    """

    last_layers = ("softmax",)
    needs_classes = True
    fused_with = Softmax

    def widths(self, classes: int) -> tuple[int, ...]:
        """One for each class."""
        return (classes,)

    def arrange(self, outputs: Array) -> None:
        """And the products T P (N, C), with what sums them."""
        super().arrange(outputs)
        rows, columns = outputs.shape
        self.products, self.ones = self.buffer["products", rows, columns], self.buffer["ones", columns, 1][:, 0]

    def forward(self, outputs: Array, targets: Array) -> Array:
        """L = −log clip(Σ T P)."""
        if outputs is not self.outputs:
            self.arrange(outputs)
        np.multiply(targets, outputs, out=self.products)  # T P
        losses: Array = self.products.dot(self.ones)  # Σ T P
        clip_in_place(losses, *self.ends)  # clip(Σ T P)
        return np.negative(np.log(losses, out=losses), out=losses)  # −log clip(Σ T P)

    def backward(self, outputs: Array, targets: Array) -> Array:
        """dL/dP = −T / (clip(P) N)."""
        if outputs is not self.outputs:
            self.arrange(outputs)
        np.divide(targets, clip(outputs), out=self.d_outputs)  # T / clip(P)
        return np.divide(self.d_outputs, -len(outputs), out=self.d_outputs)  # −T / (clip(P) N)

    def backward_fused(self, outputs: Array, targets: Array) -> Array:
        """dL/dZ = (P − T) / N, through the softmax.

            dL/dZ = P (dL/dP − Σ dL/dP P) with dL/dP = −T / (P N), and Σ T = 1 in a row

        Source: Kinsley and Kukieła 2020, chapter 9.
        """
        if outputs is not self.outputs:
            self.arrange(outputs)
        np.subtract(outputs, targets, out=self.d_outputs)  # P − T
        np.divide(self.d_outputs, self.rows, out=self.d_outputs)  # (P − T) / N
        return self.d_outputs

    def clipped(self, outputs: Array, targets: Array) -> Array:
        """Those whose own class has a probability at an end."""
        own: Array = np.sum(targets * outputs, axis=1)
        return np.not_equal(clip(own), own)


@register("binary_crossentropy", alias="Loss_BinaryCrossentropy")
class BinaryCrossentropy(Loss):
    """Minus the logarithm of the probability that an output gives to its own answer, yes or no; a row's mean.

        L = −(1/M) Σ (T log clip(P) + (1 − T) log(1 − clip(P)))       P (N, M) probabilities of yes, T (N, M) 0 or 1
        dL/dP = −(T / clip(P) − (1 − T) / (1 − clip(P))) / (M N)      N from the mean over the rows

    One output tells two classes apart; with one for each class every output answers for its own, and several may say
    yes. P is clipped to [1e-7, 1 − 1e-7], whose upper end is 1 − 1.19e-7 in float32, so that a loss is at most 15.94
    there instead of 16.12; the gradient passes through the clip as if it were not there. Behind a sigmoid the two
    gradients shrink to (P − T) / (M N).

    Source: Kinsley and Kukieła 2020, chapter 16.
    """

    last_layers = ("sigmoid",)
    needs_classes = True
    fused_with = Sigmoid

    def forward(self, outputs: Array, targets: Array) -> Array:
        """L = −(1/M) Σ (T log clip(P) + (1 − T) log(1 − clip(P)))."""
        sure = clip(outputs)  # clip(P)
        return np.negative(row_means(targets * np.log(sure) + (1 - targets) * np.log(1 - sure)))

    def backward(self, outputs: Array, targets: Array) -> Array:
        """dL/dP = −(T / clip(P) − (1 − T) / (1 − clip(P))) / (M N)."""
        if outputs is not self.outputs:
            self.arrange(outputs)
        sure, slopes = clip(outputs), self.d_outputs
        np.subtract(targets / sure, (1 - targets) / (1 - sure), out=slopes)  # T / clip(P) − (1 − T) / (1 − clip(P))
        return np.divide(slopes, -outputs.size, out=slopes)

    def backward_fused(self, outputs: Array, targets: Array) -> Array:
        """dL/dZ = (P − T) / (M N), through the sigmoid.

            dL/dZ = dL/dP (1 − P) P with dL/dP = −(T / P − (1 − T) / (1 − P)) / (M N)

        Source: Bishop 2006, equation 4.91; the book multiplies the two gradients.
        """
        if outputs is not self.outputs:
            self.arrange(outputs)
        np.subtract(outputs, targets, out=self.d_outputs)  # P − T
        np.divide(self.d_outputs, self.entries, out=self.d_outputs)  # (P − T) / (M N)
        return self.d_outputs

    def clipped(self, outputs: Array, targets: Array) -> Array:
        """Those with any probability at an end, or so near to one that 1 − P keeps few of its digits."""
        ends: Array = np.any(np.minimum(outputs, 1 - outputs) < EDGE, axis=1)
        return ends


@register("mean_squared_error", alias="Loss_MeanSquaredError")
class MeanSquaredError(Loss):
    """The square of how far an output is from its target; a row's mean.

        L = (1/M) Σ (P − T)²              P, T (N, M)
        dL/dP = 2 (P − T) / (M N)         N from the mean over the rows

    There is no ½, so the gradient has a 2. On the probabilities of classes it is Brier's score, divided by M.

    Source: Kinsley and Kukieła 2020, chapter 17.
    """

    def forward(self, outputs: Array, targets: Array) -> Array:
        """L = (1/M) Σ (P − T)²."""
        return row_means(np.square(outputs - targets))

    def backward(self, outputs: Array, targets: Array) -> Array:
        """dL/dP = 2 (P − T) / (M N)."""
        if outputs is not self.outputs:
            self.arrange(outputs)
        np.subtract(outputs, targets, out=self.d_outputs)  # P − T
        return np.multiply(self.d_outputs, 2 / outputs.size, out=self.d_outputs)  # 2 (P − T) / (M N)


@register("mean_absolute_error", alias="Loss_MeanAbsoluteError")
class MeanAbsoluteError(Loss):
    """How far an output is from its target; a row's mean.

        L = (1/M) Σ |P − T|               P, T (N, M)
        dL/dP = sign(P − T) / (M N)       sign(0) = 0; N from the mean over the rows

    At the kink, P = T, the slope is taken as 0. The book prints sign(T − P), which climbs instead of descending.

    Source: Kinsley and Kukieła 2020, chapter 17, the sign put right.
    """

    def forward(self, outputs: Array, targets: Array) -> Array:
        """L = (1/M) Σ |P − T|."""
        return row_means(np.abs(outputs - targets))

    def backward(self, outputs: Array, targets: Array) -> Array:
        """dL/dP = sign(P − T) / (M N)."""
        if outputs is not self.outputs:
            self.arrange(outputs)
        np.subtract(outputs, targets, out=self.d_outputs)  # P − T
        np.sign(self.d_outputs, out=self.d_outputs)  # sign(P − T)
        return np.divide(self.d_outputs, outputs.size, out=self.d_outputs)  # sign(P − T) / (M N)

    def margins(self, outputs: Array, targets: Array) -> Array:
        """P − T."""
        return np.subtract(outputs, targets)


def clip(probabilities: Array) -> Array:
    """Probabilities held in [1e-7, 1 − 1e-7], so that no logarithm of one, or of its rest, is infinite."""
    held: Array = np.clip(probabilities, CLIP, 1 - CLIP)
    return held


def clip_in_place(probabilities: Array, low: Array, high: Array) -> None:
    """What ``clip`` does, in 0.6 µs instead of 2.4 for 300 numbers."""
    np.maximum(probabilities, low, out=probabilities)
    np.minimum(probabilities, high, out=probabilities)


def row_means(numbers: Array) -> Array:
    """The mean (N,) of each row of (N, M) numbers, summed in double precision."""
    return np.asarray(np.mean(numbers, axis=1, dtype=np.float64))


def average(losses: Array) -> float:
    """The mean of (N,) numbers, summed in double precision."""
    return float(np.add.reduce(losses, dtype=np.float64)) / len(losses)


def is_fused(last: Layer, loss: Loss) -> bool:
    """Whether the gradient through a last layer and its loss is taken at once, by a shorter formula."""
    return loss.fused_with is not None and isinstance(last, loss.fused_with)
