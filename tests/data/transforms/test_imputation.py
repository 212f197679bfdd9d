"""Values for missing ones."""

import statistics

import numpy as np
import pytest

from nncli.data.transforms.imputation import Constant, Mean, Median, Mode, Refuse

VALUES = [3.0, 1.0, 2.0, 3.0, 1.0, 7.5]


@pytest.mark.parametrize(
    ("imputation", "expected"),
    [
        (Mean(), statistics.fmean(VALUES)),
        (Median(), statistics.median(VALUES)),
        (Mode(), 1.0),  # of 1 and 3 the smaller
        (Constant(-1.0), -1.0),
        (Refuse(), None),
    ],
    ids=lambda value: type(value).__name__,
)
def test_value_is_that_of_the_standard_library(imputation, expected):
    """Mean, median, mode; of several modes the smallest."""
    assert imputation.fit(np.array(VALUES)) == expected


@pytest.mark.parametrize("values", [[4.0], [-1.7e308, -1.7e308], [1.7e308, 1.7e308]], ids=str)
@pytest.mark.parametrize("imputation", [Mean(), Median(), Mode()], ids=lambda each: type(each).__name__)
def test_value_of_equal_values_is_that_value(imputation, values):
    """A single one, and those whose sum overflows."""
    assert imputation.fit(np.array(values)) == values[0]
