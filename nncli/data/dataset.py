"""What every data set offers: rows of inputs with a target each, and a fingerprint."""

import hashlib
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Random: TypeAlias = np.random.Generator | np.random.RandomState


@dataclass(frozen=True)
class Dataset:
    """Inputs (N, D) with targets: class numbers (N,) from 0 to ``classes`` − 1, or, without classes, numbers (N, M)."""

    inputs: NDArray[Any]
    targets: NDArray[Any]
    classes: int | None

    def __len__(self) -> int:
        return len(self.inputs)

    def rows(self, indices: NDArray[Any]) -> "Dataset":
        """The set of these rows."""
        return Dataset(self.inputs[indices], self.targets[indices], self.classes)

    def fingerprint(self) -> str:
        """SHA-256 over shapes, types and bytes: equal for equal sets, on any machine of the same byte order."""
        digest = hashlib.sha256()
        for array in (self.inputs, self.targets):
            digest.update(f"{array.dtype.str}{array.shape}".encode())
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()
