"""How far a network is off, where its outputs are numbers."""

from math import inf

import numpy as np

from nncli.nn.metrics.metric import Metric, Task
from nncli.nn.parameters import Array
from nncli.registry import Positive, register


@register("r2")
class RSquared(Metric):
    """The share of the targets' variance that the outputs explain.

        1 − Σ (t − p)² / Σ (t − mean t)²          p, t (N, M); a column for itself, then their mean

    0 is what the mean would reach, and below 0 is worse than that. A column of equal targets counts as 1 where it is
    met exactly, else as 0, as scikit-learn has it. So does a single row, for which scikit-learn returns NaN: here NaN
    stands for a training that diverged.

    Source: Draper and Smith 1998, section 1.3.
    """

    tasks = (Task.REGRESSION,)
    higher_is_better = True
    lowest = -inf

    def measure(self, outputs: Array, targets: Array) -> float:
        """1 − Σ (t − p)² / Σ (t − mean t)²."""
        missed = np.sum(np.square(targets - outputs, dtype=np.float64), axis=0)
        spread = np.sum(np.square(targets - np.mean(targets, axis=0), dtype=np.float64), axis=0)
        is_constant = np.ptp(targets, axis=0) == 0  # where the spread may still be what the mean was rounded by
        explained = 1 - missed / np.where(is_constant, 1, spread)
        return float(np.mean(np.where(is_constant, missed == 0, explained)))


@register("mean_absolute_error")
class MeanAbsoluteError(Metric):
    """How far the outputs are from their targets, on average, in the targets' unit.

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
        """Mean of |p − t| for each row, (N,)."""
        return np.asarray(np.mean(np.abs(outputs - targets), axis=1, dtype=np.float64))


@register("root_mean_squared_error")
class RootMeanSquaredError(Metric):
    """How far the outputs are from their targets, large errors counting more, in the targets' unit.

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
    """The share of outputs that are nearer to their target than a part of the targets' standard deviation.

        mean of [|p − t| < std(targets of the training set) / k]          p, t (N, M)

    It has no meaning of its own, and is there to be held against the book's figures.

    Args:
        parts (k): into how many parts the standard deviation is divided; one is the width of a hit.

    Source: Kinsley and Kukieła 2020, chapter 17, with k = 250.
    """

    tasks = (Task.REGRESSION,)
    higher_is_better = True

    def __init__(self, parts: Positive = 250.0) -> None:
        self.parts = parts

    def attach(self, targets: Array) -> None:
        """Take the standard deviation of the training set's targets."""
        self.width = float(np.std(targets)) / self.parts

    def measure(self, outputs: Array, targets: Array) -> float:
        """Mean of [|p − t| < width]."""
        return float(np.mean(np.abs(outputs - targets) < self.width))
