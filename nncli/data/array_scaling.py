"""Scaling of numeric arrays, fitted to the training rows block by block."""

from collections.abc import Iterable
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from nncli.data.scaling_name import ScalingName
from nncli.data.source import SourceError
from nncli.data.transforms.moments import ROUNDING
from nncli.data.transforms.scaling import BYTE_CENTER

Array = NDArray[Any]


class ArrayScaling(NamedTuple):
    """Subtracts a center c and divides by a scale s: y = (x − c) / s.

    Both are (D,) if each column is scaled separately, or (1,) if all values have the same scaling.
    """

    center: Array
    scale: Array

    @classmethod
    def fit(cls, name: ScalingName, blocks: Iterable[Array], by_column: bool) -> Self:
        """Fit a scaling to the training rows.

        Args:
            name: the scaling: ``standardize``, ``min_max``, ``symmetric`` or ``none``.
            blocks: all training rows in blocks (B, D); read only by ``standardize`` and ``min_max``.
            by_column: whether each column is scaled separately.

        Raises:
            SourceError: all columns are constant, or the values are too large.
        """
        if name == "symmetric":
            return cls(np.array([BYTE_CENTER]), np.array([BYTE_CENTER]))
        if name == "none":
            return cls(np.zeros(1), np.ones(1))
        measured = ColumnStatistics.of(blocks, by_column)
        return cls(*measured.range() if name == "min_max" else measured.standard())

    def apply(self, values: Array, out: Array) -> None:
        """Fill ``out`` with the scaled values; (B, D) both.

        Computed in the common dtype of both arrays (``np.result_type``), so that bytes are not converted to float64.
        """
        dtype = np.result_type(values, out)
        scaled = out if dtype == out.dtype else np.empty(values.shape, dtype)
        with np.errstate(over="ignore"):
            np.subtract(values, self.center.astype(dtype), out=scaled)  # x − c
            np.divide(scaled, self.scale.astype(dtype), out=scaled)  # (x − c) / s
            if scaled is not out:
                np.copyto(out, scaled, casting="same_kind")


class ColumnStatistics(NamedTuple):
    """Statistics of each column (D,) in float64, accumulated over blocks of rows.

    Args:
        rows: N.
        mean: m = Σ x / N.
        squares: Σ (x − m)².
        smallest: min x.
        largest: max x.
    """

    rows: int
    mean: Array
    squares: Array
    smallest: Array
    largest: Array

    @classmethod
    def of(cls, blocks: Iterable[Array], by_column: bool) -> Self:
        """Accumulate the statistics of all blocks.

        Raises:
            SourceError: there is no block, or the square of a value overflows.
        """
        total: Self | None = None
        with np.errstate(over="ignore", invalid="ignore"):
            for block in blocks:
                part = cls._of_block(block if by_column else block.reshape(-1, 1))
                total = part if total is None else total._with(part)
        if total is None:
            raise SourceError("the training set has no rows")
        if not np.isfinite(total.squares).all():
            raise SourceError("values are too large to be scaled, as their squares overflow; divide them by a constant")
        return total

    @classmethod
    def _of_block(cls, block: Array) -> Self:
        values = block.astype(np.float64)
        mean = values.mean(axis=0)
        return cls(len(values), mean, np.square(values - mean).sum(axis=0), values.min(axis=0), values.max(axis=0))

    def _with(self, other: Self) -> Self:
        """The statistics of the rows of both.

        Source: Chan, Golub and LeVeque 1983, "Algorithms for computing the sample variance", equation 2.1.
        """
        rows, difference = self.rows + other.rows, other.mean - self.mean
        squares = self.squares + other.squares + np.square(difference) * (self.rows * other.rows / rows)
        return type(self)(
            rows,
            self.mean + difference * (other.rows / rows),
            squares,
            np.minimum(self.smallest, other.smallest),
            np.maximum(self.largest, other.largest),
        )

    def standard(self) -> tuple[Array, Array]:
        """Mean and standard deviation (D,); the deviation of a constant column is 1.

        Raises:
            SourceError: all columns are constant.
        """
        return self.mean, self._unless_constant(np.sqrt(self.squares / self.rows))

    def range(self) -> tuple[Array, Array]:
        """Minimum and range (D,); the range of a constant column is 1.

        Raises:
            SourceError: all columns are constant.
        """
        return self.smallest, self._unless_constant(self.largest - self.smallest)

    def _unless_constant(self, scale: Array) -> Array:
        """The scale, or 1 for columns that ``moments.is_constant`` calls constant."""
        magnitude = np.maximum(np.abs(self.smallest), np.abs(self.largest))
        is_constant = (self.largest - self.smallest <= ROUNDING * magnitude) | (scale == 0)
        if is_constant.all():
            raise SourceError("no input varies in the training rows")
        return np.where(is_constant, 1.0, scale)
