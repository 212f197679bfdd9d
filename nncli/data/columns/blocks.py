"""Blocks of values of a column, in the order of the rows."""

from collections.abc import Callable, Iterator
from typing import Protocol, TypeAlias

import numpy as np

from nncli.data.transforms.moments import Array

FEW = 8  # values that most often tell that a dtype is too small
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
