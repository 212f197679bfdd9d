"""How good a network is, in words and in charts, of results that are made by hand."""

import numpy as np
import pytest

from nncli.report.calibration import Calibration
from nncli.report.confusion import Confusion
from nncli.report.largest_errors import ErrorRow
from nncli.report.page import results as made
from nncli.report.residuals import Residuals
from nncli.report.thresholds import Thresholds, thresholds_of
from nncli.report.trained_run import TrainedRun
from nncli.store.run_reader import Run


def thresholds(name="yes", area=0.8, threshold=0.7):
    """Those of a class whose F1 is highest at 0.25."""
    rates = np.array([0.0, 0.2, 1.0]), np.array([0.0, 0.9, 1.0])
    sweep, f1 = np.linspace(0, 1, 5), np.array([0.5, 0.8, 0.7, 0.6, 0.0])
    scores = {"accuracy": f1, "precision": f1, "recall": f1, "f1": f1}
    points, precision = np.array([np.inf, 0.5, 0.1]), np.array([1.0, 0.75, 0.4])
    return Thresholds("test", name, (10, 15), points, *rates, precision, area, area, sweep, scores, threshold)


def test_most_frequent_error_is_named():
    """Actual class first; none if all rows are right."""
    matrix = np.array([[5, 1, 0], [0, 4, 0], [3, 0, 2]])
    message = made._matrix(Confusion("test", ["a", "b", "c"], matrix)).message
    assert message.startswith(
        "11 of 15 test rows are predicted correctly; the most frequent error: 3 rows of class c predicted as a."
    )
    assert made._matrix(Confusion("test", ["a", "b"], np.eye(2, dtype=int))).message.startswith(
        "2 of 2 test rows are predicted correctly. "
    )


def test_curves_have_their_axes(runs):
    """ROC: true by false positives; precision by recall."""
    trained = TrainedRun(Run(runs / "classes"))
    roc, precision = (
        next(each for each in made.results(trained) if each.title == title) for title in ("ROC", "Precision and recall")
    )
    for each, first, second in zip(thresholds_of(trained), roc.series, precision.series, strict=True):
        np.testing.assert_array_equal(first.x, each.false_positive_rate)
        np.testing.assert_array_equal(first.y, each.true_positive_rate)
        np.testing.assert_array_equal(second.x, each.true_positive_rate)
        np.testing.assert_array_equal(second.y, each.precision)


def test_class_with_the_lowest_f1_is_named(runs):
    """As the table has it."""
    table = made._classes(TrainedRun(Run(runs / "classes")))
    name, _, _, f1, _ = min(table.rows[:3], key=lambda row: row[3])
    assert table.message == f"Class {name} has the lowest F1: {f1:.4g}."


def test_threshold_is_marked_and_that_of_the_highest_f1_named(runs):
    """Only a network with a single output has one; the sweep is that of the only class of two."""
    chart = made._sweep(thresholds())
    assert chart.message == "F1 of class yes is highest (0.800) at threshold 0.25."
    assert chart.marks == [(0.7, "threshold")]
    assert made._sweep(thresholds(threshold=None)).marks == []
    titles = {
        name: [each.title for each in made.results(TrainedRun(Run(runs / name)))] for name in ("classes", "table")
    }
    assert [name for name, found in titles.items() if "Decision threshold" in found] == ["table"]


def test_of_many_classes_those_with_the_smallest_areas_are_drawn():
    """Ten at most."""
    many = [thresholds(str(index), area=1 - index / 20) for index in range(12)]
    assert [each.class_name for each in made._shown(many)] == [str(index) for index in range(11, 1, -1)]
    assert made._shown(many[:10]) == many[:10]


@pytest.mark.parametrize(("accuracy", "words"), [(0.5, "is overconfident"), (0.95, "is underconfident")])
def test_calibration_has_a_direction(accuracy, words):
    """Accuracy by confidence, of the bins that have rows."""
    rows, nan = np.array([0, 10]), np.nan
    found = Calibration("test", np.array([0, 0.5, 1]), rows, np.array([nan, 0.9]), np.array([nan, accuracy]), 0.1)
    chart = made._reliability(found)
    assert words in chart.message
    assert (chart.series[0].x.tolist(), chart.series[0].y.tolist()) == ([0.9], [accuracy])


@pytest.mark.parametrize(("mean", "side"), [(0.5, "too low"), (-0.5, "too high")])
def test_residuals_have_a_direction(mean, side):
    """Predictions by targets; the mean of target − prediction, and the standard deviation."""
    targets, predictions = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    found = Residuals("test", "price", targets, predictions, mean, 2.25, np.array([1, 1]), np.array([-1, 0, 1]))
    chart = made._scatter(found)
    assert (chart.series[0].x.tolist(), chart.series[0].y.tolist()) == ([1, 2], [3, 4])
    assert chart.message.startswith("The predictions are wrong by 2.25 ")
    assert made._histogram(found).message == f"The mean residual is {mean}: predictions are {side} on average."


@pytest.mark.parametrize(("count", "is_cut"), [(12, False), (13, True)])
def test_errors_are_rows_with_their_inputs(count, is_cut):
    """The line of a file; the probability of the predicted class before that of its own."""
    inputs = {f"c{index}": float(index) for index in range(count)}
    table = made.errors_table([ErrorRow(6, 8, 2.5, "cat", "dog", 0.9, 0.1, inputs)], "test")
    names = ["line", "loss", "actual", "predicted", "probability", "probability of actual class"]
    assert [column.name for column in table.columns] == [*names, *list(inputs)[:12]]
    assert table.rows == [[8, 2.5, "cat", "dog", 0.9, 0.1, *map(float, range(12))]]
    assert ("The first 12 columns are shown." in table.message) == is_cut


def test_errors_of_sampled_data_have_the_index_of_the_row():
    """Values of a regression have no probabilities."""
    table = made.errors_table([ErrorRow(6, None, 2.5, [1.0], [1.23456], None, None, {"x": 4.0})], "test")
    assert [column.name for column in table.columns] == ["row", "loss", "actual", "predicted", "x"]
    assert table.rows == [[6, 2.5, "1", "1.235", 4.0]]
