"""Metrics of numbers where the formulas have an end."""

import numpy as np
import pytest

from nncli.nn.metrics.regression import MeanAbsoluteError, RegressionAccuracy, RSquared


def column(*numbers):
    return np.array(numbers, float)[:, None]


def test_the_mean_explains_nothing_and_less_is_possible():
    """Outputs that are the mean of the targets score 0, outputs on the wrong side less."""
    targets = column(1, 2, 3)
    assert RSquared().measure(column(2, 2, 2), targets) == 0
    assert RSquared().measure(column(3, 2, 1), targets) == -3


@pytest.mark.parametrize(("target", "output", "expected"), [(5, 5, 1), (5, 5.1, 0), (0.1, 0.1, 1), (0.1, 0.2, 0)])
@pytest.mark.parametrize("rows", [1, 2, 30])
def test_equal_targets_are_explained_or_not(target, output, expected, rows):
    """Where the targets have no variance, as in a single row, 1 stands for outputs that hit them and 0 for others."""
    assert RSquared().measure(column(*[output] * rows), column(*[target] * rows)) == expected


def test_columns_count_alike():
    """Of several columns the mean is taken, whatever their scale."""
    targets = np.array([[1, 100], [2, 200], [3, 300]], float)
    outputs = np.array([[1, 200], [2, 200], [3, 200]], float)
    assert RSquared().measure(outputs, targets) == pytest.approx(0.5)


def test_a_hit_is_measured_by_the_training_set():
    """The width of a hit is a 250th of the standard deviation of the training targets, and the edge is no hit."""
    metric = RegressionAccuracy()
    metric.attach(column(-250, 250))  # a standard deviation of 250
    assert metric.measure(column(0.5, 0.999, 1.0, -2), column(0, 0, 0, 0)) == 0.5


def test_the_error_of_each_row_has_the_mean_absolute_error_as_its_mean():
    """The columns of a row count alike."""
    outputs, targets = np.array([[1, 2], [3, 5]], np.float32), np.array([[1, 4], [0, 4]], np.float32)
    assert MeanAbsoluteError().by_row(outputs, targets).tolist() == [1, 2]
    assert MeanAbsoluteError().measure(outputs, targets) == 1.5
    with pytest.raises(NotImplementedError, match="RSquared is no mean over rows"):
        RSquared().by_row(outputs, targets)
