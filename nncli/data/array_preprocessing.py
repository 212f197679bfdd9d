"""Preprocessing of arrays: the shape and dtype of a row, its scaling, and that of real-valued targets."""

from math import prod
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray

from nncli.data.array_scaling import ArrayScaling
from nncli.data.dataset import Dataset, RowCount
from nncli.data.fitted_preprocessing import FittedPreprocessing
from nncli.data.lazy_rows import RawRows, ScaledRows
from nncli.data.scaling_name import ScalingName
from nncli.data.target_scaling import TargetScaling
from nncli.data.transforms.state import require, validated_state
from nncli.registry import Bounds, Count, Model, Positive

BYTES = np.dtype(np.uint8)


class ArrayState(Model):
    """The state of the preprocessing of arrays.

    Args:
        shape: the shape of a row.
        dtype: the dtype of its values.
        center: the number that is subtracted, (D,), or (1,) for all columns.
        scale: the divisor, (D,), or (1,) for all columns.
        targets: the state of the scaling of the targets; None for class labels.
        class_counts: the number of training rows of each class; None for regression, and if it is not recorded.
    """

    extra: ClassVar[Literal["forbid", "ignore"]] = "ignore"  # keys that a later version adds
    shape: Annotated[list[Count], Bounds(min_length=1)]
    dtype: str
    center: list[float]
    scale: list[Positive]
    targets: Any = None
    class_counts: list[RowCount] | None = None


class ArrayPreprocessing(FittedPreprocessing):
    """Scales rows of an array lazily, batch by batch.

    Args:
        shape: the shape of a row.
        dtype: the dtype of its values.
        values: the scaling of the values.
        scaling: the scaling of real-valued targets; None for class labels.
        class_counts: the number of training rows of each class; None for regression, and if it is not known.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        values: ArrayScaling,
        scaling: TargetScaling | None = None,
        class_counts: list[int] | None = None,
    ) -> None:
        self.shape, self.dtype, self.values, self.scaling = shape, dtype, values, scaling
        self.class_counts = class_counts

    @classmethod
    def fit(cls, training: Dataset, scaling: ScalingName | None) -> Self:
        """Fit to the training rows, whose inputs are ``RawRows``.

        Columns of (N, D) inputs are scaled separately. Rows of several dimensions, such as images, have one scaling for
        all values.

        Args:
            training: the training rows.
            scaling: the name of the scaling; by default ``symmetric`` for bytes, ``standardize`` for other numbers.

        Raises:
            SourceError: all inputs are constant, or a value is too large.
        """
        rows: RawRows = training.inputs  # type: ignore[assignment]
        shape, dtype = rows.values.shape[1:], rows.values.dtype
        name = scaling or ("symmetric" if dtype == BYTES else "standardize")
        values = ArrayScaling.fit(name, rows.blocks(), by_column=len(shape) == 1)
        if training.classes is None:
            return cls(shape, dtype, values, TargetScaling.fit(training.targets))
        counts = np.bincount(training.targets, minlength=training.classes).tolist()
        return cls(shape, dtype, values, class_counts=counts)

    @classmethod
    def restore(cls, state: Any) -> Self:
        """Restore the preprocessing from its state.

        Raises:
            ValueError: the state is damaged; the message names the key.
        """
        restored = validated_state(state, ArrayState)
        center, scale = np.array(restored.center), np.array(restored.scale)
        size = prod(restored.shape)
        require(len(center) in {1, size}, "center", f"{len(center)} values for rows of {size}")
        require(len(scale) == len(center), "scale", f"{len(scale)} values for {len(center)} centers")
        try:
            dtype = np.dtype(restored.dtype)
        except TypeError:
            raise ValueError("dtype: not the name of a dtype") from None
        targets = None if restored.targets is None else TargetScaling.from_state(restored.targets)
        return cls(tuple(restored.shape), dtype, ArrayScaling(center, scale), targets, restored.class_counts)

    @property
    def size(self) -> int:
        """D, the number of values in a row."""
        return prod(self.shape)

    def inputs(self, rows: RawRows | NDArray[Any], dtype: str) -> ScaledRows:
        """The inputs (N, D) of rows, given as ``RawRows`` or as an array (N, …); they are scaled lazily."""
        return ScaledRows(rows if isinstance(rows, RawRows) else RawRows(rows), self.values, dtype)

    def state(self) -> dict[str, Any]:
        """The fitted state as JSON values."""
        return {
            "shape": list(self.shape),
            "dtype": self.dtype.name,
            "center": self.values.center.tolist(),
            "scale": self.values.scale.tolist(),
            "targets": None if self.scaling is None else self.scaling.state(),
            "class_counts": self.class_counts,
        }
