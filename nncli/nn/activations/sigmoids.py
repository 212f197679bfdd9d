"""Sigmoidal activations: tanh and the logistic sigmoid."""

import numpy as np

from nncli.nn.layers.layer import Layer
from nncli.nn.parameters import Array
from nncli.registry import register

MAX_EXPONENT = {np.float32: 88.0, np.float64: 709.0}  # exp overflows above


@register("tanh")
class Tanh(Layer):
    """Hyperbolic tangent: maps each value to (−1, 1).

        Y = tanh X                            X, Y (N, M)
        dL/dX = dL/dY (1 − Y²)

    It saturates: far from 0 the derivative vanishes, and with it the gradient of all earlier layers.

    Source: LeCun et al. 1998, "Efficient BackProp", section 4.4, who scales it.
    """

    in_place = needs_outputs = True

    def forward(self) -> Array:
        """Y = tanh X."""
        return np.tanh(self.inputs, out=self.outputs)

    def backward(self) -> Array:
        """dL/dX = dL/dY (1 − Y²)."""
        np.multiply(self.outputs, self.outputs, out=self.d_inputs)  # Y²
        np.subtract(1, self.d_inputs, out=self.d_inputs)  # 1 − Y²
        return np.multiply(self.d_outputs, self.d_inputs, out=self.d_inputs)


@register("sigmoid", alias="Activation_Sigmoid")
class Sigmoid(Layer):
    """Logistic sigmoid: maps each value (a logit) to a probability in (0, 1).

        Y = 1 / (1 + exp(−X))                 X, Y (N, M)
        dL/dX = dL/dY (1 − Y) Y

    −X is clipped to where exp does not overflow; Y is negligible there.

    Source: Kinsley and Kukieła 2020, chapter 16.
    """

    in_place = needs_outputs = True

    def forward(self) -> Array:
        """Y = 1 / (1 + exp(−X))."""
        np.negative(self.inputs, out=self.outputs)  # −X
        np.minimum(self.outputs, MAX_EXPONENT[self.inputs.dtype.type], out=self.outputs)
        np.exp(self.outputs, out=self.outputs)  # exp(−X)
        np.add(self.outputs, 1, out=self.outputs)  # 1 + exp(−X)
        return np.reciprocal(self.outputs, out=self.outputs)

    def backward(self) -> Array:
        """dL/dX = dL/dY (1 − Y) Y."""
        np.subtract(1, self.outputs, out=self.d_inputs)  # 1 − Y
        np.multiply(self.d_inputs, self.outputs, out=self.d_inputs)  # (1 − Y) Y
        return np.multiply(self.d_outputs, self.d_inputs, out=self.d_inputs)
