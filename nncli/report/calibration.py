"""Calibration: whether predictions with a confidence of 80 % are correct in 80 % of the rows."""

from typing import NamedTuple

import numpy as np

from nncli.nn.metrics.classification import predicted_classes
from nncli.nn.parameters import Array
from nncli.report.trained_run import TrainedRun

BINS = 10


class Calibration(NamedTuple):
    """The reliability diagram of a classifier.

        ECE = Σ n_b / N |accuracy_b − confidence_b|       b over the bins, n_b rows in bin b

    The confidence of a row is the probability of its predicted class.

    Args:
        split: the split.
        edges: the edges (B + 1,) of the bins of confidence, from 0 to 1.
        rows: n_b, the number of rows (B,) in each bin.
        confidence: the mean confidence (B,) of the rows of each bin; NaN without rows.
        accuracy: the fraction (B,) of them that is predicted correctly; NaN without rows.
        error: ECE, the expected calibration error.

    Source: Guo et al. 2017, arXiv:1706.04599, equations 2 to 5, with 10 bins.
    """

    split: str
    edges: Array
    rows: Array
    confidence: Array
    accuracy: Array
    error: float


def calibration_of(trained: TrainedRun, split: str | None = None, bins: int = BINS) -> Calibration | None:
    """The calibration of a classifier; None for a regression."""
    rows = trained.predicted(split)
    if rows.classes is None:
        return None
    predicted = predicted_classes(rows.encoded_outputs, trained.threshold)
    confidence = rows.probabilities[np.arange(len(predicted)), predicted]
    edges = np.linspace(0, 1, bins + 1)
    index = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, bins - 1)
    counts = np.bincount(index, minlength=bins)
    sums = (np.bincount(index, values, bins) for values in (confidence, predicted == rows.targets))
    with np.errstate(invalid="ignore"):
        confidences, accuracies = (total / counts for total in sums)
    error = float(np.nansum(counts * np.abs(accuracies - confidences)) / max(1, len(predicted)))
    return Calibration(rows.split, edges, counts, confidences, accuracies, error)
