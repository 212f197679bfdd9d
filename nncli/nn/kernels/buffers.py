"""Reused column-major buffers for activations and gradients."""

from typing import Any
from weakref import ref

import numpy as np

from nncli.nn.kernels.alignment import CACHE_LINE, aligned_offset
from nncli.nn.parameters import Array

CONSTANT = {"zeros": 0, "ones": 1}  # buffers that are filled once, by name


class BufferStorage(np.ndarray[Any, Any]):
    """The memory of a column-major buffer X (N, M), followed by a column of ones: [X 1].

    The buffer owns its storage; the storage refers back weakly, so that no reference cycle has to be garbage-collected.
    """

    buffer: "ref[Array]"
    start: int

    def __new__(cls, rows: int, columns: int, dtype: np.dtype[Any]) -> "BufferStorage":
        """Allocate aligned memory for N, M and a dtype."""
        storage = super().__new__(cls, rows * (columns + 1) * dtype.itemsize + CACHE_LINE, np.uint8)
        storage.start = aligned_offset(storage)
        return storage

    def columns(self, rows: int, columns: int, dtype: np.dtype[Any]) -> Array:
        """The first columns (N, M), as an array whose base is this storage."""
        return np.ndarray((rows, columns), dtype, self, self.start, order="F")


def buffer(rows: int, columns: int, dtype: np.dtype[Any]) -> Array:
    """An uninitialized column-major (Fortran order) array (N, M), followed in memory by a column of ones."""
    storage = BufferStorage(rows, columns, dtype)
    storage.columns(rows, columns + 1, dtype)[:, columns] = 1
    array = storage.columns(rows, columns, dtype)
    storage.buffer = ref(array)
    return array


class BufferPool(dict[tuple[str, int, int], Array]):
    """Buffers by name, rows and columns, allocated on first use; those named zeros or ones hold these values.

    They are column-major, so that a reduction over the few features of a row becomes vector operations on contiguous
    columns, which are long.
    """

    def __init__(self, dtype: np.dtype[Any]) -> None:
        super().__init__()
        self.dtype = dtype

    def __missing__(self, key: tuple[str, int, int]) -> Array:
        name, rows, columns = key
        self[key] = array = buffer(rows, columns, self.dtype)
        if name in CONSTANT:
            array[...] = CONSTANT[name]
        return array

    def as_buffer(self, inputs: Array) -> Array:
        """X (N, D) unchanged if it is a complete buffer of this dtype, else a copy in a buffer."""
        if is_buffer(inputs) and inputs.dtype == self.dtype:
            return inputs
        copy = self["inputs", inputs.shape[0], inputs.shape[1]]
        copy[...] = inputs
        return copy

    def as_row_major(self, inputs: Array) -> Array:
        """Row-major X (N, D) unchanged if it has this dtype, else a row-major copy."""
        if inputs.dtype == self.dtype:
            return inputs
        copy = self["rows", inputs.shape[1], inputs.shape[0]].T
        copy[...] = inputs
        return copy

    def with_bias_column(self, inputs: Array) -> Array:
        """[X 1] (N, D + 1) of X (N, D); a view if X is a complete buffer of this dtype, else a copy.

        The column of ones is shared by all users of the buffer; none writes to it.
        """
        buffered: Any = self.as_buffer(inputs)
        rows, columns = buffered.shape
        extended: Array = buffered.base.columns(rows, columns + 1, buffered.dtype)
        return extended


def is_buffer(array: Array) -> bool:
    """Whether an array is a complete buffer, and neither a view of one nor any other array."""
    storage = array.base
    return isinstance(storage, BufferStorage) and storage.buffer() is array


def copy_to_buffer(inputs: Array, dtype: np.dtype[Any]) -> Array:
    """A copy of X (N, D) in a new buffer."""
    rows, columns = inputs.shape
    array = buffer(rows, columns, dtype)
    array[...] = inputs
    return array


def bit_pattern(array: Array) -> Array:
    """The values of an array (N, M) reinterpreted as unsigned integers of the same size; 0.0 becomes 0."""
    return array.view(f"u{array.itemsize}")
