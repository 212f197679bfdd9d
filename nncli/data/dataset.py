"""What every data set offers: rows of inputs with a target each, and a fingerprint."""

import hashlib
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from nncli.registry import kind

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


@kind("dataset")
class Source:
    """Where a data set comes from; its size is known before any row is drawn."""

    @property
    def rows(self) -> int:
        """N, the number of rows that ``draw`` gives."""
        return sum(self.class_counts)

    @property
    def class_counts(self) -> tuple[int, ...]:
        """The number of rows of each class; of all rows where there are no classes."""
        raise NotImplementedError(f"{type(self).__name__} has no class_counts")

    @property
    def columns(self) -> int:
        """D, the number of inputs in a row."""
        raise NotImplementedError(f"{type(self).__name__} has no columns")

    @property
    def classes(self) -> int | None:
        """C, the number of classes; None where a target is not a class but one number or several."""
        raise NotImplementedError(f"{type(self).__name__} has no classes")

    @property
    def target_columns(self) -> int:
        """M, how many numbers the target of a row has; a class is one."""
        return 1

    def shared_rows(self, other: "Source") -> int:
        """How many of the rows another source has too: one of the same type, drawn from the same seed if any.

        A single row that all sources of a type have, such as the origin, is not counted.
        """
        return self.rows if vars(self) == vars(other) else 0

    def draw(self, rng: Random) -> Dataset:
        """The rows, from this stream where the set is a random one."""
        raise NotImplementedError(f"{type(self).__name__} has no draw")
