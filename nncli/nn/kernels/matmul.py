"""Matrix multiplication (GEMM) of tall matrices: gradients as sums over many rows.

For small networks the overhead of the call matters: ``left.dot(right, out=out)`` has less than ``np.dot`` and
``np.matmul``, but requires a row-major ``out``.
"""

import numpy as np

from nncli.nn.parameters import Array

MAX_NARROW_COLUMNS = 16
MAX_SMALL_SIZE = 1200  # entries of a result for which OpenBLAS 0.3.31 has a fast path


def matmul_transposed(left: Array, right: Array, out: Array) -> None:
    """Fill ``out`` (D, M) with XᵀY = Σ xᵀy over the rows x, y of X (N, D) and Y (N, M), both column-major.

    ``left`` is Xᵀ, ``right`` is Y. If one of them is narrow and the result is not small, BLAS is several times as fast
    with a row-major copy of the narrow matrix, including the time for copying it.
    """
    if out.size <= MAX_SMALL_SIZE or min(out.shape) > MAX_NARROW_COLUMNS:
        left.dot(right, out=out)
    elif len(left) < right.shape[1]:
        out[...] = np.matmul(np.asfortranarray(left), right, out=np.empty_like(out, order="F"))
    else:
        left.dot(np.ascontiguousarray(right), out=out)
