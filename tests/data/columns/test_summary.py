"""Summaries of columns."""

import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nncli.data.columns import MISSING_TEXTS, Boolean, Category, Date, Number, Summary
from nncli.data.columns.date import date_text
from nncli.data.columns.summary import histogram

NAN = float("nan")


def test_summary_of_numbers():
    """Missing ones are counted and left out."""
    values = [3.0, NAN, 1.0, 3.0, 11.0, NAN]
    expected = Summary(6, 2, 3, 1.0, statistics.fmean([3, 1, 3, 11]), 11.0, (1, 0, 2, 0, 0, 0, 0, 0, 0, 1))
    assert Number().summary(np.array(values)) == expected


def test_summary_of_dates_and_of_true_and_false():
    """Dates in seconds; the mean of a boolean is the fraction of true."""
    column = Date()
    summary = column.summary(column.parse(["2024-01-01", "", "2023-05-06T07:08:09"], MISSING_TEXTS)[0])
    assert (date_text(summary.smallest), date_text(summary.largest)) == ("2023-05-06 07:08:09", "2024-01-01")
    assert Boolean().summary(np.array([1.0, 0.0, NAN, 1.0])).mean == pytest.approx(2 / 3)


def test_summary_of_categories():
    """The most frequent ones first, equally frequent ones in alphabetical order."""
    column = Category()
    codes, _ = column.parse(["b", "c", "", "a", "b"], MISSING_TEXTS)
    expected = Summary(5, 1, 3, "a", None, "c", (), (("b", 2), ("a", 1), ("c", 1)))
    assert column.summary(codes) == expected
    assert column.summary(codes[:2]).distinct == 2
    many, _ = column.parse([str(number) for number in range(30)], MISSING_TEXTS)
    assert len(column.summary(many).most_frequent) == 10


@pytest.mark.parametrize("column", [Number(), Boolean(), Date()], ids=lambda each: type(each).__name__)
def test_summary_without_values(column):
    """Nothing is smallest."""
    assert column.summary(np.array([NAN, NAN])) == Summary(2, 2, 0)
    assert column.summary(np.zeros(0)) == Summary(0, 0, 0)


@given(st.lists(st.floats(-1e100, 1e100) | st.integers(-5, 5).map(float), min_size=1, max_size=50))
def test_histogram_is_that_of_numpy(values):
    """Ten equal intervals; each value is in one, and a border in the upper one."""
    known = np.array(sorted(values))
    found = histogram(known)
    assert (sum(found), len(found)) == (len(values), 10)
    if known[-1] - known[0] > np.abs(known).max() * 1e-9:
        expected = np.histogram(known, 10)[0]
        edges = np.histogram(known, 10)[1]
        near = [np.isclose(known[:, None], edges[1:-1], rtol=1e-12, atol=0).any()]
        assert near[0] or found == tuple(expected.tolist())


@pytest.mark.parametrize("values", [[5.0] * 3, [-1.7e308, 0.0, 1.7e308], [0.0, 5e-324]], ids=str)
def test_histogram_at_any_magnitude(values):
    """Equal values, a range beyond float64, and one without room for borders."""
    assert sum(histogram(np.array(values))) == len(values)
