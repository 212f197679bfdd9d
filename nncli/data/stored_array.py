"""Arrays in files, of which only the rows that are used are read."""

import os
import resource
from io import FileIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
WINDOW = 2**20  # bytes per read
INDICES = 2**17  # rows that are sorted at once


def stored_array(file: FileIO, offset: int, dtype: np.dtype[Any], shape: tuple[int, ...]) -> "Array | StoredArray":
    """An array in an open file: memory-mapped, unless the address space is limited (ulimit -v)."""
    if resource.getrlimit(resource.RLIMIT_AS)[0] == resource.RLIM_INFINITY and shape[0]:
        return np.memmap(file, dtype, "r", offset, shape)
    return StoredArray(file, offset, dtype, shape)


class StoredArray:
    """An array in a file; indexing reads rows into an ordinary array.

    Args:
        file: the open file.
        offset: the position of the first row.
        dtype: of the values.
        shape: (N,) or (N, D).
    """

    def __init__(self, file: FileIO, offset: int, dtype: np.dtype[Any], shape: tuple[int, ...]) -> None:
        self._file, self._offset, self.dtype, self.shape = file, offset, dtype, shape
        self.ndim = len(shape)
        self._row_bytes = dtype.itemsize * (shape[1] if len(shape) > 1 else 1)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any) -> Any:
        rows, *columns = key if isinstance(key, tuple) else (key,)
        if isinstance(rows, int | np.integer):
            return self._rows(np.array([rows]))[(0, *columns)]
        if isinstance(rows, slice):
            start, stop, step = rows.indices(len(self))
            found = self._read(start, max(start, stop))[::step] if step > 0 else self._rows(np.arange(len(self))[rows])
        else:
            found = self._rows(np.flatnonzero(rows) if np.asarray(rows).dtype == bool else np.asarray(rows))
        return found[(slice(None), *columns)] if columns else found

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return self._read(0, len(self)).astype(dtype or self.dtype, copy=False)

    def take(self, rows: Array, axis: int, out: Array, mode: str) -> Array:
        """Fill ``out`` with the rows at these indices, as ``numpy.take``."""
        out[...] = self._rows(rows)
        return out

    def _rows(self, rows: Array) -> Array:
        """The rows at these indices."""
        found = np.empty((len(rows), *self.shape[1:]), self.dtype)
        for start in range(0, len(rows), INDICES):
            self._read_rows(rows[start : start + INDICES], found[start : start + INDICES])
        return found

    def _read_rows(self, rows: Array, out: Array) -> None:
        """Fill ``out`` with rows; neighboring rows in the file are read together."""
        indices = np.where(rows < 0, rows + len(self), rows)
        order = np.argsort(indices, kind="stable")
        ascending = indices[order]
        size = max(1, WINDOW // self._row_bytes)
        start = 0
        while start < len(rows):
            first = int(ascending[start])
            end = int(np.searchsorted(ascending, first + size))
            window = self._read(first, int(ascending[end - 1]) + 1)
            out[order[start:end]] = window[ascending[start:end] - first]
            start = end

    def _read(self, start: int, stop: int) -> Array:
        """The rows from one index to another."""
        values = np.empty((stop - start, *self.shape[1:]), self.dtype)
        data, position = values.reshape(-1).view(np.uint8).data, self._offset + start * self._row_bytes
        while data:
            count = os.preadv(self._file.fileno(), [data], position)
            if not count:
                raise OSError(f"{self._file.name}: ends too early")
            data, position = data[count:], position + count
        return values
