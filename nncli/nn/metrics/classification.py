"""Classification metrics, and the confusion matrix."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from nncli.nn.metrics.metric import Metric, Task
from nncli.nn.parameters import Array
from nncli.registry import Probability, register

DEFAULT_THRESHOLD = 0.5
ROWS = 2**16  # whose classes are predicted at once


def predicted_classes(outputs: Array, threshold: float) -> Array:
    """Predicted classes (N,) of outputs (N, M): the argmax, or whether a single output exceeds the threshold."""
    if outputs.shape[1] == 1:
        return (outputs[:, 0] > threshold).astype(np.int64)
    classes = np.empty(len(outputs), np.int64)
    for start in range(0, len(outputs), ROWS):  # argmax copies column-major outputs
        np.argmax(outputs[start : start + ROWS], axis=1, out=classes[start : start + ROWS])
    return classes


class ThresholdMetric(Metric):
    """A metric of predicted classes.

    Args:
        threshold: probability above which class 1 is predicted, with a single output.
    """

    higher_is_better = True

    def __init__(self, threshold: Probability = DEFAULT_THRESHOLD) -> None:
        self.threshold = threshold


class BinaryMetric(ThresholdMetric):
    """A metric of class 1 in binary classification with a single output."""

    tasks = (Task.BINARY,)

    def scores(self, outputs: Array, targets: Array) -> "ClassScores":
        """Precision, recall and F1 of class 1."""
        return class_scores(confusion(predicted_classes(outputs, self.threshold), targets, 2))[1]


@register("accuracy", alias="Accuracy_Categorical")
class Accuracy(ThresholdMetric):
    """Accuracy: fraction of correctly classified samples.

        mean of [argmax P = t]        P (N, C)   t (N,)
        mean of [(P > θ) = t]         with one output, P (N, 1); θ is the threshold

    Of equal outputs the first is predicted; an output equal to θ predicts class 0.

    Source: Kinsley and Kukieła 2020, chapters 5 and 16, with θ = 0.5.
    """

    tasks = (Task.CLASSES, Task.BINARY)

    def measure(self, outputs: Array, targets: Array) -> float:
        """Mean of [predicted class = t]."""
        return float(np.mean(self.by_row(outputs, targets)))

    def by_row(self, outputs: Array, targets: Array) -> Array:
        """[predicted class = t] of each row (N,)."""
        correct: Array = predicted_classes(outputs, self.threshold) == targets
        return correct


@register("precision")
class Precision(BinaryMetric):
    """Precision: fraction of predicted positives that are correct, TP / (TP + FP).

        true positives / (true positives + false positives)

    0 if no positive is predicted, as in scikit-learn.

    Source: van Rijsbergen 1979, chapter 7.
    """

    def measure(self, outputs: Array, targets: Array) -> float:
        """True positives / predicted positives."""
        return self.scores(outputs, targets).precision or 0.0


@register("recall")
class Recall(BinaryMetric):
    """Recall (sensitivity): fraction of positives that are predicted, TP / (TP + FN).

        true positives / (true positives + false negatives)

    0 if there is no positive, as in scikit-learn.

    Source: van Rijsbergen 1979, chapter 7.
    """

    def measure(self, outputs: Array, targets: Array) -> float:
        """True positives / positives."""
        return self.scores(outputs, targets).recall or 0.0


@register("f1")
class F1(BinaryMetric):
    """F1 score: harmonic mean of precision and recall.

        2 true positives / (2 true positives + false positives + false negatives)

    0 if there is neither a positive nor a predicted positive, as in scikit-learn.

    Source: van Rijsbergen 1979, chapter 7, 1 − E with equal weights.
    """

    def measure(self, outputs: Array, targets: Array) -> float:
        """2 true positives / (predicted positives + positives)."""
        return self.scores(outputs, targets).f1 or 0.0


@register("auc")
class AreaUnderCurve(Metric):
    """Area under the ROC curve: probability that a positive has a larger output than a negative.

        (R₁ − N₁ (N₁ + 1) / 2) / (N₁ N₀)      R₁: sum of the ranks of the N₁ positives, ties having their mean rank

    It needs no threshold. 0.5 is the value of random guessing, and of a data set with one class only.

    Source: Hanley and McNeil 1982, the Mann-Whitney form.
    """

    tasks = (Task.BINARY,)
    higher_is_better = True

    def measure(self, outputs: Array, targets: Array) -> float:
        """(R₁ − N₁ (N₁ + 1) / 2) / (N₁ N₀)."""
        _, inverse, counts = np.unique(outputs[:, 0], return_inverse=True, return_counts=True)
        ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]  # from 1; ties have their mean rank
        positives = int(np.sum(targets == 1))
        pairs = positives * (len(targets) - positives)
        return float((np.sum(ranks[targets == 1]) - positives * (positives + 1) / 2) / pairs) if pairs else 0.5


def decision_threshold(metrics: Iterable[Metric]) -> float:
    """The threshold of the accuracy, or else of the first metric that has one; 0.5 if none has."""
    by_threshold = [metric for metric in metrics if isinstance(metric, ThresholdMetric)]
    by_threshold.sort(key=lambda metric: not isinstance(metric, Accuracy))
    return by_threshold[0].threshold if by_threshold else DEFAULT_THRESHOLD


class ClassScores(NamedTuple):
    """Precision, recall, F1 and support of one class; a score with denominator 0 is None."""

    precision: float | None
    recall: float | None
    f1: float | None
    rows: int


def confusion(predictions: Array, targets: Array, classes: int) -> Array:
    """Confusion matrix (C, C): entry (t, p) counts the rows of class t that are predicted as p."""
    pairs = targets.astype(np.int64) * classes + predictions
    return np.bincount(pairs, minlength=classes * classes).reshape(classes, classes)


def class_scores(matrix: Array) -> list[ClassScores]:
    """Precision, recall and F1 of each class from a confusion matrix (C, C).

    precision = TP / (TP + FP)       recall = TP / (TP + FN)       F1 = 2 TP / (2 TP + FP + FN)
    """
    correct, predicted, actual = np.diag(matrix), matrix.sum(axis=0), matrix.sum(axis=1)  # TP, TP + FP, TP + FN
    return [
        ClassScores(_ratio(tp, positives), _ratio(tp, rows), _ratio(2 * tp, positives + rows), int(rows))
        for tp, positives, rows in zip(correct, predicted, actual, strict=True)
    ]


def macro_average(scores: Sequence[ClassScores]) -> ClassScores:
    """The unweighted mean of the scores of the classes that occur or are predicted; a score that is None counts as 0.

    Source: Sokolova and Lapalme 2009, table 3; undefined scores as in scikit-learn.
    """
    return _averaged(scores, [float(each.f1 is not None) for each in scores])


def weighted_average(scores: Sequence[ClassScores]) -> ClassScores:
    """The mean of the scores of the classes, weighted by their support."""
    return _averaged(scores, [float(each.rows) for each in scores])


def _averaged(scores: Sequence[ClassScores], weights: Sequence[float]) -> ClassScores:
    columns = ([value or 0.0 for value in column] for column in list(zip(*scores, strict=True))[:3])
    precision, recall, f1 = (float(np.average(column, weights=weights)) for column in columns)
    return ClassScores(precision, recall, f1, sum(each.rows for each in scores))


def _ratio(numerator: int, denominator: int) -> float | None:
    return float(numerator / denominator) if denominator else None
