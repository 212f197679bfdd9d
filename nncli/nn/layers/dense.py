"""The fully connected layer."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nncli.data.dataset import Random
from nncli.nn.initializers import Initializer
from nncli.nn.kernels.alignment import pad_to_odd_cache_lines
from nncli.nn.kernels.buffers import is_buffer
from nncli.nn.kernels.matmul import matmul_transposed
from nncli.nn.layers.layer import NO_INPUT, Layer
from nncli.nn.parameters import Array, Shape, stacked
from nncli.nn.penalties import Penalty
from nncli.registry import Count, NonNegative, register

MIN_INPUTS_PER_UNIT = 2  # for which row-major inputs are multiplied without a column-major copy


@register("dense", alias="Layer_Dense")
class Dense(Layer):
    """Fully connected layer: weighted sum of the inputs plus a bias.

        Y = X W + b            X (N, D)   W (D, M)   b (M,)   Y (N, M)
        dL/dW = Xᵀ dL/dY
        dL/db = Σ dL/dY        over the rows
        dL/dX = dL/dY Wᵀ

    Gradients are sums over the rows; the loss has divided by N. The bias is computed as the weight of an input that is
    always 1, Y = [X 1] [W; b], which saves the addition and the sum over the rows. Since arrays are column-major, the
    matrix multiplication is Yᵀ = [W; b]ᵀ [X 1]ᵀ. Wide row-major inputs, such as mini-batches of many features, are
    multiplied without a column-major copy.

    Args:
        units (M): number of units (outputs).
        l1: strength λ of the L1 penalty λ Σ|W|; default: that of ``regularization``.
        l2: strength λ of the L2 penalty λ Σ W²; default: that of ``regularization``.
        bias_l1: strength λ of the L1 penalty λ Σ|b|; default: that of ``regularization``.
        bias_l2: strength λ of the L2 penalty λ Σ b²; default: that of ``regularization``.
        initializer: distribution of the initial weights; default: he before ReLU-like activations, otherwise glorot.
            Initial biases are 0.

    Source: Kinsley and Kukieła 2020, chapters 3 and 9.
    """

    def __init__(
        self,
        units: Count,
        l1: NonNegative | None = None,
        l2: NonNegative | None = None,
        bias_l1: NonNegative | None = None,
        bias_l2: NonNegative | None = None,
        initializer: Initializer | None = None,
    ) -> None:
        self.units = units
        self.l1, self.l2 = l1 or 0.0, l2 or 0.0
        self.bias_l1, self.bias_l2 = bias_l1 or 0.0, bias_l2 or 0.0
        self.initializer = initializer

    def width(self, inputs: int) -> int:
        """M, whatever the number of inputs."""
        return self.units

    def shapes(self, inputs: int) -> dict[str, Shape]:
        """W (D, M) and b (M,)."""
        return {"weights": (inputs, self.units), "biases": (self.units,)}

    def multiply_adds(self, inputs: int) -> int:
        """D M, for one row times W."""
        return inputs * self.units

    def attach(self, values: Mapping[str, Array], gradients: Mapping[str, Array], dtype: np.dtype[Any]) -> None:
        """Extend ``Layer.attach`` with W, b and their gradients."""
        super().attach(values, gradients, dtype)
        self.weights, self.biases = values["weights"], values["biases"]
        self.d_weights, self.d_biases = gradients["weights"], gradients["biases"]
        self.weights_and_biases = stacked(self.weights, self.biases)  # [W; b]
        self.d_weights_and_biases = stacked(self.d_weights, self.d_biases)
        self.weights_and_biases_transposed = self.weights_and_biases.T
        self.weights_transposed = self.weights.T

    def initialize(self, rng: Random) -> None:
        """Draw W; b stays 0."""
        if self.initializer is None:
            raise ValueError("a dense layer needs an initializer to draw its weights")
        self.weights[...] = self.initializer.draw(rng, *self.weights.shape)

    def penalties(self) -> Sequence[Penalty]:
        """The penalties on W and on b, if their λ is above 0."""
        candidates = (
            Penalty(self.weights, self.d_weights, self.l1, self.l2),
            Penalty(self.biases, self.d_biases, self.bias_l1, self.bias_l2),
        )
        return [penalty for penalty in candidates if penalty.l1 or penalty.l2]

    def prefers_row_major(self, inputs: Array) -> bool:
        """True for row-major inputs so wide that a column-major copy of X W (N, M) costs less than one of X (N, D)."""
        return (
            inputs.flags.c_contiguous and not is_buffer(inputs) and inputs.shape[1] >= MIN_INPUTS_PER_UNIT * self.units
        )

    def bind_inputs(self, inputs: Array) -> None:
        """Extend ``Layer.bind_inputs`` with [X 1]ᵀ and Yᵀ, or with X W and ones for row-major inputs.

        Inputs that are no buffer are copied in each pass.
        """
        super().bind_inputs(inputs)
        self.row_major = self.prefers_row_major(inputs) and inputs.dtype == self.weights.dtype
        if self.row_major:
            rows, columns = len(inputs), pad_to_odd_cache_lines(self.units, inputs.dtype)
            self.products = self.buffer["products", columns, rows].T[:, : self.units]
            self.ones = self.buffer["ones", rows, 1][:, 0]
            return
        self.inputs_and_ones_transposed, self.outputs_transposed = (
            self.buffer.with_bias_column(inputs).T,
            self.outputs.T,
        )
        if not is_buffer(inputs):
            self.inputs = NO_INPUT

    def forward(self, inputs: Array, training: bool = False) -> Array:
        """Y = X W + b."""
        if inputs is not self.inputs:
            self.bind_inputs(inputs)
        if self.row_major:
            np.matmul(inputs, self.weights, out=self.products)  # X W, row-major
            np.copyto(self.outputs, self.products)
            return np.add(self.outputs, self.biases, out=self.outputs)  # X W + b
        weights_and_biases, inputs_and_ones = self.weights_and_biases_transposed, self.inputs_and_ones_transposed
        weights_and_biases.dot(inputs_and_ones, out=self.outputs_transposed)  # Yᵀ = [W; b]ᵀ [X 1]ᵀ
        return self.outputs

    def backward(self, grad: Array) -> Array:
        """dL/dX = dL/dY Wᵀ, after dL/dW and dL/db."""
        self.parameter_gradients(grad)
        return np.matmul(grad, self.weights_transposed, out=self.d_inputs)  # dL/dY Wᵀ

    def parameter_gradients(self, grad: Array) -> None:
        """dL/dW = Xᵀ dL/dY and dL/db = 1ᵀ dL/dY, together as [X 1]ᵀ dL/dY."""
        if self.row_major:
            self.inputs.T.dot(grad, out=self.d_weights)  # Xᵀ dL/dY
            self.ones.dot(grad, out=self.d_biases)  # 1ᵀ dL/dY
            return
        matmul_transposed(self.inputs_and_ones_transposed, grad, self.d_weights_and_biases)  # [X 1]ᵀ dL/dY
