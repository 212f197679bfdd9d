"""Batch normalization."""

from collections.abc import Mapping, Sequence

import numpy as np

from nncli.data.dataset import Random
from nncli.nn.kernels.memory import ArraySpec
from nncli.nn.layers.layer import Layer, PassSpec
from nncli.nn.parameters import Array, Shape
from nncli.registry import Positive, UnitInterval, register


@register("batch_normalization")
class BatchNormalization(Layer):
    """Batch normalization: standardizes each feature over the batch, then applies a trainable scale and shift.

        X̂ = (X − m) / √(v + ε)         m, v (M,): mean and variance (over N) of the features of X (N, M)
        Y = γ X̂ + β                    γ, β (M,)
        r ← ρ r + (1 − ρ) m            running mean, and the running variance likewise with v N / (N − 1)
        dL/dβ = Σ dL/dY,   dL/dγ = Σ dL/dY X̂                            sums over the rows
        dL/dX = γ / √(v + ε) (dL/dY − (dL/dβ + X̂ dL/dγ) / N)

    Inference uses the running mean and variance (exponential moving averages that start at 0 and 1) instead of m and v.
    They are constants, so that dL/dX = γ / √(v + ε) dL/dY. In training, the outputs of a row depend on the other rows
    of its batch: the smaller the batch, the more training and inference differ.

    Args:
        momentum (ρ): decay rate of the running mean and variance; PyTorch's momentum is 1 − ρ.
        epsilon (ε): avoids division by zero if a feature is constant.

    Source: Ioffe and Szegedy 2015, arXiv:1502.03167, algorithms 1 and 2; running statistics as in PyTorch.
    """

    default_initializer_of_previous = None
    min_batch_size = 2
    couples_rows = True

    normalized: Array
    products: Array

    def __init__(self, momentum: UnitInterval = 0.9, epsilon: Positive = 1e-5) -> None:
        self.momentum, self.epsilon = momentum, epsilon

    def shapes(self, inputs: int) -> dict[str, Shape]:
        """γ (M,) and β (M,)."""
        return {"scale": (inputs,), "shift": (inputs,)}

    def statistics(self, inputs: int) -> dict[str, Shape]:
        """The running mean (M,) and the running variance (M,)."""
        return {"running_mean": (inputs,), "running_variance": (inputs,)}

    def attach(self, values: Mapping[str, Array], gradients: Mapping[str, Array]) -> None:
        """Store γ, β, their gradients and the running statistics."""
        self.scale, self.shift = values["scale"], values["shift"]
        self.d_scale, self.d_shift = gradients["scale"], gradients["shift"]
        self.running_mean, self.running_variance = values["running_mean"], values["running_variance"]

    def initialize(self, rng: Random) -> None:
        """γ = 1, β = 0, running mean 0, running variance 1."""
        self.scale[...], self.shift[...] = 1, 0
        self.running_mean[...], self.running_variance[...] = 0, 1

    def scratch(self, spec: PassSpec, inputs: int) -> dict[str, ArraySpec]:
        """X̂ and dL/dY X̂ (N, M)."""
        return {"normalized": ArraySpec(spec.rows, inputs), "products": ArraySpec(spec.rows, inputs)}

    def forward(self) -> Array:
        """Y = γ (X − m) / √(v + ε) + β."""
        inputs, normalized, outputs, training = self.inputs, self.normalized, self.outputs, self.training
        self.mean = np.mean(inputs, axis=0) if training else self.running_mean
        np.subtract(inputs, self.mean, out=normalized)  # X − m
        self.variance = np.mean(np.square(normalized, out=outputs), axis=0) if training else self.running_variance
        if training:
            self._update_running_statistics(len(inputs))
        self.deviation = np.sqrt(self.variance + self.epsilon)  # √(v + ε)
        np.divide(normalized, self.deviation, out=normalized)  # X̂
        np.multiply(normalized, self.scale, out=outputs)  # γ X̂
        return np.add(outputs, self.shift, out=outputs)  # + β

    def backward(self) -> Array:
        """dL/dX = γ / √(v + ε) (dL/dY − (dL/dβ + X̂ dL/dγ) / N), after dL/dγ and dL/dβ."""
        self.parameter_gradients()
        grad, d_inputs = self.d_outputs, self.d_inputs
        if self.training:
            np.multiply(self.normalized, self.d_scale, out=d_inputs)  # X̂ dL/dγ
            np.add(d_inputs, self.d_shift, out=d_inputs)  # dL/dβ + X̂ dL/dγ
            np.divide(d_inputs, len(grad), out=d_inputs)
            np.subtract(grad, d_inputs, out=d_inputs)
        else:
            np.copyto(d_inputs, grad)
        return np.multiply(d_inputs, self.scale / self.deviation, out=d_inputs)  # γ / √(v + ε) ( … )

    def parameter_gradients(self) -> None:
        """dL/dγ = Σ dL/dY X̂ and dL/dβ = Σ dL/dY."""
        np.multiply(self.d_outputs, self.normalized, out=self.products)
        np.add.reduce(self.products, axis=0, out=self.d_scale)  # Σ dL/dY X̂
        np.add.reduce(self.d_outputs, axis=0, out=self.d_shift)  # Σ dL/dY

    def intermediates(self) -> dict[str, Array]:
        """m, v and X̂."""
        return {"mean": self.mean, "variance": self.variance, "normalized": self.normalized}

    def differences(self) -> Sequence[tuple[Array, Array]]:
        """X̂ = (X − m) / √(v + ε), which subtracts |m| / √(v + ε)."""
        return [(self.normalized, np.abs(self.mean) / self.deviation)]

    def backward_terms(self) -> Array | None:
        """|γ| / √(v + ε) times the largest |dL/dY| of each column."""
        magnitude: Array = np.max(np.abs(self.d_outputs), axis=0) * np.abs(self.scale / self.deviation)
        return magnitude

    def _update_running_statistics(self, rows: int) -> None:
        """Update the exponential moving averages of mean and (unbiased, over N − 1) variance."""
        unbiased = self.variance * (rows / max(rows - 1, 1))
        self.running_mean += (1 - self.momentum) * (self.mean - self.running_mean)  # ρ r + (1 − ρ) m
        self.running_variance += (1 - self.momentum) * (unbiased - self.running_variance)
