"""Dropout."""

import numpy as np

from nncli.data.dataset import Random
from nncli.nn.kernels.dropout_mask import fill_dropout_mask
from nncli.nn.layers.layer import Layer
from nncli.nn.parameters import Array
from nncli.registry import UnitInterval, register


@register("dropout", alias="Layer_Dropout")
class Dropout(Layer):
    """Dropout: in training, sets each value to 0 with probability q and scales up the others.

        Y = X K / (1 − q)      K (N, M): mask, 1 with probability 1 − q, else 0; drawn in every training pass
        dL/dX = dL/dY K / (1 − q)
        Y = X                  at inference

    This is inverted dropout: scaling in training keeps the expected value, so that inference needs no scaling.

    Args:
        rate (q): fraction of units dropped, as in Keras and in the book.

    Source: Srivastava et al. 2014, section 10, inverted; Kinsley and Kukieła 2020, chapter 15.
    """

    stochastic = True
    default_initializer_of_previous = None

    def __init__(self, rate: UnitInterval) -> None:
        self.rate = rate
        self.rng: Random | None = None

    def set_rng(self, rng: Random) -> None:
        """Set the random generator of the masks."""
        self.rng = rng

    def forward(self, inputs: Array, training: bool = False) -> Array:
        """Y = X K / (1 − q) in training, Y = X at inference."""
        if inputs is not self.inputs:
            self.bind_inputs(inputs)
        self.mask = self._draw_mask(*inputs.shape) if training and self.rate else None
        if self.mask is None:
            return inputs
        return np.multiply(inputs, self.mask, out=self.outputs)  # X K / (1 − q)

    def backward(self, grad: Array) -> Array:
        """dL/dX = dL/dY K / (1 − q), with the mask of the forward pass."""
        if self.mask is None:
            return grad
        return np.multiply(grad, self.mask, out=self.d_inputs)  # dL/dY K / (1 − q)

    def intermediates(self) -> dict[str, Array]:
        """K / (1 − q), in training."""
        return {} if self.mask is None else {"mask": self.mask}

    def _draw_mask(self, rows: int, columns: int) -> Array:
        if self.rng is None:
            raise ValueError("a dropout layer needs set_rng(rng) before a training pass")
        mask = self.buffer["mask", rows, columns]
        fill_dropout_mask(self.rng, 1 - self.rate, mask)  # K
        return np.divide(mask, 1 - self.rate, out=mask)  # K / (1 − q)
