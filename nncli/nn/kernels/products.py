"""Matrix products that are bound to their arrays once: the fastest NumPy call by shapes, layouts and BLAS kernels.

    Z = X Y            X (m, k)   Y (k, n)   Z (m, n), row-major

BLAS copies both matrices to a packed layout before it multiplies them, which takes longer than the product itself if
one of them is narrow. The choice depends on the kernels of BLAS, never on the clock, so that results are the same on
all machines with the same kernels. ``python -m tests.benchmarks.products`` measures each function, and marks the chosen
one.
"""

from collections.abc import Callable
from functools import partial
from math import inf
from typing import TypeAlias

import numpy as np

from nncli.nn.kernels.blas import has_small_matrix_kernels
from nncli.nn.parameters import Array

Product: TypeAlias = Callable[[], object]

MAX_UNPACKED = 1_000_000  # m n k up to which kernels for small matrices are used, which do not pack
MAX_UNPACKED_RESULT = 1200  # m n up to which they are used if Y is column-major
MIN_UNPACKED_SUM = 32  # k from which they are used if Y is column-major
MAX_COPIED = 16  # rows or columns of a matrix that is copied row-major so that these kernels are used
# by the number of vectors, m or n: entries of the other matrix from which a product for each vector is faster
MIN_BATCHED_GEMV = {2: 8192, 3: 8192, 4: 32_768, 5: 8192, 6: 8192}
MAX_CLEARED = 20_000  # m n up to which ``dot``, which first sets Z to 0, is faster than ``matmul``


def product(left: Array, right: Array, out: Array) -> Product:
    """A function that fills ``out`` Z with X Y.

    Args:
        left: X.
        right: Y, row-major if X is not.
        out: Z, row-major.
    """
    (m, n), k = out.shape, left.shape[1]
    narrow = min(m, n)
    if narrow == 1:
        return gemm(left, right, out)  # NumPy calls the product of a matrix and a vector, gemv
    if has_small_matrix_kernels() and m * n * k <= MAX_UNPACKED:
        is_right_unpacked = m * n <= MAX_UNPACKED_RESULT and k >= MIN_UNPACKED_SUM and left.flags.c_contiguous
        if right.flags.c_contiguous or is_right_unpacked:
            return gemm(left, right, out)
        if narrow <= MAX_COPIED:
            return gemm_of_copy(left, right, out)
    if k * max(m, n) >= MIN_BATCHED_GEMV.get(narrow, inf):
        return batched_gemv(left, right, out)
    return gemm(left, right, out)


def gemm(left: Array, right: Array, out: Array) -> Product:
    """One product of two matrices (gemm); a call of ``dot`` has less overhead than one of ``matmul``."""
    return partial(left.dot, right, out) if out.size <= MAX_CLEARED else partial(np.matmul, left, right, out)


def batched_gemv(left: Array, right: Array, out: Array) -> Product:
    """A product of a matrix and a vector (gemv), which packs nothing, for each row of X or column of Y, in one call."""
    if len(out) <= out.shape[1]:
        return partial(np.matmul, left[:, None, :], right, out[:, None, :])
    return partial(np.matmul, left, right.T[:, :, None], out.T[:, :, None])


def gemm_of_copy(left: Array, right: Array, out: Array) -> Product:
    """One product with a row-major copy of the narrower matrix, which kernels for small matrices then use unpacked."""
    if len(out) < out.shape[1]:  # Zᵀ = Yᵀ Xᵀ
        narrow, transposed = np.empty(left.shape[::-1], left.dtype), np.empty(out.shape[::-1], out.dtype)

        def transposed_product() -> None:
            narrow[...] = left.T
            right.T.dot(narrow, transposed)
            out[...] = transposed.T

        return transposed_product
    narrow = np.empty(right.shape, right.dtype)

    def plain_product() -> None:
        narrow[...] = right
        left.dot(narrow, out)

    return plain_product
