"""The matrix products of a dense layer, in memory layouts for which they are fast.

    Y = X W + b                           X (N, D)   W (D, M)   b (M,)   Y (N, M)
    dL/dW = Xᵀ dL/dY,   dL/db = Σ dL/dY
    dL/dX = dL/dY Wᵀ

Y and all gradients are column-major. ``left.dot(right, out=out)`` has less overhead than ``np.dot`` and ``np.matmul``,
but needs a row-major ``out``: Y is computed as Yᵀ.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from nncli.nn.kernels.matmul import matmul_transposed
from nncli.nn.kernels.memory import Buffer
from nncli.nn.parameters import Array


def gradients_of(arrays: Mapping[str, Array]) -> tuple[Any, Any]:
    """dL/dY and dL/dX; None where a pass has none."""
    return arrays.get("d_outputs"), arrays.get("d_inputs")


class ColumnMajorProducts:
    """Products of column-major X, which is followed by a column of ones.

        Yᵀ = [W; b]ᵀ [X 1]ᵀ
        [dL/dW; dL/db] = [X 1]ᵀ dL/dY

    The bias is the weight of an input that is always 1, which saves the addition and the sum over the rows.

    Args:
        parameters: [W; b] (D + 1, M).
        gradients: [dL/dW; dL/db] (D + 1, M).
        arrays: those of the pass.
    """

    def __init__(self, parameters: Array, gradients: Array, arrays: Mapping[str, Array]) -> None:
        self.parameters, self.gradients, self.weights = parameters.T, gradients, parameters[:-1].T
        self.inputs, self.outputs = arrays["inputs_and_ones"].T, arrays["outputs"].T
        self.d_outputs, self.d_inputs = gradients_of(arrays)

    def forward(self) -> None:
        """Fill Y."""
        self.parameters.dot(self.inputs, out=self.outputs)

    def parameter_gradients(self) -> None:
        """Fill dL/dW and dL/db."""
        matmul_transposed(self.inputs, self.d_outputs, self.gradients)

    def input_gradients(self) -> None:
        """Fill dL/dX."""
        np.matmul(self.d_outputs, self.weights, out=self.d_inputs)


class RowMajorProducts:
    """Products of row-major X, such as mini-batches of many features, without a column-major copy.

        X W is computed row-major, and copied to Y

    Args:
        parameters: [W; b] (D + 1, M).
        gradients: [dL/dW; dL/db] (D + 1, M).
        arrays: those of the pass.
    """

    inputs: Array  # X, given before each forward pass

    def __init__(self, parameters: Array, gradients: Array, arrays: Mapping[str, Array]) -> None:
        self.weights, self.biases = parameters[:-1], parameters[-1]
        self.d_weights, self.d_biases = gradients[:-1], gradients[-1]
        self.outputs, self.ones = arrays["outputs"], arrays["ones"][:, 0]
        self.products = arrays["row_major_outputs"].T
        self.d_outputs, self.d_inputs = gradients_of(arrays)

    @staticmethod
    def scratch(rows: int, columns: int) -> dict[str, Buffer]:
        """(X W)ᵀ (M, N), and ones (N,) for the sum over the rows."""
        return {"row_major_outputs": Buffer(columns, rows, padded=True), "ones": Buffer(rows, 1, 1)}

    def forward(self) -> None:
        """Fill Y."""
        np.matmul(self.inputs, self.weights, out=self.products)  # X W, row-major
        np.copyto(self.outputs, self.products)
        np.add(self.outputs, self.biases, out=self.outputs)  # X W + b

    def parameter_gradients(self) -> None:
        """Fill dL/dW and dL/db."""
        self.inputs.T.dot(self.d_outputs, out=self.d_weights)
        self.ones.dot(self.d_outputs, out=self.d_biases)

    def input_gradients(self) -> None:
        """Fill dL/dX."""
        np.matmul(self.d_outputs, self.weights.T, out=self.d_inputs)
