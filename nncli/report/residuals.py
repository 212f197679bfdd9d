"""Residuals of a regression: target minus prediction."""

from typing import NamedTuple

import numpy as np

from nncli.nn.parameters import Array
from nncli.report.trained_run import TrainedRun

BINS = 30


class Residuals(NamedTuple):
    """The residuals of one target, in its unit.

    Args:
        split: the split.
        target: the name of the target.
        targets: t, the values (N,) of the rows.
        predictions: y, the predictions (N,).
        mean: the mean of t − y.
        deviation: the standard deviation of t − y.
        counts: the number of rows (B,) in each bin of t − y.
        edges: the edges (B + 1,) of the bins.
    """

    split: str
    target: str
    targets: Array
    predictions: Array
    mean: float
    deviation: float
    counts: Array
    edges: Array

    @property
    def residuals(self) -> Array:
        """t − y (N,), positive where the prediction is too low."""
        difference: Array = self.targets - self.predictions
        return difference


def residuals_of(trained: TrainedRun, split: str | None = None) -> list[Residuals]:
    """The residuals of each target of a regression; none for a classifier."""
    rows = trained.predicted(split)
    if rows.classes is not None:
        return []
    found = []
    for name, targets, predictions in zip(trained.targets, rows.targets.T, rows.outputs.T, strict=True):
        difference = targets - predictions
        counts, edges = np.histogram(difference, BINS)
        moments = float(difference.mean()), float(difference.std())
        found.append(Residuals(rows.split, name, targets, predictions, *moments, counts, edges))
    return found
