"""Regression metrics in edge cases."""

import numpy as np
import pytest

from nncli.nn.metrics.regression import MeanAbsoluteError, RegressionAccuracy, RSquared


def column(*values):
    return np.array(values, float)[:, None]


def test_r2_of_the_mean_is_0():
    """Outputs worse than the mean of the targets have a negative score."""
    targets = column(1, 2, 3)
    assert RSquared().measure(column(2, 2, 2), targets) == 0
    assert RSquared().measure(column(3, 2, 1), targets) == -3


@pytest.mark.parametrize(("target", "output", "expected"), [(5, 5, 1), (5, 5.1, 0), (0.1, 0.1, 1), (0.1, 0.2, 0)])
@pytest.mark.parametrize("rows", [1, 2, 30])
def test_r2_of_constant_targets_is_1_or_0(target, output, expected, rows):
    """If the targets have no variance, as a single row, exact outputs score 1 and others 0."""
    assert RSquared().measure(column(*[output] * rows), column(*[target] * rows)) == expected


def test_r2_of_several_columns_is_their_mean():
    """Each column has the same weight, whatever its scale."""
    targets = np.array([[1, 100], [2, 200], [3, 300]], float)
    outputs = np.array([[1, 200], [2, 200], [3, 200]], float)
    assert RSquared().measure(outputs, targets) == pytest.approx(0.5)


def test_regression_accuracy_has_the_tolerance_of_the_training_set():
    """The tolerance is a 250th of the standard deviation of the training targets, exclusive."""
    metric = RegressionAccuracy()
    metric.attach(column(-250, 250))  # a standard deviation of 250
    assert metric.measure(column(0.5, 0.999, 1.0, -2), column(0, 0, 0, 0)) == 0.5


def test_mean_absolute_error_is_the_mean_over_rows():
    """The columns of a row have the same weight."""
    outputs, targets = np.array([[1, 2], [3, 5]], np.float32), np.array([[1, 4], [0, 4]], np.float32)
    assert MeanAbsoluteError().by_row(outputs, targets).tolist() == [1, 2]
    assert MeanAbsoluteError().measure(outputs, targets) == 1.5
    with pytest.raises(NotImplementedError, match="RSquared is not a mean over rows"):
        RSquared().by_row(outputs, targets)
