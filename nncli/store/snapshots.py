"""snapshots.npz: the weights at logged epochs, thinned evenly as the training grows."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import prod

import numpy as np

from nncli.nn.parameters import Array, Parameters
from nncli.store.npz import Signature, pack_arrays, read_npz, read_signature

EPOCHS = "epochs"  # the array of the epochs; all others are those of weights.npz, with the snapshot as the first axis
EPOCH_DTYPE = np.dtype(np.int64).str


def stride(index: int, limit: int) -> int:
    """The smallest power of two whose multiples from 0 to ``index`` are at most ``limit``; limit > 0."""
    step = 1
    while index // step >= limit:
        step *= 2
    return step


class SnapshotWriter:
    """The snapshots of a training in progress.

    The logged epochs are counted by i = 0, 1, 2, ...; after epoch i those are kept whose index is a multiple of
    ``stride(i, limit)``. Which are kept depends on i alone, and a later selection is a subset of an earlier one and of
    the epochs since then. So a file that is newer than the checkpoint has all that a resumed training needs.

    Args:
        limit: the largest number of snapshots.
        parameters: the parameters of the network.
        logged: the epochs that have been logged.
        snapshots: the weights by epoch in the file of the run.
    """

    def __init__(
        self,
        limit: int,
        parameters: Parameters,
        logged: Sequence[int] = (),
        snapshots: Mapping[int, Array] | None = None,
    ) -> None:
        self.limit, self.is_changed, self._parameters, self._count = limit, False, parameters, len(logged)
        self._stride, found = 1, snapshots or {}
        self._kept = {index: (epoch, found[epoch]) for index, epoch in enumerate(logged) if epoch in found}
        self._thin()

    def add(self, epoch: int) -> None:
        """Add a logged epoch: copy its weights if it is kept."""
        index = self._count
        self._count += 1
        self._thin()
        if self.limit and index % self._stride == 0:
            self._kept[index] = epoch, self._parameters.values.copy()
            self.is_changed = True

    def pack(self) -> bytes:
        """The content of the file."""
        self.is_changed = False
        epochs = np.array([epoch for epoch, _ in self._kept.values()], EPOCH_DTYPE)
        views = [self._parameters.views(values) for _, values in self._kept.values()]
        stacked = {name: np.stack([each[name] for each in views]) for name in self._parameters.shapes}
        return pack_arrays({EPOCHS: epochs, **stacked})

    def _thin(self) -> None:
        """Drop the snapshots whose index is no multiple of the stride, once it has grown."""
        if self._count <= self.limit * self._stride or not self.limit:
            return
        self._stride = stride(self._count - 1, self.limit)
        count = len(self._kept)
        self._kept = {index: snapshot for index, snapshot in self._kept.items() if index % self._stride == 0}
        self.is_changed = self.is_changed or len(self._kept) < count


def kept(logged: Sequence[int], limit: int) -> list[int]:
    """The epochs of the snapshots after these epochs have been logged."""
    return list(logged[:: stride(len(logged) - 1, limit)]) if logged and limit else []


def parse(data: bytes, expected: Mapping[str, Signature], limit: int, last: int) -> dict[int, dict[str, Array]]:
    """The arrays of each snapshot, by its epoch.

    Args:
        data: the content of the file, which is untrusted.
        expected: shape and dtype of each array of the network.
        limit: the largest number of snapshots.
        last: the last epoch of the config.

    Raises:
        ValueError: the file is damaged, or of another network.
    """
    shape, _ = read_signature(data, EPOCHS, (EPOCHS, *expected))
    count = prod(shape)
    if not 0 < count <= limit:
        raise ValueError(f"it has {count} snapshots, expected 1 to {limit}")
    stacked: dict[str, Signature] = {name: ((count, *shape), dtype) for name, (shape, dtype) in expected.items()}
    arrays = read_npz(data, {EPOCHS: ((count,), EPOCH_DTYPE), **stacked})
    epochs = arrays.pop(EPOCHS).tolist()
    if any(one >= other for one, other in pairwise([-1, *epochs, last + 1])):
        raise ValueError(f"its epochs are not increasing numbers from 0 to {last}")
    return {epoch: {name: array[index] for name, array in arrays.items()} for index, epoch in enumerate(epochs)}


def vector(arrays: Mapping[str, Array], parameters: Parameters) -> Array:
    """The arrays of a snapshot as one vector with the layout of the parameters."""
    return np.concatenate([arrays[name].ravel() for name in parameters.shapes])
