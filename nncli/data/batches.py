"""Rows in the portions in which a network is trained on them."""

from collections.abc import Iterator
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nncli.data.dataset import Random


class Batches:
    """Inputs (N, D) with encoded targets (N, M), all at once or in shuffled portions.

    A full batch is always the same two arrays, column-major and of one number format. Portions are gathered into
    buffers which the next portion overwrites: inputs row by row in their own format, targets row by row and from there
    by columns, as the outputs lie that they are held against: the copy and P − T of 128 × 10 numbers take 1.6 µs, P − T
    alone 2.3 else. The last portion of an epoch may be smaller. Inputs that lie in a file, row by row, are read as they
    are needed, and are never held a second time.

    Args:
        inputs: (N, D), of any number format.
        targets: (N, M), as the loss encodes them.
        size: rows a portion; all of them where it is None or N.
    """

    def __init__(self, inputs: NDArray[Any], targets: NDArray[Any], size: int | None) -> None:
        self.size = size or len(inputs)
        self.shuffled = self.size < len(inputs)
        if self.shuffled:  # rows are gathered
            self.inputs, self.targets = np.ascontiguousarray(inputs), np.ascontiguousarray(targets)
        else:  # columns are summed
            self.inputs, self.targets = np.asfortranarray(inputs, targets.dtype), np.asfortranarray(targets)
        rows = self.size if self.shuffled else 0
        inputs, targets = self.inputs[:rows], self.targets[:rows]
        self._gathered = np.empty_like(inputs), np.empty_like(targets), np.empty_like(targets, order="F")

    def __len__(self) -> int:
        """How many portions an epoch has."""
        return ceil(len(self.inputs) / self.size)

    def epoch(self, rng: Random | None, first: int = 0) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
        """Every row once, in an order drawn from ``rng``; a full batch needs none.

        Args:
            rng: where the order is drawn from.
            first: the portion to begin with, where those before it have been trained.

        Raises:
            ValueError: portions were asked for, and there is no ``rng`` to shuffle by.
        """
        if not self.shuffled:
            return iter(((self.inputs, self.targets),))
        if rng is None:
            raise ValueError("shuffled portions need a random generator")
        return self._portions(rng.permutation(len(self.inputs)), first * self.size)

    def _portions(self, order: NDArray[Any], begin: int) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
        for start in range(begin, len(order), self.size):
            rows = order[start : start + self.size]
            inputs, by_rows, targets = self._gathered
            if len(rows) < self.size:  # the last of an epoch
                inputs, by_rows, targets = (part[: len(rows)] for part in self._gathered)
            self.inputs.take(rows, axis=0, out=inputs, mode="clip")  # "raise" would gather twice
            self.targets.take(rows, axis=0, out=by_rows, mode="clip")
            np.copyto(targets, by_rows)
            yield inputs, targets
