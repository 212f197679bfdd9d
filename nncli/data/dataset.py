"""Data sets as arrays, and their schemas: what is known of a data set before its rows are sampled or read."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import prod
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic_core import CoreSchema, core_schema

from nncli.registry import Bounds, Model

if TYPE_CHECKING:
    from nncli.data.target_scaling import TargetScaling

Random: TypeAlias = np.random.Generator | np.random.RandomState
BLOCK_BYTES = 1 << 20  # size of the blocks in which arrays are processed
RowCount = Annotated[int, Bounds(ge=0, le=2**53)]


class DataSchema(Model):
    """Names and sizes of a data set, measured once when its source is opened, and recorded in run.json.

    Args:
        features: the D names of the input columns.
        targets: the M names of the target columns; one if the target is a class.
        class_names: the names of the classes 0, 1, ...; None for regression.
        class_counts: the number of rows of each class, which a test set may lack; for regression one count of all rows.
    """

    extra: ClassVar[Literal["forbid", "ignore"]] = "ignore"  # keys that a later version adds
    features: Annotated[list[str], Bounds(min_length=1)]
    targets: Annotated[list[str], Bounds(min_length=1)]
    class_names: list[str] | None
    class_counts: Annotated[list[RowCount], Bounds(min_length=1)]

    @classmethod
    def core(cls) -> CoreSchema:
        """The schema of a mapping with one count per class, or one of all rows."""
        return core_schema.no_info_after_validator_function(_with_matching_counts, super().core())

    @property
    def columns(self) -> int:
        """D, the number of features."""
        return len(self.features)

    @property
    def target_columns(self) -> int:
        """M, the number of target columns."""
        return len(self.targets)

    @property
    def classes(self) -> int | None:
        """The number of classes; None for regression."""
        return None if self.class_names is None else len(self.class_names)

    @property
    def rows(self) -> int:
        """N, the number of rows."""
        return sum(self.class_counts)


def _with_matching_counts(schema: DataSchema) -> DataSchema:
    if len(schema.class_counts) != (1 if schema.classes is None else schema.classes):
        raise ValueError("class_counts needs one count per class, or one of all rows")
    return schema


def index_dtype(rows: int) -> type[np.signedinteger[Any]]:
    """The dtype of indices of rows: four bytes, unless there are too many rows."""
    return np.int32 if rows < 2**31 else np.int64


def some_weights(weights: NDArray[Any] | None, rows: Any) -> NDArray[Any] | None:
    """The weights of some rows; None if all rows have the same weight."""
    return None if weights is None else weights[rows]


@dataclass(frozen=True)
class Dataset:
    """Inputs (N, D) and targets: class labels (N,) from 0 to ``classes`` − 1, or real values (N, M) if it is None.

    Inputs are an array, or ``ScaledRows``, which become one when they are indexed.

    Real values are in their own unit; ``scaling`` standardizes them for training. ``weights`` (N,) of the rows and
    ``class_weights`` (C,) apply to the loss; None if all count the same.
    """

    inputs: NDArray[Any]
    targets: NDArray[Any]
    classes: int | None
    scaling: "TargetScaling | None" = None
    weights: NDArray[Any] | None = None
    class_weights: NDArray[Any] | None = None

    def __len__(self) -> int:
        return len(self.inputs)

    def rows(self, indices: NDArray[Any]) -> "Dataset":
        """Return the rows at these indices."""
        inputs, targets, weights = self.inputs[indices], self.targets[indices], some_weights(self.weights, indices)
        return replace(self, inputs=inputs, targets=targets, weights=weights)

    @property
    def loss_weights(self) -> NDArray[Any] | None:
        """The weight (N,) of each row in the loss; None if all count the same.

            w_i = v_i / mean(v)            v_i = s_i c_t      s_i of the row, c_t of its class t
            L = (1/N) Σ w_i L_i            = Σ v_i L_i / Σ v_i

        Weights have mean 1: only their ratios matter, and the learning rate need not change with them. A mini-batch of
        B rows has the loss (1/B) Σ w_i L_i, whose expectation is L; a batch of light rows makes a small step. PyTorch
        divides by the sum of the weights in the batch, so that a row counts more in a light batch than in a heavy one.
        """
        of_class = None if self.class_weights is None else self.class_weights[self.targets]
        factors = [each / each.max() for each in (self.weights, of_class) if each is not None]  # no product overflows
        if not factors:
            return None
        product = np.prod(factors, axis=0)
        return np.asarray(product / product.mean())

    def fingerprint(self) -> str:
        """SHA-256 of shapes, dtypes and bytes: equal for equal data sets on machines of the same byte order."""
        digest = hashlib.sha256()
        for array in (self.inputs, self.targets, *([] if self.weights is None else [self.weights])):
            digest.update(f"{array.dtype.str}{array.shape}".encode())
            for rows in row_blocks(array):
                digest.update(np.ascontiguousarray(rows).data)
        return digest.hexdigest()


def row_blocks(array: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """The rows of an array in blocks of about one mebibyte."""
    size = max(1, BLOCK_BYTES * len(array) // max(1, prod(array.shape) * array.dtype.itemsize))
    return (array[start : start + size] for start in range(0, len(array), size))
