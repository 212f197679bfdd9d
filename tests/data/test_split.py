"""Splits of a data set: stratified, by group, by order and by value."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nncli.config.model import Fraction
from nncli.data.dataset import Dataset
from nncli.data.source import SourceError
from nncli.data.split import split


def indexed(counts):
    """A shuffled data set whose inputs are the indices of its rows, with the given number of rows per class."""
    targets = np.random.default_rng(0).permutation(np.repeat(np.arange(len(counts)), counts))
    return Dataset(np.arange(len(targets), dtype=float)[:, None], targets, len(counts))


def of(**fractions):
    """Random fractions by split."""
    return {name: Fraction(fraction=fraction) for name, fraction in fractions.items()}


@pytest.mark.slow
@given(
    st.lists(st.integers(4, 60), min_size=2, max_size=4),
    st.floats(0.05, 0.3),
    st.floats(0.05, 0.3),
    st.integers(0, 2**32 - 1),
)
def test_splits_are_disjoint_complete_and_stratified(counts, first, second, seed):
    """Every row is in exactly one split, in its order, and each class has its rounded fraction, at least one row."""
    dataset = indexed(counts)
    splits = split(dataset, of(validation=first, test=second), np.random.default_rng(seed))
    assert list(splits) == ["training", "validation", "test"]
    rows = [part.inputs[:, 0] for part in splits.values()]
    assert sorted(np.concatenate(rows)) == list(range(sum(counts)))
    assert all((np.diff(each) > 0).all() for each in rows)
    for part, fraction in ((splits["validation"], first), (splits["test"], second)):
        assert list(np.bincount(part.targets, minlength=len(counts))) == [max(1, round(n * fraction)) for n in counts]


def test_targets_stay_with_their_rows():
    """A row keeps its class."""
    dataset = indexed([10, 10])
    for part in split(dataset, of(test=0.3), np.random.default_rng(0)).values():
        np.testing.assert_array_equal(part.targets, dataset.targets[part.inputs[:, 0].astype(int)])


@pytest.mark.slow
@given(
    st.lists(st.integers(4, 60), min_size=1, max_size=4),
    st.floats(0.05, 0.3),
    st.floats(0.05, 0.3),
    st.integers(0, 2**32 - 1),
)
def test_splits_at_different_ends_are_independent(counts, first, second, seed):
    """Each split has the rows that it would have alone, and no row is in both."""
    dataset, fractions = indexed(counts), of(validation=first, test=second)
    both = split(dataset, fractions, np.random.default_rng(seed), {"test"})
    for name, fraction in fractions.items():
        alone = split(dataset, {name: fraction}, np.random.default_rng(seed), {"test"})
        assert np.array_equal(alone[name].inputs, both[name].inputs)
    assert sum(map(len, both.values())) == len(np.unique(np.concatenate([part.inputs for part in both.values()])))


def test_split_depends_on_the_generator():
    """The same generator gives the same splits, another one gives others."""
    dataset = indexed([30, 30])
    prints = [split(dataset, of(test=0.3), np.random.default_rng(s))["test"].fingerprint() for s in (0, 0, 1)]
    assert prints[0] == prints[1] != prints[2]


def test_too_small_class_is_reported():
    """A class that cannot be in every split is an error that names it."""
    with pytest.raises(SourceError, match=r"\(validation 0.1 and test 0.1\) take 2 of the 2 rows of class 1"):
        split(indexed([10, 2]), of(validation=0.1, test=0.1), np.random.default_rng(0))


@pytest.mark.slow
@given(st.integers(4, 200), st.floats(0.05, 0.3), st.floats(0.05, 0.3), st.integers(0, 2**32 - 1))
def test_regression_rows_are_split_together(rows, first, second, seed):
    """Without classes each split has its rounded fraction of all rows, disjoint, complete, in order."""
    inputs = np.arange(rows, dtype=float)[:, None]
    splits = split(Dataset(inputs, -inputs, None), of(validation=first, test=second), np.random.default_rng(seed))
    sizes = {name: len(part) for name, part in splits.items()}
    assert (sizes["validation"], sizes["test"]) == (max(1, round(rows * first)), max(1, round(rows * second)))
    found = [part.inputs[:, 0] for part in splits.values()]
    assert sorted(np.concatenate(found)) == list(range(rows))
    for part in splits.values():
        assert (np.diff(part.inputs[:, 0]) > 0).all()
        np.testing.assert_array_equal(part.targets, -part.inputs)
        assert part.classes is None


def test_too_few_regression_rows_are_reported():
    """Without classes none is named."""
    rows = np.arange(2.0)[:, None]
    with pytest.raises(
        SourceError, match=r"\(validation 0.1 and test 0.1\) take 2 of the 2 rows, so that none is left"
    ):
        split(Dataset(rows, rows, None), of(validation=0.1, test=0.1), np.random.default_rng(0))


def test_splits_are_disjoint_in_any_order():
    """No row is in two splits, in whichever order they are named."""
    data = Dataset(np.arange(20.0).reshape(20, 1), np.arange(20.0).reshape(20, 1), None)
    splits = split(data, of(test=0.5, validation=0.3), np.random.default_rng(0), ("test",))
    assert [len(part) for part in splits.values()] == [4, 10, 6]
