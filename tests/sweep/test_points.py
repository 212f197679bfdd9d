"""Points of a search: a grid in the order of its axes, and random points that are computed alone."""

import itertools

import numpy as np
import pytest

from nncli.store.group_files import AxisRecord, combinations
from nncli.sweep.points import grid_point, random_point

AXES = [
    AxisRecord(key="a", values=[1, 2, 3]),
    AxisRecord(key="b", min=0, max=4, step=2),
    AxisRecord(key="c", values=["x", "y"]),
]
REAL = AxisRecord(key="d", min=0.0, max=1.0)


def test_grid_is_a_product():
    """The points of a grid are the product of its axes; the last axis changes fastest."""
    expected = list(itertools.product([1, 2, 3], [0, 2, 4], ["x", "y"]))
    assert [grid_point(AXES, number) for number in range(combinations(AXES))] == expected


def test_no_axes_are_one_point():
    """A group without axes, such as one of seeds, has one point."""
    assert combinations([]) == 1
    assert grid_point([], 0) == ()


def test_real_ranges_have_no_grid():
    """The number of combinations with a real range is unknown."""
    assert combinations([*AXES, REAL]) is None
    with pytest.raises(ValueError, match="d is a range without a step"):
        grid_point([REAL], 0)


def test_random_points_depend_on_seed_and_number_alone():
    """A random point is the same in any order of computation, and differs between seeds and numbers."""
    forward = [random_point([*AXES, REAL], 7, number) for number in range(20)]
    backward = [random_point([*AXES, REAL], 7, number) for number in reversed(range(20))]
    assert forward == backward[::-1]
    assert len({point[-1] for point in forward} | {random_point([REAL], 8, n)[0] for n in range(20)}) == 40
    generator = np.random.default_rng(np.random.SeedSequence([7, 3]))
    assert random_point([REAL], 7, 3) == (generator.uniform(0, 1),)
