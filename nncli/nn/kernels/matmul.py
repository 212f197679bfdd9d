"""Products of a tall matrix with another: the sums over many rows that a gradient is.

At the book's size the way to a product counts as much as the product: ``left.dot(right, out=out)`` takes 0.16 µs less
than ``np.dot`` and 0.5 less than ``np.matmul``, of 1.1 to 1.7 in all. It fills row-major arrays only.
"""

import numpy as np

from nncli.nn.parameters import Array

NARROW = 16  # columns
SMALL = 1200  # entries of a result up to which OpenBLAS 0.3.31 takes a short way for such a product


def matmul_transposed(left: Array, right: Array, out: Array) -> None:
    """Fill ``out`` (D, M) with XᵀY = Σ xᵀy over the rows x, y of X (N, D) and Y (N, M), both column-major.

    ``left`` is Xᵀ, ``right`` Y. Where one of the two is narrow and the result is not small, BLAS is up to nine times as
    fast with that one row-major, so that copying it first pays: in 300 rows 513 and 3 columns take 13 µs instead of
    36, 3 and 512 columns 13 instead of 64.
    """
    if out.size <= SMALL or min(out.shape) > NARROW:
        left.dot(right, out=out)
    elif len(left) < right.shape[1]:
        out[...] = np.matmul(np.asfortranarray(left), right, out=np.empty_like(out, order="F"))
    else:
        left.dot(np.ascontiguousarray(right), out=out)
