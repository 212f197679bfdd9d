"""Confusion matrix and the scores of each class."""

import numpy as np

from nncli.nn.metrics.classification import F1, AreaUnderCurve, ClassScores, Precision, Recall, class_scores, confusion


def test_confusion_counts_pairs():
    """Entry (t, p) is how many rows of class t were taken for class p."""
    targets, predictions = np.array([0, 0, 1, 2, 2, 2]), np.array([0, 1, 1, 0, 2, 2])
    np.testing.assert_array_equal(confusion(predictions, targets, 3), [[1, 1, 0], [0, 1, 0], [1, 0, 2]])


def test_confusion_of_small_integers_does_not_wrap():
    """Class numbers of eight bit_pattern, as nnfs has them, are counted right beyond 255 pairs."""
    targets = np.arange(20, dtype=np.uint8)
    np.testing.assert_array_equal(confusion(targets, targets, 20), np.eye(20))


def test_scores_by_hand():
    """Precision, recall and F1 are those worked out on paper; without a row to speak of a score is None."""
    scores = class_scores(np.array([[3, 1, 0], [2, 4, 0], [0, 0, 0]]))
    assert scores[0] == ClassScores(3 / 5, 3 / 4, 6 / 9, 4)
    assert scores[1] == ClassScores(4 / 5, 4 / 6, 8 / 11, 6)
    assert scores[2] == ClassScores(None, None, None, 0)


def test_metrics_without_a_row_to_speak_of():
    """Where one class is missing, or never said, the area is a coin's and the others are 0."""
    outputs = np.array([[0.2], [0.4], [0.1]])
    nobody = np.zeros(3, int)
    assert AreaUnderCurve().measure(outputs, nobody) == AreaUnderCurve().measure(outputs, nobody + 1) == 0.5
    for metric in (Precision(), Recall(), F1()):
        assert metric.measure(outputs, nobody) == 0
