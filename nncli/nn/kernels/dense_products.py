"""The matrix products of a dense layer, in memory layouts for which they are fast.

    Y = X W + b                           X (N, D)   W (D, M)   b (M,)   Y (N, M)
    dL/dW = Xᵀ dL/dY,   dL/db = Σ dL/dY
    dL/dX = dL/dY Wᵀ

W is row-major; Y and all gradients of activations are column-major, so that their transposes are row-major.
"""

from collections.abc import Mapping

import numpy as np

from nncli.nn.kernels.memory import ArraySpec
from nncli.nn.kernels.products import product
from nncli.nn.parameters import Array


class ColumnMajorProducts:
    """Products of column-major X that a column of ones follows in memory.

        Yᵀ = [W; b]ᵀ [X 1]ᵀ
        [dL/dW; dL/db] = [X 1]ᵀ dL/dY
        (dL/dX)ᵀ = W (dL/dY)ᵀ

    The bias is the weight of an input that is always 1, which saves the addition and the sum over the rows.

    Args:
        parameters: [W; b] (D + 1, M).
        gradients: [dL/dW; dL/db] (D + 1, M).
        arrays: those of the pass.
    """

    def __init__(self, parameters: Array, gradients: Array, arrays: Mapping[str, Array]) -> None:
        inputs = arrays["inputs_and_ones"].T
        self.forward = product(parameters.T, inputs, arrays["outputs"].T)
        if "d_outputs" in arrays:
            self.parameter_gradients = product(inputs, arrays["d_outputs"], gradients)
        if "d_inputs" in arrays:
            self.input_gradients = product(parameters[:-1], arrays["d_outputs"].T, arrays["d_inputs"].T)


class RowMajorProducts:
    """Products of row-major X, such as mini-batches of many features, without a column-major copy of X.

        Y = X W + b            X W row-major; the addition of b copies it column-major
        dL/dW = Xᵀ dL/dY
        dL/db = 1ᵀ dL/dY
        (dL/dX)ᵀ = W (dL/dY)ᵀ

    Args:
        parameters: [W; b] (D + 1, M).
        gradients: [dL/dW; dL/db] (D + 1, M).
        arrays: those of the pass, with those of ``scratch``.
    """

    inputs: Array  # X, given before each forward pass

    def __init__(self, parameters: Array, gradients: Array, arrays: Mapping[str, Array]) -> None:
        self.weights, self.biases = parameters[:-1], parameters[-1]
        self.d_weights, self.d_biases = gradients[:-1], gradients[-1]
        self.outputs, self.ones = arrays["outputs"], arrays["ones"][:, 0]
        self.row_major_outputs = arrays["row_major_outputs"].T
        if "d_outputs" in arrays:
            self.d_outputs = arrays["d_outputs"]
        if "d_inputs" in arrays:
            self.input_gradients = product(self.weights, self.d_outputs.T, arrays["d_inputs"].T)

    @staticmethod
    def scratch(rows: int, columns: int) -> dict[str, ArraySpec]:
        """(X W)ᵀ (M, N), and ones (N,) for the sum over the rows."""
        return {"row_major_outputs": ArraySpec(columns, rows, padded=True), "ones": ArraySpec(rows, 1, 1)}

    def forward(self) -> None:
        """Y = X W + b."""
        np.matmul(self.inputs, self.weights, self.row_major_outputs)  # X W
        np.add(self.row_major_outputs, self.biases, self.outputs)  # X W + b

    def parameter_gradients(self) -> None:
        """dL/dW = Xᵀ dL/dY, and dL/db = 1ᵀ dL/dY."""
        np.matmul(self.inputs.T, self.d_outputs, self.d_weights)
        self.ones.dot(self.d_outputs, self.d_biases)
