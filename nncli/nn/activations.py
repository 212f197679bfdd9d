"""What bends a network: functions of each number, or of each row."""

import numpy as np

from nncli.nn.layer import Layer
from nncli.nn.parameters import Array
from nncli.registry import register


@register("relu", alias="Activation_ReLU")
class ReLU(Layer):
    """Negative numbers become 0, the others stay.

        Y = max(X, 0)                         X, Y (N, M)
        dL/dX = dL/dY where X > 0, else 0

    At the kink, X = 0, the slope is taken as 0.

    Source: Nair and Hinton 2010; Kinsley and Kukieła 2020, chapters 4 and 9.
    """

    initializer_before = "he"

    def forward(self, inputs: Array, training: bool = False) -> Array:
        """Y = max(X, 0), against an array of zeros: four times as fast as against the number."""
        self.outputs = self.buffer["outputs", *inputs.shape]
        return np.maximum(inputs, self.buffer["zeros", *inputs.shape], out=self.outputs)  # max(X, 0)

    def backward(self, grad: Array) -> Array:
        """dL/dX = dL/dY where Y > 0, which is where X > 0."""
        return np.multiply(grad, self.outputs > 0, out=self.buffer["d_inputs", *grad.shape])  # dL/dY [Y > 0]


@register("softmax", alias="Activation_Softmax")
class Softmax(Layer):
    """Each row becomes probabilities: positive, and 1 in sum.

        P = exp(Z − max Z) / Σ exp(Z − max Z)         Z, P (N, C), maximum and sum over a row
        dL/dZ = P (dL/dP − Σ dL/dP P)                 the sum over a row

    The maximum is subtracted first, so that exp never overflows; P does not depend on it. The gradient is the
    Jacobian diag(p) − p pᵀ of each row times that row of dL/dP, without ever building the Jacobian.

    Source: Kinsley and Kukieła 2020, chapters 4 and 9.
    """

    def forward(self, inputs: Array, training: bool = False) -> Array:
        """P = softmax(Z)."""
        self.outputs = self.buffer["outputs", *inputs.shape]
        softmax(inputs, self.outputs, self.buffer["reduced", len(inputs), 1])
        return self.outputs

    def backward(self, grad: Array) -> Array:
        """dL/dZ = P (dL/dP − Σ dL/dP P)."""
        d_inputs, sums = self.buffer["d_inputs", *grad.shape], self.buffer["reduced", len(grad), 1]
        np.multiply(grad, self.outputs, out=d_inputs)  # dL/dP P
        np.add.reduce(d_inputs, axis=1, keepdims=True, out=sums)  # Σ dL/dP P
        np.subtract(grad, sums, out=d_inputs)  # dL/dP − Σ dL/dP P
        return np.multiply(self.outputs, d_inputs, out=d_inputs)  # P (dL/dP − Σ dL/dP P)


def softmax(logits: Array, out: Array, reduced: Array) -> None:
    """Fill ``out`` (N, C) with exp(Z − max Z) / Σ exp(Z − max Z); ``reduced`` (N, 1) is scratch."""
    np.maximum.reduce(logits, axis=1, keepdims=True, out=reduced)  # max Z
    np.subtract(logits, reduced, out=out)  # Z − max Z
    np.exp(out, out=out)  # exp(Z − max Z)
    np.add.reduce(out, axis=1, keepdims=True, out=reduced)  # Σ exp(Z − max Z)
    np.divide(out, reduced, out=out)
