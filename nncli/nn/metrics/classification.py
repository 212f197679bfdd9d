"""How often a network is right, and on which classes."""

from dataclasses import dataclass

import numpy as np

from nncli.nn.metrics.metric import Metric, Task
from nncli.nn.parameters import Array
from nncli.registry import Probability, register


def decisions(outputs: Array, threshold: float) -> Array:
    """The class (N,) that outputs (N, M) decide for: the largest, or, with one output, 1 where above ``threshold``."""
    if outputs.shape[1] == 1:
        return (outputs[:, 0] > threshold).astype(np.int64)
    largest: Array = np.argmax(outputs, axis=1)
    return largest


class ThresholdMetric(Metric):
    """A metric of decisions.

    Args:
        threshold: what a single output has to exceed to stand for class 1.
    """

    higher_is_better = True

    def __init__(self, threshold: Probability = 0.5) -> None:
        self.threshold = threshold


class BinaryMetric(ThresholdMetric):
    """A metric of how class 1 is told from class 0 by one output."""

    tasks = (Task.BINARY,)

    def scores(self, outputs: Array, targets: Array) -> "ClassScores":
        """Precision, recall and F1 of class 1."""
        return class_scores(confusion(decisions(outputs, self.threshold), targets, 2))[1]


@register("accuracy", alias="Accuracy_Categorical")
class Accuracy(ThresholdMetric):
    """The share of rows that the network decides right.

        mean of [argmax P = t]        P (N, C)   t (N,)
        mean of [(P > θ) = t]         with one output, P (N, 1)

    Of equal outputs the first counts; an output of just θ stands for class 0.

    Source: Kinsley and Kukieła 2020, chapters 5 and 16, with θ = 0.5.
    """

    tasks = (Task.CLASSES, Task.BINARY)

    def measure(self, outputs: Array, targets: Array) -> float:
        """Mean of [decision = t]."""
        return float(np.mean(self.by_row(outputs, targets)))

    def by_row(self, outputs: Array, targets: Array) -> Array:
        """[decision = t] for each row, (N,)."""
        correct: Array = decisions(outputs, self.threshold) == targets
        return correct


@register("precision")
class Precision(BinaryMetric):
    """The share of rows of class 1 among those that were taken for it.

        true positives / (true positives + false positives)

    0 where no row was taken for class 1, as scikit-learn has it.

    Source: van Rijsbergen 1979, chapter 7.
    """

    def measure(self, outputs: Array, targets: Array) -> float:
        """True positives / predicted positives."""
        return self.scores(outputs, targets).precision or 0.0


@register("recall")
class Recall(BinaryMetric):
    """The share of the rows of class 1 that were found.

        true positives / (true positives + false negatives)

    0 where the set has no row of class 1, as scikit-learn has it.

    Source: van Rijsbergen 1979, chapter 7.
    """

    def measure(self, outputs: Array, targets: Array) -> float:
        """True positives / positives."""
        return self.scores(outputs, targets).recall or 0.0


@register("f1")
class F1(BinaryMetric):
    """The harmonic mean of precision and recall.

        2 true positives / (2 true positives + false positives + false negatives)

    0 where there is neither a row of class 1 nor one that was taken for it, as scikit-learn has it.

    Source: van Rijsbergen 1979, chapter 7, 1 − E with equal weights.
    """

    def measure(self, outputs: Array, targets: Array) -> float:
        """2 true positives / (predicted positives + positives)."""
        return self.scores(outputs, targets).f1 or 0.0


@register("auc")
class AreaUnderCurve(Metric):
    """How often a row of class 1 has a larger output than one of class 0: the area under the ROC curve.

        (R₁ − N₁ (N₁ + 1) / 2) / (N₁ N₀)      R₁: sum of the ranks of the N₁ rows of class 1, equal ones sharing theirs

    It needs no threshold. 0.5 is a coin's, and stands where the set has one class only.

    Source: Hanley and McNeil 1982, the Mann-Whitney form.
    """

    tasks = (Task.BINARY,)
    higher_is_better = True

    def measure(self, outputs: Array, targets: Array) -> float:
        """(R₁ − N₁ (N₁ + 1) / 2) / (N₁ N₀)."""
        _, place, count = np.unique(outputs[:, 0], return_inverse=True, return_counts=True)
        ranks = (np.cumsum(count) - (count - 1) / 2)[place]  # from 1, the mean of the places that equal outputs take
        ones = int(np.sum(targets == 1))
        pairs = ones * (len(targets) - ones)
        return float((np.sum(ranks[targets == 1]) - ones * (ones + 1) / 2) / pairs) if pairs else 0.5


@dataclass(frozen=True)
class ClassScores:
    """How one class is recognized; a score without any row to speak of is None."""

    precision: float | None
    recall: float | None
    f1: float | None
    rows: int


def confusion(predictions: Array, targets: Array, classes: int) -> Array:
    """Counts (C, C): entry (t, p) is how many rows of class t were taken for class p."""
    pairs = targets.astype(np.int64) * classes + predictions
    return np.bincount(pairs, minlength=classes * classes).reshape(classes, classes)


def class_scores(matrix: Array) -> list[ClassScores]:
    """Precision, recall and F1 of each class from a confusion matrix (C, C).

    precision = right / predicted       recall = right / rows       F1 = 2 right / (predicted + rows)
    """
    right, predicted, rows = np.diag(matrix), matrix.sum(axis=0), matrix.sum(axis=1)
    return [
        ClassScores(_ratio(hit, said), _ratio(hit, there), _ratio(2 * hit, said + there), int(there))
        for hit, said, there in zip(right, predicted, rows, strict=True)
    ]


def _ratio(part: int, whole: int) -> float | None:
    return float(part / whole) if whole else None
