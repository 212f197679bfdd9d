"""ROC curve, precision-recall curve, and scores by decision threshold, of one class against the rest."""

from typing import NamedTuple

import numpy as np

from nncli.nn.metrics.classification import AreaUnderCurve
from nncli.nn.parameters import Array
from nncli.report.trained_run import TrainedRun

THRESHOLDS = 101  # of the sweep: 0, 0.01, ..., 1
MAX_POINTS = 1000  # of a ROC curve


class Thresholds(NamedTuple):
    """One class against the rest.

    A row is predicted as the class if its probability is above the threshold.

    Args:
        split: the split.
        class_name: the class.
        rows: the number of rows of the class, and of the rest.
        points: the thresholds (P,) of ROC and precision-recall, decreasing from above 1, at the vertices of the curves.
        false_positive_rate: (P,), increasing from 0 to 1.
        true_positive_rate: (P,), the recall.
        precision: (P,), 1 where nothing is predicted as the class.
        area: the area under the ROC curve, as the metric ``auc`` has it.
        average_precision: the mean precision, weighted by the increase of the recall.
        sweep: the thresholds (S,) from 0 to 1 at equal distances.
        scores: accuracy, precision, recall and F1 at each of them (S,), by name.
        threshold: the decision threshold of the config; None unless the network has a single output.

    Source: Fawcett 2006, doi:10.1016/j.patrec.2005.10.010; average precision as in scikit-learn.
    """

    split: str
    class_name: str
    rows: tuple[int, int]
    points: Array
    false_positive_rate: Array
    true_positive_rate: Array
    precision: Array
    area: float
    average_precision: float
    sweep: Array
    scores: dict[str, Array]
    threshold: float | None


def thresholds_of(trained: TrainedRun, split: str | None = None) -> list[Thresholds]:
    """ROC, precision-recall and threshold sweep of each class, or of class 1 of two; none for a regression.

    A class without rows in the split, or with all of them, has no curves.
    """
    rows = trained.predicted(split)
    if rows.classes is None:
        return []
    names, is_single = trained.class_names or [], rows.encoded_outputs.shape[1] == 1
    chosen = [1] if rows.classes == 2 else range(rows.classes)
    found = []
    for label in chosen:
        is_class = rows.targets == label
        if 0 < np.count_nonzero(is_class) < len(is_class):
            threshold = trained.threshold if is_single else None
            found.append(_one_against_rest(rows.split, names[label], rows.probabilities[:, label], is_class, threshold))
    return found


def _one_against_rest(
    split: str, class_name: str, scores: Array, is_class: Array, threshold: float | None
) -> Thresholds:
    positives, negatives = int(np.count_nonzero(is_class)), int(np.count_nonzero(~is_class))
    order = np.argsort(-scores, kind="stable")
    ranked, hits = scores[order], np.cumsum(is_class[order])
    last = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))  # the last row of each probability
    true, predicted = hits[last], last + 1
    recall, precision = true / positives, true / predicted
    average = float(np.sum(np.diff(recall, prepend=0.0) * precision))
    points = np.append(np.inf, ranked[last])
    true, false = np.append(0, true), np.append(0, predicted - true)
    kept = vertices(false, true)
    area = AreaUnderCurve().measure(scores[:, np.newaxis], is_class.astype(np.int64))
    sweep = np.linspace(0, 1, THRESHOLDS)
    return Thresholds(
        split,
        class_name,
        (positives, negatives),
        points[kept],
        false[kept] / negatives,
        true[kept] / positives,
        np.append(1.0, precision)[kept],
        area,
        average,
        sweep,
        _scores_at(sweep, ranked, hits),
        threshold,
    )


def vertices(false: Array, true: Array) -> Array:
    """The indices of the vertices of curves of counts: the points that are not between their neighbors on a line.

    A point is left out where the recall stays the same, and before the first false positive: both the ROC curve and the
    precision-recall curve are straight there. Elsewhere precision is not linear where the ROC curve is.

    Of more than ``MAX_POINTS`` vertices, some at equal distances are chosen, with both ends.

    Source: Davis and Goadrich 2006, doi:10.1145/1143844.1143874, section 3.
    """
    is_level = np.diff(true) == 0
    is_vertex = ~(is_level[1:] & is_level[:-1]) & (false[2:] > 0)
    kept = np.flatnonzero(np.concatenate([[True], is_vertex, [True]]))
    if len(kept) > MAX_POINTS:
        kept = kept[np.unique(np.linspace(0, len(kept) - 1, MAX_POINTS).round().astype(np.int64))]
    return kept


def _scores_at(sweep: Array, ranked: Array, hits: Array) -> dict[str, Array]:
    """Accuracy, precision, recall and F1 at each threshold (S,); 0 where they are not defined.

    Args:
        sweep: the thresholds (S,).
        ranked: the probabilities (N,), largest first.
        hits: how many of the rows up to each (N,) are of the class.
    """
    predicted = np.searchsorted(-ranked, -sweep)  # rows whose probability is above the threshold
    true, positives = np.append(0, hits)[predicted], hits[-1]
    return {
        "accuracy": (2 * true - predicted + len(hits) - positives) / len(hits),  # TP + TN
        "precision": true / np.maximum(1, predicted),
        "recall": true / positives,
        "f1": 2 * true / (predicted + positives),
    }
