"""Temporary files in the cache directory, for blocks of values that do not fit into memory."""

import os
import tempfile
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nncli.data import cache

Array = NDArray[Any]


class Spill:
    """An unnamed temporary file for blocks of values that do not fit into memory; it is deleted with the process."""

    def __init__(self) -> None:
        with cache.storage_errors(), tempfile.TemporaryFile(dir=cache.created_directory()) as file:
            self._file = cache.OpenFile(os.dup(file.fileno()))
        self._size = 0

    def write(self, block: Array) -> int:
        """Append a block, and return its position."""
        with cache.storage_errors():
            start, data = self._size, np.ascontiguousarray(block).view(np.uint8).data
            while data:
                written = os.pwrite(self._file.fileno(), data, self._size)
                self._size, data = self._size + written, data[written:]
        return start

    def read(self, start: int, dtype: np.dtype[Any], rows: int) -> Array:
        """The block at a position."""
        return np.frombuffer(os.pread(self._file.fileno(), rows * dtype.itemsize, start), dtype)


class SpilledBlocks:
    """Blocks of values in a spill file, in the order in which they were appended."""

    def __init__(self, spill: Spill) -> None:
        self._spill, self._blocks = spill, list[tuple[int, np.dtype[Any], int]]()

    def append(self, block: Array) -> None:
        """Add a block."""
        self._blocks.append((self._spill.write(block), block.dtype, len(block)))

    def __len__(self) -> int:
        return len(self._blocks)

    def __iter__(self) -> Iterator[Array]:
        return (self._spill.read(*each) for each in self._blocks)

    drain = __iter__
