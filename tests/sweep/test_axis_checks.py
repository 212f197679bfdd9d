"""Checks of what varies, which do not need a config."""

from pathlib import Path

import pytest

from nncli.sweep.axis_checks import read_range, repeated_values, text_of
from nncli.sweep.definition import from_command_line
from nncli.sweep.sweep_config import SweepOptions


def axis_of(argument):
    """What an argument varies."""
    (axis,) = from_command_line(Path("config.yaml"), [argument], SweepOptions()).axes
    return axis


def test_a_step_may_be_as_large_as_the_range():
    """Then there are two values; the first step that is too large is one beyond it."""
    limits, problems = read_range(axis_of("a={min: 1, max: 3, step: 2}"))
    assert (limits.step, problems) == (2, [])
    limits, problems = read_range(axis_of("a={min: 1, max: 3, step: 2.5}"))
    assert limits is None
    assert [each.message for each in problems] == ["2.5 is larger than the range from 1 to 3; write at most 2"]


def test_limits_in_the_wrong_order_are_one_problem():
    """Whether a step is too large is not known then."""
    assert [each.path for each in read_range(axis_of("a={min: 3, max: 1, step: 1}"))[1]] == [("a", "min")]


def test_a_repeated_value_names_the_first_one():
    """However often it repeats."""
    found = [each.message for each in repeated_values(axis_of("a=5,6,5,5"), [5, 6, 5, 5])]
    assert found == ["5 repeats (first at line 1, column 3); remove one"] * 2


@pytest.mark.parametrize(("length", "expected"), [(1, "a=x"), (2000, None)])
def test_long_values_are_shortened_in_messages(length, expected):
    """A whole component may have many keys."""
    axis = axis_of(f"a={'x' * length},y")
    found = text_of(axis, axis.values[0])
    assert found == expected or (found.endswith("xxx...") and len(found) < 300)
