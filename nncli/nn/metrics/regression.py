"""Regression metrics."""

from math import inf

import numpy as np

from nncli.nn.metrics.metric import Metric, Task
from nncli.nn.parameters import Array
from nncli.registry import Positive, register


@register("r2")
class RSquared(Metric):
    """Coefficient of determination (R²): fraction of the targets' variance that the outputs explain.

        1 − Σ (t − p)² / Σ (t − mean t)²          p, t (N, M); the mean over the M columns

    0 is the score of predicting the mean; a negative score is worse than that. A column of equal targets scores 1 if it
    is predicted exactly, else 0, as in scikit-learn. So does a single row, for which scikit-learn returns NaN; here NaN
    means that training has diverged.

    Source: Draper and Smith 1998, section 1.3.
    """

    tasks = (Task.REGRESSION,)
    higher_is_better = True
    lowest = -inf

    def measure(self, outputs: Array, targets: Array) -> float:
        """1 − Σ (t − p)² / Σ (t − mean t)²."""
        residual = np.sum(np.square(targets - outputs, dtype=np.float64), axis=0)
        total = np.sum(np.square(targets - np.mean(targets, axis=0), dtype=np.float64), axis=0)
        is_constant = np.ptp(targets, axis=0) == 0  # then ``total`` may be the rounding error of the mean
        explained = 1 - residual / np.where(is_constant, 1, total)
        return float(np.mean(np.where(is_constant, residual == 0, explained)))


@register("mean_absolute_error")
class MeanAbsoluteError(Metric):
    """Mean absolute error, in the unit of the targets.

        mean of |p − t|           p, t (N, M)

    Source: Willmott and Matsuura 2005.
    """

    tasks = (Task.REGRESSION,)
    higher_is_better = False
    highest = inf

    def measure(self, outputs: Array, targets: Array) -> float:
        """Mean of |p − t|."""
        return float(np.mean(np.abs(outputs - targets), dtype=np.float64))

    def by_row(self, outputs: Array, targets: Array) -> Array:
        """Mean of |p − t| of each row (N,)."""
        return np.asarray(np.mean(np.abs(outputs - targets), axis=1, dtype=np.float64))


@register("root_mean_squared_error")
class RootMeanSquaredError(Metric):
    """Root mean squared error, in the unit of the targets; gives more weight to large errors.

        √ mean of (p − t)²        p, t (N, M)

    Source: Willmott and Matsuura 2005.
    """

    tasks = (Task.REGRESSION,)
    higher_is_better = False
    highest = inf

    def measure(self, outputs: Array, targets: Array) -> float:
        """√ mean of (p − t)²."""
        return float(np.sqrt(np.mean(np.square(outputs - targets, dtype=np.float64))))


@register("regression_accuracy", alias="Accuracy_Regression")
class RegressionAccuracy(Metric):
    """Fraction of outputs within a tolerance, which is a fraction of the targets' standard deviation.

        mean of [|p − t| < std(targets of the training set) / k]          p, t (N, M)

    It is only meant for comparison with the figures of the book.

    Args:
        parts (k): divisor of the standard deviation; the quotient is the tolerance.

    Source: Kinsley and Kukieła 2020, chapter 17, with k = 250.
    """

    tasks = (Task.REGRESSION,)
    higher_is_better = True

    def __init__(self, parts: Positive = 250.0) -> None:
        self.parts = parts

    def attach(self, targets: Array) -> None:
        """Compute the tolerance from the targets of the training set."""
        self.tolerance = float(np.std(targets)) / self.parts

    def measure(self, outputs: Array, targets: Array) -> float:
        """Mean of [|p − t| < tolerance]."""
        return float(np.mean(np.abs(outputs - targets) < self.tolerance))
