"""Activations in the shape of an S, which squeeze every number between two ends."""

import numpy as np

from nncli.nn.layers.layer import Layer
from nncli.nn.parameters import Array
from nncli.registry import register

MAX_EXPONENT = {np.float32: 88.0, np.float64: 709.0}  # exp of more is infinite in this format


@register("tanh")
class Tanh(Layer):
    """Every number is squeezed into −1 … 1, the sign kept.

        Y = tanh X                            X, Y (N, M)
        dL/dX = dL/dY (1 − Y²)

    Far from 0 the slope vanishes, and with it the gradient of everything below.

    Source: LeCun et al. 1998, "Efficient BackProp", section 4.4, there with a scale.
    """

    def forward(self, inputs: Array, training: bool = False) -> Array:
        """Y = tanh X."""
        if inputs is not self.inputs:
            self.bind_inputs(inputs)
        return np.tanh(inputs, out=self.outputs)

    def backward(self, grad: Array) -> Array:
        """dL/dX = dL/dY (1 − Y²)."""
        np.multiply(self.outputs, self.outputs, out=self.d_inputs)  # Y²
        np.subtract(1, self.d_inputs, out=self.d_inputs)  # 1 − Y²
        return np.multiply(grad, self.d_inputs, out=self.d_inputs)


@register("sigmoid", alias="Activation_Sigmoid")
class Sigmoid(Layer):
    """Every number is squeezed into 0 … 1: the probability of a yes whose log-odds it is.

        Y = 1 / (1 + exp(−X))                 X, Y (N, M)
        dL/dX = dL/dY (1 − Y) Y

    −X is held below where exp would overflow; Y is smaller there than any probability that matters.

    Source: Kinsley and Kukieła 2020, chapter 16.
    """

    def forward(self, inputs: Array, training: bool = False) -> Array:
        """Y = 1 / (1 + exp(−X))."""
        if inputs is not self.inputs:
            self.bind_inputs(inputs)
        np.negative(inputs, out=self.outputs)  # −X
        np.minimum(self.outputs, MAX_EXPONENT[inputs.dtype.type], out=self.outputs)
        np.exp(self.outputs, out=self.outputs)  # exp(−X)
        np.add(self.outputs, 1, out=self.outputs)  # 1 + exp(−X)
        return np.reciprocal(self.outputs, out=self.outputs)

    def backward(self, grad: Array) -> Array:
        """dL/dX = dL/dY (1 − Y) Y."""
        np.subtract(1, self.outputs, out=self.d_inputs)  # 1 − Y
        np.multiply(self.d_inputs, self.outputs, out=self.d_inputs)  # (1 − Y) Y
        return np.multiply(grad, self.d_inputs, out=self.d_inputs)
