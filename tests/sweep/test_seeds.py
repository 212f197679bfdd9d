"""Seeds and what they vary, as they are written, and the values of a run."""

import re

import pytest

from nncli.sweep.seeds import fold_of, parse_seeds, parse_vary, replicate_changes


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (3, [0, 1, 2]),
        ("3", [0, 1, 2]),
        ("5..7", [5, 6, 7]),
        ("4..4", [4]),
        ("1, 2, 5", [1, 2, 5]),
        ([9, 0], [9, 0]),
        ("4294967295..4294967295", [2**32 - 1]),
    ],
)
def test_seeds(written, expected):
    """A number counts from 0, a range has both ends, and a list keeps its order."""
    assert parse_seeds(written) == expected


@pytest.mark.parametrize(
    "written", [0, [], "", "a", True, 1.5, [1.5], [True], "1..", "2..1", "1,1", [-1], "10001", "-3"]
)
def test_invalid_seeds(written):
    """Anything else is rejected with a message."""
    with pytest.raises(ValueError, match=r"seed|empty"):
        parse_seeds(written)


@pytest.mark.parametrize(
    ("written", "message"),
    [
        (10_001, "10,001 seeds are too many (limit: 10,000)"),
        ("9999999999", "9,999,999,999 seeds are too many (limit: 10,000)"),
        ("0..9999999999", "10,000,000,000 seeds are too many (limit: 10,000)"),
        ("4294967295..4294967296", "seed 4294967296 is too large (limit: 4294967295)"),
        ([4294967296, 0], "seed 4294967296 is too large (limit: 4294967295)"),
    ],
)
def test_limits(written, message):
    """Of the number of seeds, and of each; a large number is rejected at once."""
    with pytest.raises(ValueError, match=rf"^{re.escape(message)}$"):
        parse_seeds(written)
    assert len(parse_seeds(10_000)) == 10_000


def test_vary():
    """By default the data and its splits stay; ``data`` includes the splits."""
    assert parse_vary(None) == ["weights", "order", "dropout"]
    assert parse_vary("dropout,data") == ["data", "split", "dropout"]
    assert parse_vary("all") == parse_vary(["all"]) == ["all"]


@pytest.mark.parametrize("written", ["", "weight", "all,data", ["data", "data"], [], 3, {"data": 1}])
def test_invalid_vary(written):
    """Anything else is rejected with what can be written."""
    with pytest.raises(ValueError, match="write all, or some of data, split, weights, order, dropout"):
        parse_vary(written)


def test_replicates_are_seeds_by_folds():
    """The fold changes fastest; a fold keeps the group of the validation set that it replaces."""
    fold = fold_of(2, {"fraction": 0.2, "group": "patient"})
    assert [replicate_changes([5, 6], ["weights"], fold, number) for number in (1, 2)] == [
        [(("seeds", "weights"), 5), (("validation",), {"folds": 2, "group": "patient", "fold": 1})],
        [(("seeds", "weights"), 6), (("validation",), {"folds": 2, "group": "patient", "fold": 0})],
    ]
    assert replicate_changes([5, 6], ["all"], None, 1) == [(("seed",), 6)]
    assert replicate_changes([], [], None, 0) == []
    assert fold_of(None, None) is None
