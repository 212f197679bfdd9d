"""Confusion matrix, and precision, recall and F1 of each class."""

import numpy as np
import pytest

from nncli.nn.metrics.classification import (
    F1,
    AreaUnderCurve,
    ClassScores,
    Precision,
    Recall,
    class_scores,
    confusion,
    macro_average,
    predicted_classes,
    weighted_average,
)


def test_confusion_matrix_counts_pairs():
    """Entry (t, p) counts the rows of class t that are predicted as p."""
    targets, predictions = np.array([0, 0, 1, 2, 2, 2]), np.array([0, 1, 1, 0, 2, 2])
    np.testing.assert_array_equal(confusion(predictions, targets, 3), [[1, 1, 0], [0, 1, 0], [1, 0, 2]])


def test_averages_match_a_worked_example():
    """Class 2 neither occurs nor is predicted, so that it does not count; class 3 is only predicted, with recall 0."""
    scores = class_scores(np.array([[3, 1, 0, 0], [2, 4, 0, 2], [0, 0, 0, 0], [0, 0, 0, 0]]))
    precision, recall, f1 = (3 / 5, 4 / 5, 0), (3 / 4, 4 / 8, 0), (6 / 9, 8 / 13, 0)
    assert macro_average(scores) == ClassScores(*(pytest.approx(sum(each) / 3) for each in (precision, recall, f1)), 12)
    weighted = (pytest.approx((4 * first + 8 * second) / 12) for first, second, _ in (precision, recall, f1))
    assert weighted_average(scores) == ClassScores(*weighted, 12)


def test_confusion_matrix_of_8_bit_labels_does_not_overflow():
    """Labels of nnfs are uint8, but there can be more than 255 pairs of classes."""
    targets = np.arange(20, dtype=np.uint8)
    np.testing.assert_array_equal(confusion(targets, targets, 20), np.eye(20))


def test_class_scores_match_a_worked_example():
    """Precision, recall and F1; a score with denominator 0 is None."""
    scores = class_scores(np.array([[3, 1, 0], [2, 4, 0], [0, 0, 0]]))
    assert scores[0] == ClassScores(3 / 5, 3 / 4, 6 / 9, 4)
    assert scores[1] == ClassScores(4 / 5, 4 / 6, 8 / 11, 6)
    assert scores[2] == ClassScores(None, None, None, 0)


def test_metrics_of_a_single_class():
    """If a class is missing, or never predicted, AUC is 0.5 and the others are 0."""
    outputs = np.array([[0.2], [0.4], [0.1]])
    negatives = np.zeros(3, int)
    assert AreaUnderCurve().measure(outputs, negatives) == AreaUnderCurve().measure(outputs, negatives + 1) == 0.5
    for metric in (Precision(), Recall(), F1()):
        assert metric.measure(outputs, negatives) == 0


def test_classes_of_many_rows_are_predicted_in_blocks_alike(monkeypatch):
    """Also in a last block that is smaller."""
    outputs = np.asfortranarray(np.random.default_rng(0).random((23, 4)))
    monkeypatch.setattr("nncli.nn.metrics.classification.ROWS", 5)
    assert predicted_classes(outputs, 0.5).tolist() == [max(range(4), key=row.__getitem__) for row in outputs.tolist()]
