"""Scores: overfitting and differences of two networks, with their margins, as text."""

import numpy as np
import pytest

from nncli.analysis.scores import Gap, Score, margin, paired, score, unpaired
from nncli.analysis.significance import mean_margin, proportion_margin


def accuracy(value, rows=60):
    return Score("accuracy", value, value * (1 - value), rows)


def error(value, variance=0.0, rows=60):
    return Score("mean_absolute_error", value, variance, rows)


@pytest.mark.parametrize(
    ("training", "held_out", "verdict"),
    [
        (accuracy(0.95), accuracy(0.60), "overfits strongly: "),
        (accuracy(0.95, 3000), accuracy(0.88, 3000), "overfits: "),
        (accuracy(0.95, 20), accuracy(0.80, 20), "shows no significant overfitting: "),
        (accuracy(0.80), accuracy(0.84), "shows no significant overfitting: "),
        (
            accuracy(0.80, 3000),
            accuracy(0.90, 3000),
            "is significantly better on the validation set than on the training set: ",
        ),
        (accuracy(1.0, 10), accuracy(0.945, 1000), "shows no significant overfitting: "),
        (accuracy(1.0, 300), accuracy(2996 / 3000, 3000), "shows no significant overfitting: "),
    ],
)
def test_gap_description_of_accuracies(training, held_out, verdict):
    """There are four verdicts, which follow from the gap and its margin."""
    limit = proportion_margin(training.value, training.rows, held_out.value, held_out.rows)
    assert Gap("validation", training, held_out).description == (
        f"{verdict}accuracy {training.value:.3f} (training) vs {held_out.value:.3f} (validation), "
        f"gap {training.value - held_out.value:+.3f} (95% margin {limit:.3f})"
    )


@pytest.mark.parametrize(
    ("training", "held_out", "verdict"),
    [
        (error(0.02), error(0.05, 1e-5), "overfits strongly: "),
        (error(0.02), error(0.035, 1e-5), "overfits: "),
        (error(0.02), error(0.05, 0.03), "shows no significant overfitting: "),
        (error(0.05), error(0.04, 0.03), "shows no significant overfitting: "),
        (error(0.05), error(0.02, 1e-5), "is significantly better on the test set than on the training set: "),
        (error(0.0), error(0.0), "shows no significant overfitting: "),
    ],
)
def test_gap_description_of_errors(training, held_out, verdict):
    """The gap is a larger error on the test set; it is strong if it is larger than the training error."""
    limit = mean_margin(0.0, 60, held_out.variance, 60)
    assert Gap("test", training, held_out).description == (
        f"{verdict}mean_absolute_error {training.value:.3g} (training) vs {held_out.value:.3g} (test), "
        f"gap {held_out.value - training.value:+.3g} (95% margin {limit:.3g})"
    )


def test_gap_equal_to_its_margin_is_not_significant():
    """Only a larger gap is."""
    limit = mean_margin(0.0, 60, 1.0, 16)
    edge = Gap("test", error(0.0), error(limit, 1.0, 16))
    assert edge.size == edge.margin == limit
    assert edge.description.startswith("shows no significant overfitting: ")


def test_networks_on_different_rows_are_compared_by_their_margin():
    """The description has the reason why they are not paired."""
    one, other = accuracy(0.9), accuracy(0.3)
    found = unpaired(one, other, "on different test rows")
    assert found.is_significant
    assert found.description == f"difference 0.600 (95% margin {margin(one, other):.3f}, on different test rows)"
    assert not unpaired(accuracy(1.0, 10), accuracy(0.7, 10), "").is_significant
    assert unpaired(error(0.1, 0.01), error(0.3, 0.01), "").is_significant
    assert not unpaired(error(0.1, 0.01, 3), error(0.3, 0.01, 3), "").is_significant


@pytest.mark.parametrize("of", [accuracy, error])
def test_difference_does_not_depend_on_the_order_of_the_networks(of):
    """It has no sign, and the worse network may be the first."""
    found, swapped = unpaired(of(0.9), of(0.3), ""), unpaired(of(0.3), of(0.9), "")
    assert found.is_significant
    assert found == swapped


@pytest.mark.parametrize(
    ("first_only", "second_only", "description"),
    [
        (3, 0, "difference 0.300 (exact McNemar test on the same 10 rows, p = 0.25)"),
        (0, 3, "difference 0.300 (exact McNemar test on the same 10 rows, p = 0.25)"),
        (2, 2, "difference 0.000 (exact McNemar test on the same 10 rows, p = 1)"),
        (9, 1, "difference 0.800 (exact McNemar test on the same 10 rows, p = 0.0215)"),
    ],
)
def test_classifiers_are_compared_by_the_rows_they_disagree_on(first_only, second_only, description):
    """Three rows against none are not significant; nine rows against one are."""
    second, first = np.arange(10) >= first_only, np.arange(10) < 10 - second_only
    found = paired("accuracy", first, second)
    assert (found.is_significant, found.description) == ("0.0215" in description, description)


@pytest.mark.parametrize("rows", [20, 3000])
def test_small_p_value_is_shown_as_a_bound(rows):
    """Below 0.0001 its value, which may underflow to 0, is of no use."""
    found = paired("accuracy", np.ones(rows, bool), np.zeros(rows, bool))
    assert found.is_significant
    assert found.description == f"difference 1.000 (exact McNemar test on the same {rows:,} rows, p < 0.0001)"


def test_regressions_are_compared_by_their_paired_differences():
    """Small differences are significant if they are similar on all rows."""
    errors = np.abs(np.random.default_rng(0).normal(size=50))
    better = errors * 0.9
    found = paired("mean_absolute_error", errors, better)
    assert found.is_significant
    assert not unpaired(
        error(errors.mean(), errors.var(), 50), error(better.mean(), better.var(), 50), ""
    ).is_significant
    margin_text = f"95% margin {2.009575 * np.std(errors - better, ddof=1) / 50**0.5:.3g}"
    assert found.description == f"difference {0.1 * errors.mean():.3g} ({margin_text}, paired over the same 50 rows)"


def test_score_of_a_classifier_is_its_accuracy():
    """The variance of its rows is p(1 − p), and never below 0."""
    assert score({"accuracy": 0.9}, "training", 60) == Score("accuracy", 0.9, 0.9 * (1 - 0.9), 60)
    assert score({"validation_accuracy": 1.0}, "validation", 7) == Score("accuracy", 1.0, 0.0, 7)


def test_score_of_a_regression_is_its_mean_absolute_error():
    """The variance of |p − t| follows from both errors, and equals that of the single rows."""
    errors = np.abs(np.random.default_rng(0).normal(size=50))
    metrics = {
        "test_mean_absolute_error": float(errors.mean()),
        "test_root_mean_squared_error": float(np.sqrt((errors**2).mean())),
    }
    found = score(metrics, "test", 50)
    assert (found.metric, found.value, found.rows) == ("mean_absolute_error", errors.mean(), 50)
    assert found.variance == pytest.approx(errors.var())


def test_variance_is_not_negative_after_rounding():
    """If all rows have the same error, the two errors are equal except for rounding."""
    metrics = {"mean_absolute_error": 0.30000000000000004, "root_mean_squared_error": 0.3}
    assert score(metrics, "training", 5).variance == 0.0


@pytest.mark.parametrize(
    "metrics",
    [
        {},
        {"loss": 0.1, "r2": 0.9},
        {"mean_absolute_error": 0.1},
        {"root_mean_squared_error": 0.1},
        {"validation_accuracy": 0.5},
        {"validation_mean_absolute_error": 0.1, "validation_root_mean_squared_error": 0.2},
    ],
)
def test_split_without_the_needed_metrics_has_no_score(metrics):
    """One of the two errors is not enough, and metrics of other splits do not count."""
    assert score(metrics, "training", 10) is None


def test_errors_of_one_row_have_no_score():
    """They have no variance; an accuracy of one row has a very wide margin."""
    errors = {"mean_absolute_error": 0.1, "root_mean_squared_error": 0.1}
    assert score(errors, "training", 1) is None
    assert score(errors, "training", 2) is not None
    assert margin(score({"accuracy": 1.0}, "training", 1), accuracy(0.5, 3000)) > 0.5


@pytest.mark.parametrize(("of", "gain"), [(accuracy, 0.25), (error, -0.25)])
def test_gain_is_positive_if_the_first_score_is_better(of, gain):
    """Higher accuracy is better, and lower error."""
    assert of(0.75).gain(of(0.5)) == gain
    assert of(0.5).gain(of(0.75)) == -gain
