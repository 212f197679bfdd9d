"""Parts of a data set."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nncli.data.dataset import Dataset
from nncli.data.split import split


def numbered(counts):
    """A set whose inputs are the numbers of its rows, with so many rows of each class, shuffled."""
    targets = np.random.default_rng(0).permutation(np.repeat(np.arange(len(counts)), counts))
    return Dataset(np.arange(len(targets), dtype=float)[:, None], targets, len(counts))


@given(
    st.lists(st.integers(4, 60), min_size=2, max_size=4),
    st.floats(0.05, 0.3),
    st.floats(0.05, 0.3),
    st.integers(0, 2**32 - 1),
)
def test_parts_are_disjoint_whole_and_stratified(counts, first, second, seed):
    """Every row is in exactly one part, in its old order, and each class has its rounded share, at least one row."""
    dataset = numbered(counts)
    parts = split(dataset, {"validation": first, "test": second}, np.random.default_rng(seed))
    assert list(parts) == ["training", "validation", "test"]
    rows = [part.inputs[:, 0] for part in parts.values()]
    assert sorted(np.concatenate(rows)) == list(range(sum(counts)))
    assert all((np.diff(each) > 0).all() for each in rows)
    for part, share in ((parts["validation"], first), (parts["test"], second)):
        assert list(np.bincount(part.targets, minlength=len(counts))) == [max(1, round(n * share)) for n in counts]


def test_targets_stay_with_their_rows():
    """A row keeps its class."""
    dataset = numbered([10, 10])
    for part in split(dataset, {"test": 0.3}, np.random.default_rng(0)).values():
        np.testing.assert_array_equal(part.targets, dataset.targets[part.inputs[:, 0].astype(int)])


@given(
    st.lists(st.integers(4, 60), min_size=1, max_size=4),
    st.floats(0.05, 0.3),
    st.floats(0.05, 0.3),
    st.integers(0, 2**32 - 1),
)
def test_parts_at_different_ends_do_not_depend_on_each_other(counts, first, second, seed):
    """Each part has the rows that it would have alone, and no row is in both."""
    dataset, fractions = numbered(counts), {"validation": first, "test": second}
    both = split(dataset, fractions, np.random.default_rng(seed), {"test"})
    for name, fraction in fractions.items():
        alone = split(dataset, {name: fraction}, np.random.default_rng(seed), {"test"})
        assert np.array_equal(alone[name].inputs, both[name].inputs)
    assert sum(map(len, both.values())) == len(np.unique(np.concatenate([part.inputs for part in both.values()])))


def test_the_stream_decides():
    """The same stream gives the same parts, another one others."""
    dataset = numbered([30, 30])
    prints = [split(dataset, {"test": 0.3}, np.random.default_rng(s))["test"].fingerprint() for s in (0, 0, 1)]
    assert prints[0] == prints[1] != prints[2]


def test_a_class_too_small_is_named():
    """A class that cannot be in every part is an error that says which one."""
    with pytest.raises(ValueError, match=r"\(validation 0.1 and test 0.1\) take 2 of the 2 rows of class 1"):
        split(numbered([10, 2]), {"validation": 0.1, "test": 0.1}, np.random.default_rng(0))


@given(st.integers(4, 200), st.floats(0.05, 0.3), st.floats(0.05, 0.3), st.integers(0, 2**32 - 1))
def test_numbers_are_split_as_one_group(rows, first, second, seed):
    """Without classes each part has its rounded share of all rows, disjoint, whole, in order, targets with them."""
    inputs = np.arange(rows, dtype=float)[:, None]
    parts = split(Dataset(inputs, -inputs, None), {"validation": first, "test": second}, np.random.default_rng(seed))
    sizes = {name: len(part) for name, part in parts.items()}
    assert (sizes["validation"], sizes["test"]) == (max(1, round(rows * first)), max(1, round(rows * second)))
    found = [part.inputs[:, 0] for part in parts.values()]
    assert sorted(np.concatenate(found)) == list(range(rows))
    for part in parts.values():
        assert (np.diff(part.inputs[:, 0]) > 0).all()
        np.testing.assert_array_equal(part.targets, -part.inputs)
        assert part.classes is None


def test_too_few_numbers_are_told_as_rows():
    """Where there are no classes none is named."""
    rows = np.arange(2.0)[:, None]
    with pytest.raises(ValueError, match=r"\(validation 0.1 and test 0.1\) take 2 of the 2 rows, and leave none"):
        split(Dataset(rows, rows, None), {"validation": 0.1, "test": 0.1}, np.random.default_rng(0))


def test_a_part_at_the_end_leaves_the_rest_to_those_after_it():
    """No row is in two parts, in whichever order they are named."""
    data = Dataset(np.arange(20.0).reshape(20, 1), np.arange(20.0).reshape(20, 1), None)
    parts = split(data, {"test": 0.5, "validation": 0.3}, np.random.default_rng(0), ("test",))
    assert [len(part) for part in parts.values()] == [4, 10, 6]
