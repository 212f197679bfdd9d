"""Values of axes: steps, integers, and distributions of random values."""

import numpy as np
import pytest
from scipy import stats

from nncli.store.group_files import AxisRecord
from nncli.sweep.axes import is_countable, listed, override, sampled


def axis(**values):
    return AxisRecord(key="k", **values)


def sample(given, count=4000):
    generator = np.random.default_rng(0)
    return [sampled(given, generator) for _ in range(count)]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (axis(values=[3, "a", {"type": "sgd"}]), [3, "a", {"type": "sgd"}]),
        (axis(min=2, max=6, step=2), [2, 4, 6]),
        (axis(min=2, max=7, step=2), [2, 4, 6]),
        (axis(min=0.1, max=0.5, step=0.1), [0.1, 0.2, 0.3, 0.4, 0.5]),
        (axis(min=2, max=4), [2, 3, 4]),
    ],
)
def test_listed_values(given, expected):
    """A list has its values; a range with a step, or of integers, has all of them, the last one included if it fits."""
    assert list(listed(given)) == expected


class Ends:
    """A generator of the smallest or the largest number."""

    def __init__(self, index):
        self.index = index

    def uniform(self, *limits):
        return limits[self.index]


@pytest.mark.parametrize("index", [0, 1])
def test_rounding_does_not_leave_a_logarithmic_range(index):
    """The exponential function of a logarithm may be a little smaller or larger than the number."""
    for number in range(1, 200):
        real, integers = axis(min=number / 1000, max=number / 100, log=True), axis(min=number, max=9 * number, log=True)
        for given in (real, integers):
            assert given.min <= sampled(given, Ends(index)) <= given.max


def test_real_ranges_are_not_listed():
    """A range of real numbers without a step has no list, and a grid needs a list or a step."""
    assert listed(axis(min=0.0, max=1.0)) is None
    countable = [axis(values=[1]), axis(min=1, max=3, step=1), axis(min=1, max=3)]
    assert [is_countable(each) for each in countable] == [True, True, False]


def test_uniform_values():
    """Real values are uniform in the range, or in its logarithm, by a Kolmogorov-Smirnov test."""
    assert stats.kstest(sample(axis(min=-2.0, max=6.0)), stats.uniform(-2, 8).cdf).pvalue > 0.01
    values = sample(axis(min=1e-4, max=1.0, log=True))
    assert stats.kstest(values, stats.loguniform(1e-4, 1).cdf).pvalue > 0.01
    assert all(1e-4 <= value <= 1 for value in values)


def test_integers_are_uniform():
    """Both ends of a range of integers are as likely as the values between them."""
    values = sample(axis(min=3, max=7))
    assert {type(value) for value in values} == {int}
    assert stats.chisquare([values.count(each) for each in range(3, 8)]).pvalue > 0.01


def test_integers_are_uniform_in_the_logarithm():
    """The probability of an integer n is that of n - 1/2 to n + 1/2."""
    values = sample(axis(min=1, max=8, log=True))
    edges = np.log(np.arange(0.5, 9))
    expected = np.diff(edges) / (edges[-1] - edges[0]) * len(values)
    assert {type(value) for value in values} == {int}
    assert stats.chisquare([values.count(each) for each in range(1, 9)], expected).pvalue > 0.01


def test_choices_are_equally_likely():
    """Each value of a list, a whole component too, is equally likely; so is each step."""
    component = {"type": "sgd", "momentum": 0.9}
    values = sample(axis(values=["adam", component]))
    assert stats.binomtest(values.count(component), len(values)).pvalue > 0.01
    steps = sample(axis(min=0.0, max=0.3, step=0.1))
    assert stats.chisquare([steps.count(each) for each in (0.0, 0.1, 0.2, 0.3)]).pvalue > 0.01


def test_overrides():
    """The override of a value reads back as the value."""
    assert override(axis(values=[]), {"type": "sgd", "momentum": 0.9}) == "k={type: sgd, momentum: 0.9}"
    assert override(axis(min=0.0, max=1.0), 1e-5) == "k=1.0e-05"
