"""Lazily read and scaled rows of an array in a file or in memory."""

from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nncli.data.array_scaling import ArrayScaling
from nncli.data.dataset import BLOCK_BYTES

Array = NDArray[Any]


class RawRows:
    """Some or all rows of an array (N, …), unscaled.

    Args:
        values: the array, which may be a memory map.
        indices: the indices of the rows; all of them if None.
    """

    def __init__(self, values: Array, indices: Array | None = None) -> None:
        self.values, self.indices = values, indices

    def __len__(self) -> int:
        return len(self.values if self.indices is None else self.indices)

    def __getitem__(self, rows: Any) -> "RawRows":
        return RawRows(self.values, np.arange(len(self.values))[rows] if self.indices is None else self.indices[rows])

    @property
    def shape(self) -> tuple[int, int]:
        """N and D, the number of values in a row."""
        return len(self), prod(self.values.shape[1:])

    def read(self, rows: Any) -> Array:
        """The values (B, D) of some of the rows, given as a slice or as indices."""
        values = self.values[rows if self.indices is None else self.indices[rows]]
        flat: Array = values.reshape(len(values), -1)
        return flat

    @property
    def block_rows(self) -> int:
        """The number of rows in a block of about one mebibyte."""
        row_bytes = max(1, self.shape[1] * self.values.itemsize)
        return max(1, BLOCK_BYTES // row_bytes)

    def blocks(self) -> Iterator[Array]:
        """The values of all rows in blocks (B, D)."""
        size = self.block_rows
        for start in range(0, len(self), size):
            yield self.read(slice(start, start + size))

    def hashes(self) -> Array:
        """A hash (N,) of each row: equal for equal rows, and nearly surely only for those."""
        return np.concatenate([row_hashes(block) for block in self.blocks()])


def row_hashes(rows: Array) -> Array:
    """A hash (N,) of each row (N, D): equal for equal rows, also within other arrays of the dtype."""
    values = np.ascontiguousarray(rows + 0.0 if rows.dtype.kind == "f" else rows)  # −0 equals 0
    return np.array([hash(row.tobytes()) for row in values], np.int64)


class ScaledRows:
    """Rows (N, D) that are scaled lazily: indexing returns an ordinary array of ``dtype``.

    Mini-batches use it in place of an array of inputs.

    Args:
        raw: the rows.
        scaling: how their values are scaled.
        dtype: the dtype of the scaled values.
    """

    ndim = 2

    def __init__(self, raw: RawRows, scaling: ArrayScaling, dtype: str) -> None:
        self._raw, self._scaling, self.dtype = raw, scaling, np.dtype(dtype)
        self.shape = raw.shape

    def __len__(self) -> int:
        return len(self._raw)

    def __getitem__(self, key: Any) -> Any:
        rows, *columns = key if isinstance(key, tuple) else (key,)
        if isinstance(rows, int | np.integer):
            return self._scaled(self._raw.read([rows]))[(0, *columns)]
        scaled = self._scaled(self._raw.read(rows))
        return scaled[(slice(None), *columns)] if columns else scaled

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        scaled = np.empty(self.shape, self.dtype)
        start = 0
        for block in self._raw.blocks():
            self._scaling.apply(block, scaled[start : start + len(block)])
            start += len(block)
        return scaled.astype(dtype or self.dtype, copy=False)

    def take(self, rows: Array, axis: int, out: Array, mode: str) -> Array:
        """Fill ``out`` with the rows at these indices, as ``numpy.take``; block by block, so that no copy is large."""
        size = self._raw.block_rows
        for start in range(0, len(rows), size):
            self._scaling.apply(self._raw.read(rows[start : start + size]), out[start : start + size])
        return out

    def _scaled(self, values: Array) -> Array:
        scaled = np.empty(values.shape, self.dtype)
        self._scaling.apply(values, scaled)
        return scaled
