"""ROC, precision-recall and the threshold sweep, compared with scikit-learn and with evaluate."""

import json

import numpy as np
import pytest
from sklearn import metrics

from nncli.report.thresholds import thresholds_of, vertices
from tests.examples import BINARY, SINE


@pytest.mark.parametrize("changes", [(), BINARY], ids=["classes", "binary"])
def test_curves_are_those_of_scikit_learn(trained, monkeypatch, changes):
    """All points of the ROC curve, both areas, and the precision at each recall."""
    monkeypatch.setattr("nncli.report.thresholds.vertices", lambda false, true: np.arange(len(false)))
    run = trained(*changes)
    rows, found = run.predicted(), thresholds_of(run)
    labels = range(3) if rows.classes == 3 else [1]
    for label, each in zip(labels, found, strict=True):
        scores, is_class = rows.probabilities[:, label], rows.targets == label
        false, true, thresholds = metrics.roc_curve(is_class, scores, drop_intermediate=False)
        assert each.false_positive_rate == pytest.approx(false)
        assert each.true_positive_rate == pytest.approx(true)
        assert each.points[0] > 1
        assert each.rows == (np.sum(is_class), np.sum(~is_class))
        assert each.threshold == (None if rows.classes == 3 else 0.5)
        assert each.points[1:] == pytest.approx(thresholds[1:])
        assert each.area == pytest.approx(metrics.roc_auc_score(is_class, scores))
        assert each.average_precision == pytest.approx(metrics.average_precision_score(is_class, scores))
        for threshold, precision in zip(each.points[1:], each.precision[1:], strict=True):
            assert precision == pytest.approx(is_class[scores >= threshold].mean())


def test_curves_without_points_on_lines_are_the_same(trained, monkeypatch):
    """What is left out is on the lines that are drawn: both areas are those of all points."""
    areas = []
    for kept in (vertices, lambda false, _true: np.arange(len(false))):
        monkeypatch.setattr("nncli.report.thresholds.vertices", kept)
        found = thresholds_of(trained())
        roc = [metrics.auc(each.false_positive_rate, each.true_positive_rate) for each in found]
        areas.append([roc, [metrics.auc(each.true_positive_rate, each.precision) for each in found]])
    assert areas[0] == pytest.approx(np.array(areas[1]))


def test_sweep_has_the_scores_of_evaluate(trained, run_cli):
    """At each threshold, as ``evaluate --threshold`` has them."""
    run = trained(*BINARY)
    (found,) = thresholds_of(run)
    for index in (0, 30, 50, 80, 100):
        arguments = ("evaluate", run.run.path, "--split", "validation", "--threshold", found.sweep[index], "--json")
        evaluated = json.loads(run_cli(*arguments).out)["splits"]["validation"]
        assert found.scores["accuracy"][index] == pytest.approx(evaluated["metrics"]["accuracy"])
        for name in ("precision", "recall", "f1"):
            assert found.scores[name][index] == pytest.approx(evaluated["metrics"][name])
    assert found.threshold == 0.5


def test_regression_has_none(trained):
    """It has no classes."""
    assert thresholds_of(trained(*SINE)) == []


def test_points_on_a_line_are_left_out(monkeypatch):
    """Only vertices and both ends are kept; of very many, some at equal distances."""
    assert vertices(np.array([0, 0, 0, 1, 2, 2]), np.array([0, 1, 2, 2, 2, 3])).tolist() == [0, 2, 4, 5]
    assert vertices(np.array([0, 1, 1, 1, 2]), np.array([0, 0, 1, 2, 3])).tolist() == [0, 1, 2, 3, 4]  # of precision
    monkeypatch.setattr("nncli.report.thresholds.MAX_POINTS", 5)
    stairs = vertices(np.arange(100) // 2, (np.arange(100) + 1) // 2)
    assert (stairs[0], stairs[-1], len(stairs)) == (0, 99, 5)
