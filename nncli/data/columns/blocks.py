"""Blocks of values of a column, in the order of the rows."""

from collections.abc import Callable, Iterator
from typing import Protocol, TypeAlias

import numpy as np

from nncli.data.transforms.moments import Array

PROBE = 8  # values that are checked first; they rule out most dtypes that are too small
MIN_ROWS = 64  # smaller blocks are joined
COMPACT = (np.uint8, np.int16, np.float32)


class Blocks(Protocol):
    """Storage for the blocks of a column: in memory, or in a file."""

    def append(self, block: Array) -> None:
        """Add a block."""

    def __iter__(self) -> Iterator[Array]:
        """The blocks, in the order in which they were added."""

    def drain(self) -> Iterator[Array]:
        """Yield the blocks in order, and release the memory of each."""


MakeBlocks: TypeAlias = Callable[[], Blocks]


class MemoryBlocks(list[Array]):
    """Blocks in memory."""

    def drain(self) -> Iterator[Array]:
        """Yield the blocks in order, and release the memory of each."""
        self.reverse()
        while self:
            yield self.pop()


class CompactBlocks:
    """Blocks in the smallest dtypes that hold their values exactly. Blocks of few rows, as of wide tables, are joined.

    Args:
        blocks: where the blocks are stored.
    """

    def __init__(self, blocks: Blocks) -> None:
        self._blocks = blocks
        self._parts, self._rows = list[Array](), 0  # of the next block
        self.is_exact_in_float32 = True

    def append(self, values: Array) -> None:
        """Add values."""
        if self._parts and self._parts[0].dtype != values.dtype:
            self._join()
        self._parts.append(values)
        self._rows += len(values)
        if self._rows >= MIN_ROWS:
            self._join()

    def __iter__(self) -> Iterator[Array]:
        """The blocks, in the order in which they were added."""
        self._join()
        return iter(self._blocks)

    def drain(self) -> Iterator[Array]:
        """Yield the blocks in order, and release the memory of each."""
        self._join()
        return self._blocks.drain()

    def _join(self) -> None:
        """Join the pending values into one block."""
        if self._parts:
            block = compact(self._parts[0] if len(self._parts) == 1 else np.concatenate(self._parts))
            self.is_exact_in_float32 &= block.dtype != np.float64
            self._blocks.append(block)
            self._parts, self._rows = [], 0


def compact(values: Array) -> Array:
    """The values in the smallest dtype that holds all of them exactly, the sign of −0 included."""
    exact = values.astype(np.float64, copy=False).view(np.int64)
    with np.errstate(invalid="ignore", over="ignore"):
        for dtype in COMPACT:
            if _holds(dtype, values[:PROBE], exact[:PROBE]) and _holds(dtype, values, exact):
                return values.astype(dtype)
    return values


def _holds(dtype: type, values: Array, exact: Array) -> bool:
    """Whether a dtype holds values whose bits as float64 are ``exact``."""
    return bool((values.astype(dtype).astype(np.float64).view(np.int64) == exact).all())
