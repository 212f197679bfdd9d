"""Activations that let positive numbers through: ReLU and its kin."""

from typing import Literal

import numpy as np

from nncli.nn.kernels.buffers import bit_pattern
from nncli.nn.kernels.erf import normal_cdf, normal_pdf, tanh_normal_cdf, tanh_normal_cdf_derivative
from nncli.nn.layers.layer import NO_INPUT, Layer
from nncli.nn.parameters import Array
from nncli.registry import Positive, UnitInterval, register

FAR = -4  # below it Y + α is off by 27 ulp and more; exp of every X takes as long as the rest of both passes


@register("relu", alias="Activation_ReLU")
class ReLU(Layer):
    """Negative numbers become 0, the others stay.

        Y = max(X, 0)                         X, Y (N, M)
        dL/dX = dL/dY where X > 0, else 0

    At the kink, X = 0, the slope is taken as 0.

    Source: Nair and Hinton 2010; Kinsley and Kukieła 2020, chapters 4 and 9.
    """

    default_initializer_of_previous = "he"

    def bind_inputs(self, inputs: Array) -> None:
        """And zeros (N, M): max(X, 0) of 300 × 64 numbers takes 1.5 µs against an array, 6 against a number."""
        super().bind_inputs(inputs)
        self.zeros = self.buffer["zeros", *inputs.shape]
        self.output_pattern, self.d_input_pattern = bit_pattern(self.outputs), bit_pattern(self.d_inputs)
        self.grad = NO_INPUT

    def forward(self, inputs: Array, training: bool = False) -> Array:
        """Y = max(X, 0)."""
        if inputs is not self.inputs:
            self.bind_inputs(inputs)
        return np.maximum(inputs, self.zeros, out=self.outputs)  # max(X, 0)

    def backward(self, grad: Array) -> Array:
        """dL/dX = dL/dY where Y > 0, which is where X > 0."""
        if grad is not self.grad:
            self.grad, self.grad_pattern = grad, bit_pattern(grad)
        gradient_where_positive(self.grad_pattern, self.output_pattern, self.d_input_pattern)
        return self.d_inputs

    def kink_distances(self) -> Array:
        """X."""
        return self.inputs


@register("leaky_relu")
class LeakyReLU(Layer):
    """Negative numbers shrink, the others stay; unlike a ReLU it lets some gradient through everywhere.

        Y = max(X, αX)                        X, Y (N, M)
        dL/dX = dL/dY where X > 0, else α dL/dY

    At the kink, X = 0, the slope is taken as α.

    Args:
        slope (α): what negative numbers are multiplied by.

    Source: Maas, Hannun and Ng 2013, with α = 0.01; Keras' default is 0.3.
    """

    default_initializer_of_previous = "he"

    def __init__(self, slope: UnitInterval = 0.01) -> None:
        self.slope = slope

    def forward(self, inputs: Array, training: bool = False) -> Array:
        """Y = max(X, αX)."""
        if inputs is not self.inputs:
            self.bind_inputs(inputs)
        np.multiply(inputs, self.slope, out=self.outputs)  # αX
        return np.maximum(inputs, self.outputs, out=self.outputs)

    def backward(self, grad: Array) -> Array:
        """dL/dX = dL/dY where X > 0, else α dL/dY."""
        np.maximum(self.inputs > 0, self.slope, out=self.d_inputs)  # 1 where X > 0, else α
        return np.multiply(grad, self.d_inputs, out=self.d_inputs)

    def kink_distances(self) -> Array:
        """X."""
        return self.inputs


@register("elu")
class ELU(Layer):
    """Positive numbers stay; the others bend smoothly towards a floor, so that the mean stays near 0.

        Y = X where X > 0, else α (exp X − 1)                      X, Y (N, M)
        dL/dX = dL/dY where X > 0, else dL/dY α exp X

    The floor is −α. With α = 1 the slope is the same on both sides of 0, else there is a kink.

    Args:
        alpha (α): how far below 0 the floor is.

    Source: Clevert, Unterthiner and Hochreiter 2016, arXiv:1511.07289, section 3.
    """

    default_initializer_of_previous = "he"

    def __init__(self, alpha: Positive = 1.0) -> None:
        self.alpha = alpha

    def bind_inputs(self, inputs: Array) -> None:
        """And the part of Y that is below 0 (N, M)."""
        super().bind_inputs(inputs)
        self.zeros, self.below = (self.buffer[name, *inputs.shape] for name in ("zeros", "below"))

    def forward(self, inputs: Array, training: bool = False) -> Array:
        """Y = X where X > 0, else α (exp X − 1)."""
        if inputs is not self.inputs:
            self.bind_inputs(inputs)
        np.minimum(inputs, self.zeros, out=self.below)  # exp is asked of no positive number
        np.expm1(self.below, out=self.below)  # exp X − 1, and 0 where X > 0
        if self.alpha != 1:
            np.multiply(self.below, self.alpha, out=self.below)
        np.maximum(inputs, self.zeros, out=self.outputs)  # X, and 0 where X ≤ 0
        return np.add(self.outputs, self.below, out=self.outputs)

    def backward(self, grad: Array) -> Array:
        """dL/dX = dL/dY where X > 0, else dL/dY α exp X, which is Y + α."""
        np.add(self.below, self.alpha, out=self.d_inputs)  # α exp X, and α where X > 0
        if self.alpha != 1:
            np.add(self.d_inputs, (self.inputs > 0) * (1 - self.alpha), out=self.d_inputs)  # 1 where X > 0
        far = np.flatnonzero(self.inputs.T < FAR)
        if len(far):  # Y + α loses its digits there: all of them in float32 at −17
            self.d_inputs.T.reshape(-1)[far] = self.alpha * np.exp(self.inputs.T.reshape(-1)[far])
        return np.multiply(grad, self.d_inputs, out=self.d_inputs)

    def kink_distances(self) -> Array | None:
        """X, where the slopes of the two sides differ."""
        return self.inputs if self.alpha != 1 else None


@register("gelu")
class GELU(Layer):
    """Each number times the probability that a standard normal one is smaller: a ReLU without a corner.

        Y = X Φ(X)                            Φ, φ: distribution and density of the standard normal; X, Y (N, M)
        dL/dX = dL/dY (Φ(X) + X φ(X))
        Φ(X) ≈ ½ (1 + tanh U)                 where approximate is tanh, U = √(2/π) (X + 0.044715 X³)
        φ(X) ≈ ½ (1 − tanh² U) dU/dX

    Many models were trained with the form with tanh; it differs by up to 5e-4.

    Args:
        approximate: none for Φ itself, tanh for the form with tanh.

    Source: Hendrycks and Gimpel 2016, arXiv:1606.08415, section 2.
    """

    default_initializer_of_previous = "he"

    def __init__(self, approximate: Literal["none", "tanh"] = "none") -> None:
        self.approximate = approximate

    def bind_inputs(self, inputs: Array) -> None:
        """And Φ(X) (N, M)."""
        super().bind_inputs(inputs)
        self.share = self.buffer["share", *inputs.shape]

    def forward(self, inputs: Array, training: bool = False) -> Array:
        """Y = X Φ(X)."""
        if inputs is not self.inputs:
            self.bind_inputs(inputs)
        if self.approximate == "tanh":
            tanh_normal_cdf(inputs, self.share)  # ½ (1 + tanh U)
        else:
            normal_cdf(inputs, self.share)  # Φ(X)
        return np.multiply(inputs, self.share, out=self.outputs)  # X Φ(X)

    def backward(self, grad: Array) -> Array:
        """dL/dX = dL/dY (Φ(X) + X dΦ/dX)."""
        if self.approximate == "tanh":
            tanh_normal_cdf_derivative(self.inputs, self.share, self.d_inputs)  # ½ (1 − tanh² U) dU/dX
        else:
            normal_pdf(self.inputs, self.d_inputs)  # φ(X)
        np.multiply(self.inputs, self.d_inputs, out=self.d_inputs)  # X φ(X)
        np.add(self.share, self.d_inputs, out=self.d_inputs)  # Φ(X) + X φ(X)
        return np.multiply(grad, self.d_inputs, out=self.d_inputs)


def gradient_where_positive(grad: Array, outputs: Array, out: Array) -> None:
    """Fill ``out`` with dL/dY [Y ≠ 0] (N, M), Y being max(X, 0); all three are bit_pattern, read as whole numbers.

    So read, Y is 0 where it is 0.0 and else more, NaN too, and its sign is [Y ≠ 0]; and bit_pattern times 1 or 0 are the same
    bit_pattern or none. Of 300 × 64 numbers this takes 2.0 µs, a product with an array of True and False 4.4.
    """
    np.sign(outputs, out=out)  # [Y ≠ 0]
    np.multiply(grad, out, out=out)  # dL/dY [Y ≠ 0]
