"""Blocks of values of a column, in the order of the rows."""

from collections.abc import Callable, Iterator
from typing import Protocol, TypeAlias

import numpy as np

from nncli.data.transforms.moments import Array

FEW = 8  # values that most often tell that a dtype is too small
FEW_ROWS = 64
COMPACT = (np.uint8, np.int16, np.float32)


class Blocks(Protocol):
    """Where the blocks of a column are kept: in memory, or in a file."""

    def append(self, block: Array) -> None:
        """Add a block."""

    def __iter__(self) -> Iterator[Array]:
        """The blocks, in the order in which they were added."""

    def drain(self) -> Iterator[Array]:
        """The blocks, of which none is kept."""


MakeBlocks: TypeAlias = Callable[[], Blocks]


class MemoryBlocks(list[Array]):
    """Blocks in memory."""

    def drain(self) -> Iterator[Array]:
        """The blocks, of which none is kept."""
        self.reverse()
        while self:
            yield self.pop()


class CompactBlocks:
    """Blocks in the smallest dtypes that hold their values exactly; those of few rows, as of wide tables, are joined.

    Args:
        blocks: their place.
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
        if self._rows >= FEW_ROWS:
            self._join()

    def __iter__(self) -> Iterator[Array]:
        """The blocks, in the order in which they were added."""
        self._join()
        return iter(self._blocks)

    def drain(self) -> Iterator[Array]:
        """The blocks, of which none is kept."""
        self._join()
        return self._blocks.drain()

    def _join(self) -> None:
        """Make one block of the parts."""
        if self._parts:
            block = compact(self._parts[0] if len(self._parts) == 1 else np.concatenate(self._parts))
            self.is_exact_in_float32 &= block.dtype != np.float64
            self._blocks.append(block)
            self._parts, self._rows = [], 0


def compact(values: Array) -> Array:
    """The values in the smallest dtype that holds all of them exactly; the sign of −0 counts."""
    exact = values.astype(np.float64, copy=False).view(np.int64)
    with np.errstate(invalid="ignore", over="ignore"):
        for dtype in COMPACT:
            if _holds(dtype, values[:FEW], exact[:FEW]) and _holds(dtype, values, exact):
                return values.astype(dtype)
    return values


def _holds(dtype: type, values: Array, exact: Array) -> bool:
    """Whether a dtype holds values whose bits as float64 are ``exact``."""
    return bool((values.astype(dtype).astype(np.float64).view(np.int64) == exact).all())
