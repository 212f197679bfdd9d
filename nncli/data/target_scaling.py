"""Standardization of regression targets; predictions and metrics are converted back."""

from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from nncli.data.transforms.moments import is_constant, mean_and_deviation

Array = NDArray[Any]


class TargetScaling(NamedTuple):
    """Mean and standard deviation of each target column (M,), measured on the training rows.

    A network trains well on targets of about −1 … 1, so that the same learning rate suits targets in any unit.
    """

    mean: Array
    scale: Array

    @classmethod
    def fit(cls, targets: Array, weights: Array | None = None) -> Self:
        """Fit to targets (N, M), weighted by positive weights (N,); a constant target is only shifted."""
        moments = [mean_and_deviation(np.array(column, np.float64), weights) for column in targets.T]
        scales = [1.0 if is_constant(column) else each[1] for column, each in zip(targets.T, moments, strict=True)]
        return cls(np.array([each[0] for each in moments]), np.array(scales))

    def apply(self, targets: Array) -> Array:
        """(t − mean) / scale, (N, M)."""
        scaled: Array = (targets - self.mean) / self.scale
        return scaled

    def restore(self, outputs: Array) -> Array:
        """Outputs (N, M) in the unit of the targets, in float64."""
        restored: Array = outputs * self.scale + self.mean
        return restored

    @property
    def typical_targets(self) -> Array:
        """Two rows of targets (2, M) with the mean and the standard deviation of the training rows."""
        return np.array([self.mean - self.scale, self.mean + self.scale])

    @classmethod
    def from_state(cls, state: Any) -> Self:
        """Restore the scaling from its state.

        Raises:
            ValueError: the state is damaged.
        """
        try:
            mean, scale = np.array(state["mean"], np.float64), np.array(state["scale"], np.float64)
        except (KeyError, TypeError, ValueError):
            raise ValueError("targets: mean and scale are lists of numbers") from None
        if mean.shape != scale.shape or mean.ndim != 1 or not np.isfinite(mean).all() or not (scale > 0).all():
            raise ValueError("targets: mean and scale differ in length, or are out of range")
        return cls(mean, scale)

    def state(self) -> dict[str, list[float]]:
        """Mean and scale as JSON values."""
        return {"mean": self.mean.tolist(), "scale": self.scale.tolist()}
