"""Rectified linear units: ReLU and its variants."""

from collections.abc import Mapping
from typing import Literal

import numpy as np

from nncli.nn.kernels.erf import normal_cdf, normal_pdf, tanh_normal_cdf, tanh_normal_cdf_derivative
from nncli.nn.kernels.memory import ArraySpec, bit_pattern
from nncli.nn.layers.layer import Layer, PassSpec
from nncli.nn.parameters import Array
from nncli.registry import Positive, UnitInterval, register

EXP_BELOW = -4  # for smaller X, Y + α loses too many digits to be used for α exp X


@register("relu", alias="Activation_ReLU")
class ReLU(Layer):
    """Rectified linear unit: max(x, 0).

        Y = max(X, 0)                         X, Y (N, M)
        dL/dX = dL/dY where X > 0, else 0

    At the kink, X = 0, the derivative is taken as 0. A unit whose X is negative in all rows gets no gradient and stops
    learning (dead ReLU).

    Source: Nair and Hinton 2010; Kinsley and Kukieła 2020, chapters 4 and 9.
    """

    default_initializer_of_previous = "he"
    in_place = needs_outputs = True

    zeros: Array

    def scratch(self, spec: PassSpec, inputs: int) -> dict[str, ArraySpec]:
        """Zeros (N, M), since ``np.maximum`` is faster with two arrays."""
        return {"zeros": ArraySpec(spec.rows, inputs, constant=True)}

    def bind(self, spec: PassSpec, arrays: Mapping[str, Array]) -> None:
        """Extend ``Layer.bind`` with the bit patterns that ``gradient_where_positive`` takes."""
        super().bind(spec, arrays)
        names = [name for name in ("d_outputs", "outputs", "d_inputs") if name in arrays]
        self.patterns = [bit_pattern(arrays[name]) for name in names]

    def forward(self) -> Array:
        """Y = max(X, 0)."""
        return np.maximum(self.inputs, self.zeros, out=self.outputs)  # max(X, 0)

    def backward(self) -> Array:
        """dL/dX = dL/dY where Y > 0, which is where X > 0."""
        gradient_where_positive(*self.patterns)
        return self.d_inputs

    def kink_distances(self) -> Array:
        """X."""
        return self.inputs


@register("leaky_relu")
class LeakyReLU(Layer):
    """Leaky ReLU: max(x, α x); unlike ReLU it has a nonzero gradient for negative inputs.

        Y = max(X, αX)                        X, Y (N, M)
        dL/dX = dL/dY where X > 0, else α dL/dY

    At the kink, X = 0, the derivative is taken as α.

    Args:
        slope (α): slope for negative inputs.

    Source: Maas, Hannun and Ng 2013, with α = 0.01; Keras' default is 0.3.
    """

    default_initializer_of_previous = "he"

    def __init__(self, slope: UnitInterval = 0.01) -> None:
        self.slope = slope

    def forward(self) -> Array:
        """Y = max(X, αX)."""
        np.multiply(self.inputs, self.slope, out=self.outputs)  # αX
        return np.maximum(self.inputs, self.outputs, out=self.outputs)

    def backward(self) -> Array:
        """dL/dX = dL/dY where X > 0, else α dL/dY."""
        np.maximum(self.inputs > 0, self.slope, out=self.d_inputs)  # 1 where X > 0, else α
        return np.multiply(self.d_outputs, self.d_inputs, out=self.d_inputs)

    def kink_distances(self) -> Array:
        """X."""
        return self.inputs


@register("elu")
class ELU(Layer):
    """Exponential linear unit: x if positive, else α (exp x − 1), which keeps mean activations near 0.

        Y = X where X > 0, else α (exp X − 1)                      X, Y (N, M)
        dL/dX = dL/dY where X > 0, else dL/dY α exp X

    For negative inputs it saturates at −α. With α = 1 the derivative is continuous at 0, else there is a kink.

    Args:
        alpha (α): scale of the outputs for negative inputs, which saturate at −α.

    Source: Clevert, Unterthiner and Hochreiter 2016, arXiv:1511.07289, section 3.
    """

    default_initializer_of_previous = "he"

    zeros: Array
    negative: Array

    def __init__(self, alpha: Positive = 1.0) -> None:
        self.alpha = alpha

    def scratch(self, spec: PassSpec, inputs: int) -> dict[str, ArraySpec]:
        """Zeros and the negative part of Y (N, M)."""
        return {"zeros": ArraySpec(spec.rows, inputs, constant=True), "negative": ArraySpec(spec.rows, inputs)}

    def forward(self) -> Array:
        """Y = X where X > 0, else α (exp X − 1)."""
        np.minimum(self.inputs, self.zeros, out=self.negative)  # no exp of a positive value, which may overflow
        np.expm1(self.negative, out=self.negative)  # exp X − 1, and 0 where X > 0
        if self.alpha != 1:
            np.multiply(self.negative, self.alpha, out=self.negative)
        np.maximum(self.inputs, self.zeros, out=self.outputs)  # X, and 0 where X ≤ 0
        return np.add(self.outputs, self.negative, out=self.outputs)

    def backward(self) -> Array:
        """dL/dX = dL/dY where X > 0, else dL/dY α exp X, which is Y + α."""
        np.add(self.negative, self.alpha, out=self.d_inputs)  # α exp X, and α where X > 0
        if self.alpha != 1:
            np.add(self.d_inputs, (self.inputs > 0) * (1 - self.alpha), out=self.d_inputs)  # 1 where X > 0
        small = np.flatnonzero(self.inputs.T < EXP_BELOW)
        if len(small):  # Y + α cancels there, completely in float32 at −17
            self.d_inputs.T.reshape(-1)[small] = self.alpha * np.exp(self.inputs.T.reshape(-1)[small])
        return np.multiply(self.d_outputs, self.d_inputs, out=self.d_inputs)

    def kink_distances(self) -> Array | None:
        """X, if the one-sided derivatives at 0 differ."""
        return self.inputs if self.alpha != 1 else None


@register("gelu")
class GELU(Layer):
    """Gaussian error linear unit: x Φ(x), a smooth variant of ReLU.

        Y = X Φ(X)                            Φ, φ: CDF and density of the standard normal distribution; X, Y (N, M)
        dL/dX = dL/dY (Φ(X) + X φ(X))
        Φ(X) ≈ ½ (1 + tanh U)                 if approximate is tanh, U = √(2/π) (X + 0.044715 X³)
        φ(X) ≈ ½ (1 − tanh² U) dU/dX

    Many published models use the tanh approximation; it differs by up to 5e-4.

    Args:
        approximate: none for the exact Φ, tanh for the tanh approximation.

    Source: Hendrycks and Gimpel 2016, arXiv:1606.08415, section 2.
    """

    default_initializer_of_previous = "he"

    cdf: Array

    def __init__(self, approximate: Literal["none", "tanh"] = "none") -> None:
        self.approximate = approximate

    def scratch(self, spec: PassSpec, inputs: int) -> dict[str, ArraySpec]:
        """Φ(X) (N, M)."""
        return {"cdf": ArraySpec(spec.rows, inputs)}

    def forward(self) -> Array:
        """Y = X Φ(X)."""
        if self.approximate == "tanh":
            tanh_normal_cdf(self.inputs, self.cdf)  # ½ (1 + tanh U)
        else:
            normal_cdf(self.inputs, self.cdf)  # Φ(X)
        return np.multiply(self.inputs, self.cdf, out=self.outputs)  # X Φ(X)

    def backward(self) -> Array:
        """dL/dX = dL/dY (Φ(X) + X dΦ/dX)."""
        if self.approximate == "tanh":
            tanh_normal_cdf_derivative(self.inputs, self.cdf, self.d_inputs)  # ½ (1 − tanh² U) dU/dX
        else:
            normal_pdf(self.inputs, self.d_inputs)  # φ(X)
        np.multiply(self.inputs, self.d_inputs, out=self.d_inputs)  # X φ(X)
        np.add(self.cdf, self.d_inputs, out=self.d_inputs)  # Φ(X) + X φ(X)
        return np.multiply(self.d_outputs, self.d_inputs, out=self.d_inputs)


def gradient_where_positive(grad: Array, outputs: Array, out: Array) -> None:
    """Fill ``out`` with dL/dY [Y ≠ 0] (N, M), where Y = max(X, 0); all arrays are bit patterns (``bit_pattern``).

    As an unsigned integer, Y is 0 if it is 0.0 and positive otherwise, for NaN too, so that its sign is [Y ≠ 0].
    Multiplied by 0 or 1, an integer is cleared or unchanged; this is faster than multiplication by a Boolean array.
    """
    np.sign(outputs, out=out)  # [Y ≠ 0]
    np.multiply(grad, out, out=out)  # dL/dY [Y ≠ 0]
