"""Switching units off at random while training, so that none relies on another."""

import numpy as np

from nncli.nn.kernels.dropout_mask import Random, fill_dropout_mask
from nncli.nn.layers.layer import Layer
from nncli.nn.parameters import Array
from nncli.registry import UnitInterval, register


@register("dropout", alias="Layer_Dropout")
class Dropout(Layer):
    """In training each number becomes 0 with probability q; those that stay are scaled up to keep the mean.

        Y = X K / (1 − q)      K (N, M), 1 with probability 1 − q, else 0; drawn at every training pass
        dL/dX = dL/dY K / (1 − q)
        Y = X                  outside training

    This is the inverted form: the scaling is done in training, so that inference needs none.

    Args:
        rate (q): the share that is switched off; the book's own argument means the same, Keras' too.

    Source: Srivastava et al. 2014, section 10, inverted; Kinsley and Kukieła 2020, chapter 15.
    """

    stochastic = True
    default_initializer_of_previous = None

    def __init__(self, rate: UnitInterval) -> None:
        self.rate = rate
        self.rng: Random | None = None

    def set_rng(self, rng: Random) -> None:
        """Draw the masks from this stream from now on."""
        self.rng = rng

    def forward(self, inputs: Array, training: bool = False) -> Array:
        """Y = X K / (1 − q) in training, X outside."""
        if inputs is not self.inputs:
            self.bind_inputs(inputs)
        self.mask = self.data_matches_config(*inputs.shape) if training and self.rate else None
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

    def data_matches_config(self, rows: int, columns: int) -> Array:
        if self.rng is None:
            raise ValueError("a dropout layer needs set_rng(rng) before a training pass")
        mask = self.buffer["mask", rows, columns]
        fill_dropout_mask(self.rng, 1 - self.rate, mask)  # K
        return np.divide(mask, 1 - self.rate, out=mask)  # K / (1 − q)
