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

    def is_identity(self, training: bool) -> bool:
        """Always."""
        return True

    def forward(self) -> Array:
        """Y = X, the same array."""
        return self.outputs

    def backward(self) -> Array:
        """dL/dX = dL/dY, the same array."""
        return self.d_inputs
