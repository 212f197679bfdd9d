"""Loss functions for regression."""

import numpy as np

from nncli.nn.losses.loss import Loss, row_means
from nncli.nn.parameters import Array
from nncli.registry import register


@register("mean_squared_error", alias="Loss_MeanSquaredError")
class MeanSquaredError(Loss):
    """Mean squared error, averaged over the outputs.

        L = (1/M) Σ (P − T)²              P, T (N, M)
        dL/dP = 2 (P − T) / (M N)         N from the mean over the rows

    There is no factor ½, so the gradient has a factor 2. On class probabilities it is the Brier score divided by M.

    Source: Kinsley and Kukieła 2020, chapter 17.
    """

    def forward(self, outputs: Array, targets: Array) -> Array:
        """L = (1/M) Σ (P − T)²."""
        return row_means(np.square(outputs - targets))

    def backward(self, outputs: Array, targets: Array, out: Array) -> Array:
        """dL/dP = 2 (P − T) / (M N)."""
        np.subtract(outputs, targets, out=out)  # P − T
        return np.multiply(out, 2 / outputs.size, out=out)  # 2 (P − T) / (M N)


@register("mean_absolute_error", alias="Loss_MeanAbsoluteError")
class MeanAbsoluteError(Loss):
    """Mean absolute error, averaged over the outputs.

        L = (1/M) Σ |P − T|               P, T (N, M)
        dL/dP = sign(P − T) / (M N)       sign(0) = 0; N from the mean over the rows

    At the kink, P = T, the derivative is taken as 0. The book prints sign(T − P), which would maximize the loss.

    Source: Kinsley and Kukieła 2020, chapter 17, with the sign corrected.
    """

    def forward(self, outputs: Array, targets: Array) -> Array:
        """L = (1/M) Σ |P − T|."""
        return row_means(np.abs(outputs - targets))

    def backward(self, outputs: Array, targets: Array, out: Array) -> Array:
        """dL/dP = sign(P − T) / (M N)."""
        np.subtract(outputs, targets, out=out)  # P − T
        np.sign(out, out=out)  # sign(P − T)
        return np.divide(out, float(outputs.size), out=out)  # sign(P − T) / (M N)

    def kink_distances(self, outputs: Array, targets: Array) -> Array:
        """P − T."""
        return np.subtract(outputs, targets)
