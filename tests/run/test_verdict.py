"""Whether a difference is more than chance, by hand."""

import math

import numpy as np
import pytest

from nncli.run.verdict import Gap, Score, chance, score

LEVEL = 1.96


def accuracy(value, variance=0.0, rows=1):
    return Score("accuracy", value, variance, rows)


def error(value, variance=0.0, rows=1):
    return Score("mean_absolute_error", value, variance, rows)


def gap(of, training, held_out, limit):
    """A gap between two scores of which chance gives up to ``limit``."""
    return Gap("validation", of(training), of(held_out, (limit / LEVEL) ** 2))


@pytest.mark.parametrize(
    ("training", "held_out", "limit", "words"),
    [
        (0.95, 0.60, 0.05, "overfits strongly: "),
        (0.95, 0.88, 0.05, "overfits: "),
        (0.95, 0.70, 0.20, "overfits strongly: "),
        (0.95, 0.80, 0.20, "does not overfit beyond chance: "),
        (0.80, 0.84, 0.05, "does not overfit beyond chance: "),
        (0.80, 0.90, 0.05, "does better on validation than on its own data: "),
        (1.0, 1.0, 0.0, "does not overfit beyond chance: "),
    ],
)
def test_a_gap_in_words(training, held_out, limit, words):
    """Four verdicts, by the gap's size against what chance gives, with the numbers behind them."""
    assert gap(accuracy, training, held_out, limit).words == (
        f"{words}accuracy {training:.3f} in training, {held_out:.3f} in validation: "
        f"a gap of {training - held_out:+.3f}, where chance gives up to {limit:.3f}"
    )


@pytest.mark.parametrize(
    ("training", "held_out", "limit", "words"),
    [
        (0.02, 0.05, 0.01, "overfits strongly: "),
        (0.02, 0.035, 0.01, "overfits: "),
        (0.02, 0.05, 0.04, "does not overfit beyond chance: "),
        (0.05, 0.04, 0.02, "does not overfit beyond chance: "),
        (0.05, 0.02, 0.01, "does better on validation than on its own data: "),
        (0.0, 0.0, 0.0, "does not overfit beyond chance: "),
    ],
)
def test_a_gap_of_errors_in_words(training, held_out, limit, words):
    """A larger error in validation is the gap; strong is one larger than the training error itself."""
    assert gap(error, training, held_out, limit).words == (
        f"{words}mean_absolute_error {training:.3g} in training, {held_out:.3g} in validation: "
        f"a gap of {held_out - training:+.3g}, where chance gives up to {limit:.3g}"
    )


@pytest.mark.parametrize("of", [accuracy, error])
def test_a_gap_at_the_limit_is_chance(of):
    """What chance gives up to is not beyond chance."""
    edge = gap(of, 0.5, 0.5, 0.25)
    assert edge.chance == pytest.approx(0.25)
    shifted = Gap("test", of(0.5, 1.0, 16), of(0.5 + LEVEL / 4 if of is error else 0.5 - LEVEL / 4))
    assert shifted.size == shifted.chance
    assert shifted.words.startswith("does not overfit beyond chance: ")


def test_chance_is_1_96_standard_errors():
    """Both means vary, each by the variance of a row over the number of rows."""
    assert chance(accuracy(0.9, 0.09, 60), accuracy(0.6, 0.24, 15)) == pytest.approx(
        LEVEL * math.sqrt(0.09 / 60 + 0.24 / 15)
    )


def test_the_score_of_classes_is_accuracy():
    """A row is right or wrong: its variance is p(1 − p), and never below 0."""
    assert score({"accuracy": 0.9}, "training", 60) == accuracy(0.9, 0.9 * (1 - 0.9), 60)
    assert score({"validation_accuracy": 1.0}, "validation", 7) == accuracy(1.0, 0.0, 7)


def test_the_score_of_numbers_is_the_mean_absolute_error():
    """The variance of |p − t| over the rows follows from both errors, as NumPy finds it row by row."""
    errors = np.abs(np.random.default_rng(0).normal(size=50))
    metrics = {
        "test_mean_absolute_error": float(errors.mean()),
        "test_root_mean_squared_error": float(np.sqrt((errors**2).mean())),
    }
    found = score(metrics, "test", 50)
    assert (found.metric, found.value, found.rows) == ("mean_absolute_error", errors.mean(), 50)
    assert found.variance == pytest.approx(errors.var())


def test_errors_that_rounding_has_swapped_have_no_variance():
    """Where all rows are equally wrong the two errors are equal but for rounding; no root of less than 0 is taken."""
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
def test_what_was_not_measured_on_the_split_has_no_score(metrics):
    """One of the errors alone tells no variance, and another split's metrics tell nothing."""
    assert score(metrics, "training", 10) is None


@pytest.mark.parametrize(("of", "gain"), [(accuracy, 0.25), (error, -0.25)])
def test_a_gain_is_positive_where_the_first_is_better(of, gain):
    """More right answers are better, and more error is worse."""
    assert of(0.75).gain(of(0.5)) == gain
    assert of(0.5).gain(of(0.75)) == -gain
