"""Memory layout: cache-line-aligned arrays, and row padding against cache-set conflicts."""

from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

CACHE_LINE = 64  # bytes
MIN_PADDED_ROW = 4 * CACHE_LINE  # bytes


def zeros(shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    """A row-major array of zeros that starts at a cache line.

    NumPy's arrays may start anywhere; then every other vector instruction (SIMD) touches two cache lines.
    """
    raw = np.zeros(prod(shape) * dtype.itemsize + CACHE_LINE, np.uint8)
    return np.ndarray(shape, dtype, raw, aligned_offset(raw))


def pad_to_odd_cache_lines(columns: int, dtype: np.dtype[Any]) -> int:
    """The number of columns, rounded up so that a row takes an odd number of cache lines.

    If the row length is a power of two, the values of a column map to a few cache sets and evict each other (conflict
    misses), which slows down a transposed copy several times. Rows shorter than ``MIN_PADDED_ROW`` gain nothing and are
    returned unchanged.
    """
    if columns * dtype.itemsize < MIN_PADDED_ROW:
        return columns
    lines = -(-columns * dtype.itemsize // CACHE_LINE) | 1
    return lines * CACHE_LINE // dtype.itemsize


def aligned_offset(raw: NDArray[Any]) -> int:
    """The first byte of an array that is aligned to a cache line."""
    return -int(raw.ctypes.data) % CACHE_LINE
