"""Mini-batches of a training set, shuffled in every epoch."""

from collections.abc import Iterator
from math import ceil
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from nncli.data.dataset import Random, row_blocks, some_weights
from nncli.processes import shared_zeros

Batch: TypeAlias = tuple[NDArray[Any], NDArray[Any], NDArray[Any] | None]  # inputs, targets, weights of the rows


class Batches:
    """Inputs (N, D) with encoded targets (N, M), as one full batch or as shuffled mini-batches.

    A full batch is always the same two column-major arrays of one dtype. Mini-batches are gathered into reused buffers,
    valid until the next batch. Inputs stay row-major in their own dtype; targets are gathered row-major, which is
    fast, then copied to column-major, the layout of the outputs from which they are subtracted. The last mini-batch of
    an epoch may be smaller. Row-major inputs, and those that are computed as they are used, are never copied as a whole
    for mini-batches.

    Args:
        inputs: (N, D), of any dtype; an array, or ``ScaledRows``.
        targets: (N, M), as the loss encodes them.
        size: rows per batch; a full batch if it is None or N.
        weights: those of the rows (N,) in the loss, if they differ.
    """

    def __init__(
        self, inputs: NDArray[Any], targets: NDArray[Any], size: int | None, weights: NDArray[Any] | None = None
    ) -> None:
        self.weights = weights
        self.size = size or len(inputs)
        self.shuffled = self.size < len(inputs)
        if self.shuffled:  # rows are gathered
            self.inputs = np.ascontiguousarray(inputs) if isinstance(inputs, np.ndarray) else inputs
            self.targets = np.ascontiguousarray(targets)
        else:  # columns are summed
            self.inputs, self.targets = _column_major(inputs, targets.dtype), np.asfortranarray(targets)
        rows = self.size if self.shuffled else 0
        self._order = np.empty(len(inputs) if rows else 0, np.int64)
        row_major = np.empty((rows, self.inputs.shape[1]), self.inputs.dtype)
        targets = self.targets[:rows]
        self._buffers = row_major, np.empty_like(targets), np.empty_like(targets, order="F")

    def __len__(self) -> int:
        """The number of batches per epoch."""
        return ceil(len(self.inputs) / self.size)

    def share_order(self, is_shared: bool = True) -> None:
        """Keep the order of the rows in memory that is shared with processes that are forked later, or no longer."""
        order = (shared_zeros if is_shared else np.empty)(self._order.shape, self._order.dtype)
        order[...], self._order = self._order, order

    def epoch(self, rng: Random | None, first: int = 0) -> Iterator[slice]:
        """The batches of an epoch, each as a part of a random order of the rows; a full batch keeps their order.

        Args:
            rng: the generator of the order; a full batch needs none.
            first: the index of the first batch, to resume in the middle of an epoch.

        Raises:
            ValueError: mini-batches need an ``rng``.
        """
        if self.shuffled:
            if rng is None:
                raise ValueError("shuffled mini-batches need a random generator")
            self._order[...] = rng.permutation(len(self._order))
        bounds = range(0, len(self.inputs), self.size)
        return (slice(start, min(start + self.size, len(self.inputs))) for start in bounds[first:])

    def gather(self, part: slice) -> Batch:
        """The rows of a batch of ``epoch``, in the order of that epoch."""
        if not self.shuffled:
            return self.inputs, self.targets, self.weights
        rows, (inputs, row_major, targets) = self._order[part], self._buffers
        if len(rows) < self.size:  # the remainder batch
            inputs, row_major, targets = (buffer[: len(rows)] for buffer in self._buffers)
        self.inputs.take(rows, axis=0, out=inputs, mode="clip")  # mode="raise" would buffer the output
        self.targets.take(rows, axis=0, out=row_major, mode="clip")
        np.copyto(targets, row_major)
        return inputs, targets, some_weights(self.weights, rows)


def _column_major(inputs: Any, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Inputs (N, D) as a column-major array; those that are computed as they are used are copied block by block."""
    if isinstance(inputs, np.ndarray):
        return np.asfortranarray(inputs, dtype)
    columns, start = np.empty(inputs.shape, dtype, order="F"), 0
    for block in row_blocks(inputs):
        columns[start : start + len(block)] = block
        start += len(block)
    return columns
