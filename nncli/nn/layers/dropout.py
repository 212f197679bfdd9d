"""Dropout."""

import numpy as np

from nncli.data.dataset import Random
from nncli.nn.kernels.dropout_mask import fill_dropout_mask
from nncli.nn.kernels.memory import ArraySpec
from nncli.nn.layers.layer import Layer, PassSpec
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
    in_place = True

    mask: Array

    def __init__(self, rate: UnitInterval) -> None:
        self.rate = rate
        self.rng: Random | None = None

    def set_rng(self, rng: Random) -> None:
        """Set the random generator of the masks."""
        self.rng = rng

    def is_identity(self, training: bool) -> bool:
        """At inference, or if nothing is dropped."""
        return not (training and self.rate)

    def scratch(self, spec: PassSpec, inputs: int) -> dict[str, ArraySpec]:
        """K / (1 − q) (N, M)."""
        return {} if self.is_identity(spec.training) else {"mask": ArraySpec(spec.rows, inputs)}

    def forward(self) -> Array:
        """Y = X K / (1 − q) in training, Y = X at inference."""
        if self.is_identity(self.training):
            return self.outputs
        self.draw()
        return np.multiply(self.inputs, self.mask, out=self.outputs)  # X K / (1 − q)

    def backward(self) -> Array:
        """dL/dX = dL/dY K / (1 − q), with the mask of the forward pass."""
        if self.is_identity(self.training):
            return self.d_inputs
        return np.multiply(self.d_outputs, self.mask, out=self.d_inputs)  # dL/dY K / (1 − q)

    def draw(self) -> None:
        """Draw K, and fill the mask with K / (1 − q)."""
        self.fill(self.mask)

    def fill(self, mask: Array) -> None:
        """Draw K, and fill an array (N, M) with K / (1 − q)."""
        if self.rng is None:
            raise ValueError("a dropout layer needs set_rng(rng) before a training pass")
        fill_dropout_mask(self.rng, 1 - self.rate, mask)  # K
        np.divide(mask, 1 - self.rate, out=mask)  # K / (1 − q)

    def intermediates(self) -> dict[str, Array]:
        """K / (1 − q), in training."""
        return {} if self.is_identity(self.training) else {"mask": self.mask}
