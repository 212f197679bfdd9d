"""One arena, a block of memory, for many arrays: their slots are planned before anything is allocated."""

from typing import Any, NamedTuple

import numpy as np

from nncli.nn.kernels.alignment import CACHE_LINE, pad_to_odd_cache_lines, zeros
from nncli.nn.parameters import Array

HUGE_PAGE = 2 << 20  # bytes


class ArraySpec(NamedTuple):
    """The shape and the content of a column-major array (N, M).

    Args:
        rows: N.
        columns: M.
        value: its initial value.
        padded: whether unused memory follows each column, see ``pad_to_odd_cache_lines``.
        constant: whether the values never change.
    """

    rows: int
    columns: int
    value: int = 0
    padded: bool = False
    constant: bool = False

    def column_length(self, dtype: np.dtype[Any]) -> int:
        """The distance between the starts of two columns, in values."""
        return pad_to_odd_cache_lines(self.rows, dtype) if self.padded else self.rows


class Slot(NamedTuple):
    """The memory of one array: its offset in the arena, in bytes, and the array."""

    offset: int
    spec: ArraySpec


class MemoryPlan:
    """The slots of many arrays in one arena.

    ``nbytes`` is the size of the arena. ``resident_bytes`` is the part of it that takes physical memory: pages of
    zeros that are only read are all the same page of the operating system. A huge page at the bounds of an array also
    has values of its neighbors.

    Arrays are column-major (Fortran order), so that a reduction over the few features of a row becomes vector
    operations on contiguous columns, which are long. Each one starts at a cache line, and an unused line follows it:
    the sizes of arrays are often multiples of a page, and arrays at the same offset in their pages slow each other
    down.

    Args:
        dtype: of all arrays.
    """

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self.dtype, self.nbytes, self.resident_bytes = dtype, 0, 0
        self._slots: list[Slot] = []

    def add(self, spec: ArraySpec) -> Slot:
        """Plan one more array."""
        slot = Slot(self.nbytes, spec)
        lines = -(-spec.column_length(self.dtype) * spec.columns * self.dtype.itemsize // CACHE_LINE) + 1
        size = lines * CACHE_LINE
        is_shared_page = spec.constant and not spec.value
        self.nbytes += size
        self.resident_bytes += min(size, HUGE_PAGE) if is_shared_page else size
        self._slots.append(slot)
        return slot

    def allocate(self) -> "Arena":
        """Allocate the arena, with all arrays at their initial values."""
        arena = Arena(self.nbytes, self.dtype)
        for slot in self._slots:
            if slot.spec.value:  # the arena is zero
                arena.array(slot)[...] = slot.spec.value
        return arena


class Arena:
    """A block of zeros that arrays are views of.

    Args:
        nbytes: its size.
        dtype: of the arrays.
    """

    def __init__(self, nbytes: int, dtype: np.dtype[Any]) -> None:
        self._block, self._dtype = zeros((nbytes,), np.dtype(np.uint8)), dtype

    def array(self, slot: Slot, columns: int | None = None) -> Array:
        """The column-major array (N, M) of a slot, or one with fewer columns that begins there."""
        spec = slot.spec
        shape = spec.column_length(self._dtype), spec.columns if columns is None else columns
        return np.ndarray(shape, self._dtype, self._block, slot.offset, order="F")[: spec.rows]


def bit_pattern(array: Array) -> Array:
    """The values of an array (N, M) reinterpreted as unsigned integers of the same size; 0.0 becomes 0."""
    return array.view(f"u{array.itemsize}")
