"""What bends a network: functions of each number, or of each row."""

from typing import Literal

import numpy as np

from nncli.nn.buffers import bits
from nncli.nn.layer import Layer
from nncli.nn.parameters import Array
from nncli.nn.products import NARROW
from nncli.nn.special import normal_cdf, normal_cdf_by_tanh, normal_pdf, slope_by_tanh
from nncli.registry import Positive, Share, register

LARGEST_EXPONENT = {np.float32: 88.0, np.float64: 709.0}  # exp of more is infinite in this format


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
        self.inputs, self.outputs = inputs, self.buffer["outputs", *inputs.shape]
        return np.maximum(inputs, self.buffer["zeros", *inputs.shape], out=self.outputs)  # max(X, 0)

    def backward(self, grad: Array) -> Array:
        """dL/dX = dL/dY where Y > 0, which is where X > 0."""
        d_inputs, ones = self.buffer["d_inputs", *grad.shape], self.buffer["whole ones", *grad.shape]
        keep_where_positive(grad, self.outputs, ones, d_inputs)
        return d_inputs

    def margins(self) -> Array:
        """X."""
        return self.inputs


@register("leaky_relu")
class LeakyReLU(Layer):
    """Negative numbers shrink, the others stay; unlike a ReLU it lets some gradient through everywhere.

        Y = max(X, αX)                        X, Y (N, M)
        dL/dX = dL/dY where X > 0, else α dL/dY

    At the kink, X = 0, the slope is taken as α.

    Args:
        slope: α, what negative numbers are multiplied by.

    Source: Maas, Hannun and Ng 2013, with α = 0.01; Keras' default is 0.3.
    """

    initializer_before = "he"

    def __init__(self, slope: Share = 0.01) -> None:
        self.slope = slope

    def forward(self, inputs: Array, training: bool = False) -> Array:
        """Y = max(X, αX)."""
        self.inputs, outputs = inputs, self.buffer["outputs", *inputs.shape]
        np.multiply(inputs, self.slope, out=outputs)  # αX
        return np.maximum(inputs, outputs, out=outputs)

    def backward(self, grad: Array) -> Array:
        """dL/dX = dL/dY where X > 0, else α dL/dY."""
        d_inputs = self.buffer["d_inputs", *grad.shape]
        np.maximum(self.inputs > 0, self.slope, out=d_inputs)  # 1 where X > 0, else α
        return np.multiply(grad, d_inputs, out=d_inputs)

    def margins(self) -> Array:
        """X."""
        return self.inputs


@register("elu")
class ELU(Layer):
    """Positive numbers stay; the others bend smoothly towards a floor, so that the mean stays near 0.

        Y = X where X > 0, else α (exp X − 1)                      X, Y (N, M)
        dL/dX = dL/dY where X > 0, else dL/dY (Y + α)

    The floor is −α. With α = 1 the slope is the same on both sides of 0, else there is a kink.

    Args:
        alpha: α, how far below 0 the floor is.

    Source: Clevert, Unterthiner and Hochreiter 2016, arXiv:1511.07289, section 3.
    """

    initializer_before = "he"

    def __init__(self, alpha: Positive = 1.0) -> None:
        self.alpha = alpha

    def forward(self, inputs: Array, training: bool = False) -> Array:
        """Y = X where X > 0, else α (exp X − 1)."""
        self.inputs, self.outputs = inputs, self.buffer["outputs", *inputs.shape]
        zeros, below = self.buffer["zeros", *inputs.shape], self.buffer["below", *inputs.shape]
        np.minimum(inputs, zeros, out=below)  # exp is asked of no positive number
        np.expm1(below, out=below)  # exp X − 1, and 0 where X > 0
        np.multiply(below, self.alpha, out=below)
        np.maximum(inputs, zeros, out=self.outputs)  # X, and 0 where X ≤ 0
        return np.add(self.outputs, below, out=self.outputs)

    def backward(self, grad: Array) -> Array:
        """dL/dX = dL/dY where X > 0, else dL/dY (Y + α)."""
        d_inputs = self.buffer["d_inputs", *grad.shape]
        np.add(self.outputs, self.alpha, out=d_inputs)  # Y + α = α exp X
        return np.multiply(grad, np.where(self.inputs > 0, 1, d_inputs), out=d_inputs)

    def margins(self) -> Array | None:
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

    initializer_before = "he"

    def __init__(self, approximate: Literal["none", "tanh"] = "none") -> None:
        self.approximate = approximate

    def forward(self, inputs: Array, training: bool = False) -> Array:
        """Y = X Φ(X)."""
        self.inputs, share = inputs, self.buffer["share", *inputs.shape]
        if self.approximate == "tanh":
            normal_cdf_by_tanh(inputs, share)  # ½ (1 + tanh U)
        else:
            normal_cdf(inputs, share)  # Φ(X)
        return np.multiply(inputs, share, out=self.buffer["outputs", *inputs.shape])  # X Φ(X)

    def backward(self, grad: Array) -> Array:
        """dL/dX = dL/dY (Φ(X) + X dΦ/dX)."""
        share, d_inputs = self.buffer["share", *grad.shape], self.buffer["d_inputs", *grad.shape]
        if self.approximate == "tanh":
            slope_by_tanh(self.inputs, share, d_inputs)  # ½ (1 − tanh² U) dU/dX
        else:
            normal_pdf(self.inputs, d_inputs)  # φ(X)
        np.multiply(self.inputs, d_inputs, out=d_inputs)  # X φ(X)
        np.add(share, d_inputs, out=d_inputs)  # Φ(X) + X φ(X)
        return np.multiply(grad, d_inputs, out=d_inputs)


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
        self.outputs = self.buffer["outputs", *inputs.shape]
        return np.tanh(inputs, out=self.outputs)

    def backward(self, grad: Array) -> Array:
        """dL/dX = dL/dY (1 − Y²)."""
        d_inputs = self.buffer["d_inputs", *grad.shape]
        np.multiply(self.outputs, self.outputs, out=d_inputs)  # Y²
        np.subtract(1, d_inputs, out=d_inputs)  # 1 − Y²
        return np.multiply(grad, d_inputs, out=d_inputs)


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
        self.outputs = self.buffer["outputs", *inputs.shape]
        np.negative(inputs, out=self.outputs)  # −X
        np.minimum(self.outputs, LARGEST_EXPONENT[inputs.dtype.type], out=self.outputs)
        np.exp(self.outputs, out=self.outputs)  # exp(−X)
        np.add(self.outputs, 1, out=self.outputs)  # 1 + exp(−X)
        return np.reciprocal(self.outputs, out=self.outputs)

    def backward(self, grad: Array) -> Array:
        """dL/dX = dL/dY (1 − Y) Y."""
        d_inputs = self.buffer["d_inputs", *grad.shape]
        np.subtract(1, self.outputs, out=d_inputs)  # 1 − Y
        np.multiply(d_inputs, self.outputs, out=d_inputs)  # (1 − Y) Y
        return np.multiply(grad, d_inputs, out=d_inputs)


@register("linear", alias="Activation_Linear")
class Linear(Layer):
    """Every number stays as it is; written last, it says that the outputs are numbers of any size.

        Y = X                                 X, Y (N, M)
        dL/dX = dL/dY

    Source: Kinsley and Kukieła 2020, chapter 17.
    """

    def forward(self, inputs: Array, training: bool = False) -> Array:
        """Y = X, the very array."""
        return inputs

    def backward(self, grad: Array) -> Array:
        """dL/dX = dL/dY, the very array."""
        return grad


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
        rows, columns = inputs.shape
        self.outputs, copies = self.buffer["outputs", rows, columns], columns if columns <= NARROW else 1
        scratch = self.buffer["reduced", rows, 1], self.buffer["sums", rows, copies]
        softmax(inputs, self.outputs, self.buffer["ones", columns, copies], *scratch)
        return self.outputs

    def backward(self, grad: Array) -> Array:
        """dL/dZ = P (dL/dP − Σ dL/dP P)."""
        d_inputs, sums = self.buffer["d_inputs", *grad.shape], self.buffer["reduced", len(grad), 1]
        np.multiply(grad, self.outputs, out=d_inputs)  # dL/dP P
        np.add.reduce(d_inputs, axis=1, keepdims=True, out=sums)  # Σ dL/dP P
        np.subtract(grad, sums, out=d_inputs)  # dL/dP − Σ dL/dP P
        return np.multiply(self.outputs, d_inputs, out=d_inputs)  # P (dL/dP − Σ dL/dP P)


def keep_where_positive(grad: Array, outputs: Array, ones: Array, out: Array) -> None:
    """Fill ``out`` with dL/dY [Y > 0] (N, M), Y not being negative.

    Read as whole numbers, Y is 0 where it is 0.0 and else more than 0, so that min(Y, 1) is [Y > 0]; and bits times 1
    or 0 are the same bits or none. Of 300 × 64 numbers this takes 4.3 µs, a product with an array of True and False
    6.6. The bits of ``ones`` are the whole number 1.
    """
    chosen = bits(out)
    np.minimum(bits(outputs), bits(ones), out=chosen)  # [Y > 0]
    np.multiply(bits(grad), chosen, out=chosen)  # dL/dY [Y > 0]


def softmax(logits: Array, out: Array, ones: Array, largest: Array, sums: Array) -> None:
    """Fill ``out`` (N, C) with exp(Z − max Z) / Σ exp(Z − max Z).

    The sum of each row is a product with ``ones`` (C, C) or (C, 1); with (C, C) it stands in each of the C columns of
    ``sums``, which makes the quotient of 300 × 3 numbers faster: 1.6 µs instead of 2.6. ``largest`` (N, 1) and ``sums``
    are scratch.
    """
    np.maximum.reduce(logits, axis=1, keepdims=True, out=largest)  # max Z
    np.subtract(logits, largest, out=out)  # Z − max Z
    np.exp(out, out=out)  # exp(Z − max Z)
    np.matmul(out, ones, out=sums)  # Σ exp(Z − max Z)
    np.divide(out, sums, out=out)
