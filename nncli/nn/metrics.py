"""Numbers for people: how often a network is right, and on which classes; each knows which direction is better."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nncli.nn.parameters import Array
from nncli.registry import kind, register


@kind("metric")
class Metric:
    """A number for a whole set: outputs (N, M) held against targets (N,)."""

    higher_is_better: ClassVar[bool]

    def measure(self, outputs: Array, targets: Array) -> float:
        """The number."""
        raise NotImplementedError(f"{type(self).__name__} has no measure")


@register("accuracy")
class Accuracy(Metric):
    """The share of rows whose largest output is that of their own class.

        mean of [argmax P = t]        P (N, C)   t (N,)

    Of equal outputs the first counts.

    Source: Kinsley and Kukieła 2020, chapter 5.
    """

    higher_is_better = True

    def measure(self, outputs: Array, targets: Array) -> float:
        """Mean of [argmax P = t]."""
        return float(np.mean(np.argmax(outputs, axis=1) == targets))


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
