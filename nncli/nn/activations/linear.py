"""The identity activation."""

from nncli.nn.layers.layer import Layer
from nncli.nn.parameters import Array
from nncli.registry import register


@register("linear", alias="Activation_Linear")
class Linear(Layer):
    """Identity: returns its inputs; as the last layer it marks the unbounded outputs of a regression.

        Y = X                                 X, Y (N, M)
        dL/dX = dL/dY

    Source: Kinsley and Kukieła 2020, chapter 17.
    """

    def forward(self, inputs: Array, training: bool = False) -> Array:
        """Y = X, the same array."""
        self.inputs = inputs
        return inputs

    def backward(self, grad: Array) -> Array:
        """dL/dX = dL/dY, the same array."""
        return grad
