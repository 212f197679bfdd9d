"""The fully connected layer."""

from collections.abc import Mapping, Sequence

import numpy as np

from nncli.data.dataset import Random
from nncli.nn.initializers import Initializer
from nncli.nn.kernels.dense_products import ColumnMajorProducts, RowMajorProducts
from nncli.nn.kernels.memory import ArraySpec
from nncli.nn.layers.layer import Layer, PassSpec
from nncli.nn.parameters import Array, Shape, stacked
from nncli.nn.penalties import Penalty
from nncli.registry import Count, NonNegative, register

MIN_INPUTS_PER_UNIT = 2  # D / M from which row-major inputs are multiplied without a column-major copy


@register("dense", alias="Layer_Dense")
class Dense(Layer):
    """Fully connected layer: weighted sum of the inputs plus a bias.

        Y = X W + b            X (N, D)   W (D, M)   b (M,)   Y (N, M)
        dL/dW = Xᵀ dL/dY
        dL/db = Σ dL/dY        over the rows
        dL/dX = dL/dY Wᵀ

    Gradients are sums over the rows; the loss has divided by N. How the products are computed depends on the memory
    layout of X: see ``dense_products``.

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

    needs_ones_column = True

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

    def attach(self, values: Mapping[str, Array], gradients: Mapping[str, Array]) -> None:
        """Store W, b and their gradients."""
        self.weights, self.biases = values["weights"], values["biases"]
        self.d_weights, self.d_biases = gradients["weights"], gradients["biases"]
        self.weights_and_biases = stacked(self.weights, self.biases)  # [W; b]
        self.d_weights_and_biases = stacked(self.d_weights, self.d_biases)

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

    def prefers_row_major(self, inputs: int) -> bool:
        """True if D is so much larger than M that a column-major copy of X W (N, M) costs less than one of X (N, D)."""
        return inputs >= MIN_INPUTS_PER_UNIT * self.units

    def scratch(self, spec: PassSpec, inputs: int) -> dict[str, ArraySpec]:
        """The scratch arrays of the products of row-major inputs; those of column-major inputs need none."""
        return RowMajorProducts.scratch(spec.rows, self.units) if spec.row_major else {}

    def bind(self, spec: PassSpec, arrays: Mapping[str, Array]) -> None:
        """Extend ``Layer.bind`` with the matrix products of these arrays."""
        super().bind(spec, arrays)
        products = RowMajorProducts if spec.row_major else ColumnMajorProducts
        self.products = products(self.weights_and_biases, self.d_weights_and_biases, arrays)

    def load(self, inputs: Array) -> None:
        """Extend ``Layer.load``: row-major inputs are not copied, unless their dtype is another one."""
        if isinstance(self.products, RowMajorProducts):
            self.inputs = self.products.inputs = np.ascontiguousarray(inputs, self.weights.dtype)
        else:
            super().load(inputs)

    def forward(self) -> Array:
        """Y = X W + b."""
        self.products.forward()
        return self.outputs

    def backward(self) -> Array:
        """dL/dX = dL/dY Wᵀ, after dL/dW and dL/db."""
        self.parameter_gradients()
        self.products.input_gradients()
        return self.d_inputs

    def parameter_gradients(self) -> None:
        """dL/dW = Xᵀ dL/dY and dL/db = Σ dL/dY."""
        self.products.parameter_gradients()
