"""One block of memory for many arrays: their places are planned before anything is allocated."""

from typing import Any, NamedTuple

import numpy as np

from nncli.nn.kernels.alignment import CACHE_LINE, pad_to_odd_cache_lines, zeros
from nncli.nn.parameters import Array

HUGE_PAGE = 2 << 20  # bytes


class Buffer(NamedTuple):
    """A column-major array (N, M) of a pass.

    Args:
        rows: N.
        columns: M.
        value: its initial value.
        padded: whether unused memory follows each column, see ``pad_to_odd_cache_lines``.
        constant: whether the values stay those at the beginning.
    """

    rows: int
    columns: int
    value: int = 0
    padded: bool = False
    constant: bool = False

    def column_length(self, dtype: np.dtype[Any]) -> int:
        """The distance between the starts of two columns, in values."""
        return pad_to_odd_cache_lines(self.rows, dtype) if self.padded else self.rows


class Place(NamedTuple):
    """The place of an array in a block: its first byte, and the array."""

    start: int
    buffer: Buffer


class MemoryPlan:
    """Places of arrays in one block; ``nbytes`` is the size of the block.

    ``resident_bytes`` is the part of it that takes memory: an operating system maps all pages of zeros that are only
    read to the same one, except at the bounds of an array, where a huge page also has values of others.

    Arrays are column-major (Fortran order), so that a reduction over the few features of a row becomes vector
    operations on contiguous columns, which are long. Each one starts at a cache line, and an unused line follows it:
    the sizes of arrays are often multiples of a page, and arrays at the same offset in their pages slow each other
    down.

    Args:
        dtype: of all arrays.
    """

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self.dtype, self.nbytes, self.resident_bytes = dtype, 0, 0
        self._places: list[Place] = []

    def add(self, buffer: Buffer) -> Place:
        """Plan the place of one more array."""
        place = Place(self.nbytes, buffer)
        size = buffer.column_length(self.dtype) * buffer.columns * self.dtype.itemsize
        lines = -(-size // CACHE_LINE) + 1
        self.nbytes += lines * CACHE_LINE
        is_zero = buffer.constant and not buffer.value
        self.resident_bytes += min(lines * CACHE_LINE, HUGE_PAGE) if is_zero else lines * CACHE_LINE
        self._places.append(place)
        return place

    def allocate(self) -> "Memory":
        """Allocate the block, with all arrays at their initial values."""
        memory = Memory(self.nbytes, self.dtype)
        for place in self._places:
            if place.buffer.value:  # the block is zero
                memory.array(place)[...] = place.buffer.value
        return memory


class Memory:
    """A block of zeros that arrays are views of.

    Args:
        nbytes: its size.
        dtype: of the arrays.
    """

    def __init__(self, nbytes: int, dtype: np.dtype[Any]) -> None:
        self._block, self._dtype = zeros((nbytes,), np.dtype(np.uint8)), dtype

    def array(self, place: Place, columns: int | None = None) -> Array:
        """The column-major array (N, M) at a place, or one with fewer columns that begins there."""
        buffer = place.buffer
        shape = buffer.column_length(self._dtype), buffer.columns if columns is None else columns
        return np.ndarray(shape, self._dtype, self._block, place.start, order="F")[: buffer.rows]


def bit_pattern(array: Array) -> Array:
    """The values of an array (N, M) reinterpreted as unsigned integers of the same size; 0.0 becomes 0."""
    return array.view(f"u{array.itemsize}")
