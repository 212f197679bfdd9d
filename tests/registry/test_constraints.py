"""Bounds of values, and the named ranges."""

from typing import Annotated

import pytest
from pydantic_core import ValidationError

from nncli.registry import Bounds, Count, NonNegative, Positive, Probability, Seed, UnitInterval, validated

RANGES = [
    (Count, [1, 2**63], [0, -1]),
    (Positive, [5e-324, 1e308], [0.0, -1.0]),
    (NonNegative, [0.0, 1.0], [-5e-324]),
    (UnitInterval, [0.0, 1 - 1e-16], [1.0, -0.1]),
    (Probability, [0.0, 1.0], [1.1, -0.1]),
    (Seed, [0, 2**32 - 1], [-1, 2**32]),
]


@pytest.mark.parametrize(("annotation", "inside", "outside"), RANGES)
def test_named_range_ends_at_its_bounds(annotation, inside, outside):
    """Values at a closed bound are valid, values beyond a bound are not."""
    assert [validated(value, annotation) for value in inside] == inside
    for value in outside:
        with pytest.raises(ValidationError):
            validated(value, annotation)


@pytest.mark.parametrize("annotation", [Count, Positive, NonNegative, UnitInterval, Probability])
def test_example_of_named_range_is_valid(annotation):
    """The example that the reference shows is a value within the bounds."""
    (bounds,) = annotation.__metadata__
    assert validated(bounds.example, annotation) == bounds.example


def test_bounds_combine():
    """Several limits of one value all apply."""
    even = Annotated[int, Bounds(multiple_of=2, le=8)]
    assert validated(8, even) == 8
    for value in (7, 10):
        with pytest.raises(ValidationError):
            validated(value, even)
