"""The activation that changes nothing."""

from nncli.nn.layers.layer import Layer
from nncli.nn.parameters import Array
from nncli.registry import register


@register("linear", alias="Activation_Linear")
class Linear(Layer):
    """Every number stays as it is; written last, it says that the outputs are numbers of any size.

        Y = X                                 X, Y (N, M)
        dL/dX = dL/dY

    Source: Kinsley and Kukieła 2020, chapter 17.
    """

    def forward(self, inputs: Array, training: bool = False) -> Array:
        """Y = X, the very array."""
        self.inputs = inputs
        return inputs

    def backward(self, grad: Array) -> Array:
        """dL/dX = dL/dY, the very array."""
        return grad
