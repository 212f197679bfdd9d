"""Splits of a data set: stratified, by group, by order and by value."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nncli.config.model import Fraction, Where
from nncli.data.dataset import Dataset
from nncli.data.source import SourceError
from nncli.data.split import split
from tests.data.test_table_warnings import table


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
    """All classes that cannot be in every split are named, with their rows, at the section of the larger fraction."""
    expected = "(validation 0.1 and test 0.2) leave no row for training of 2 classes: 'b' (2 rows), 'd' (1 row); use"
    with pytest.raises(SourceError, match=re.escape(expected)) as error:
        split(indexed([10, 2, 10, 1]), of(validation=0.1, test=0.2), np.random.default_rng(0), class_names=list("abcd"))
    assert error.value.key == "test"


def test_many_too_small_classes_are_counted():
    """After twenty of them."""
    with pytest.raises(SourceError, match=r"of 23 classes: '0' \(2 rows\), .* '19' \(2 rows\) and 3 more; use"):
        split(indexed([2] * 23 + [9]), of(validation=0.1, test=0.2), np.random.default_rng(0))


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
        SourceError, match=r"\(validation 0.1 and test 0.1\) leave no row for training: there are 2 rows; use"
    ):
        split(Dataset(rows, rows, None), of(validation=0.1, test=0.1), np.random.default_rng(0))


def test_splits_are_disjoint_in_any_order():
    """No row is in two splits, in whichever order they are named."""
    data = Dataset(np.arange(20.0).reshape(20, 1), np.arange(20.0).reshape(20, 1), None)
    splits = split(data, of(test=0.5, validation=0.3), np.random.default_rng(0), ("test",))
    assert [len(part) for part in splits.values()] == [4, 10, 6]


def rows_of(sections, seed=0, **columns):
    """The indices of the rows in each split of a table with these columns."""
    inputs = table(**columns)
    data = Dataset(inputs, np.arange(len(inputs))[:, None], None)
    splits = split(data, sections, np.random.default_rng(seed), ("test",))
    return {name: part.targets[:, 0].tolist() for name, part in splits.items()}


def test_last_rows_are_those_at_the_end_of_the_file():
    """The last split has the last ones, and the one before it those before them."""
    sections = {"validation": Fraction(fraction=0.2, last=True), "test": Fraction(fraction=0.3, last=True)}
    found = rows_of(sections, x=range(10))
    assert found == {"training": [0, 1, 2, 3, 4], "validation": [5, 6], "test": [7, 8, 9]}


def test_rows_with_the_same_value_in_the_order_stay_together():
    """The largest values are taken, wherever they are in the file, and a split has at least its fraction."""
    days = [5, 1, 4, 2, 4, 5, 3, 4, 1, 2]
    sections = {"validation": Fraction(fraction=0.2, last="day"), "test": Fraction(fraction=0.1, last="day")}
    assert rows_of(sections, day=days) == {"training": [1, 3, 6, 8, 9], "validation": [2, 4, 7], "test": [0, 5]}


def test_fractions_by_order_are_those_of_the_rows_that_remain():
    """After those that were taken by value."""
    sections = {"validation": Fraction(fraction=0.5, last=True), "test": Where(where={"part": "b"})}
    found = rows_of(sections, part=list("abbaabbaaa"))
    assert found == {"training": [0, 3, 4], "validation": [7, 8, 9], "test": [1, 2, 5, 6]}


@pytest.mark.parametrize("seed", range(5))
def test_groups_are_split_as_a_whole(seed):
    """Each split has its fraction of the rows, and no group more; it has the same groups as it would have alone."""
    groups = [f"p{index % 10}" for index in range(40)]
    sections = {name: Fraction(fraction=0.2, group="patient") for name in ("validation", "test")}
    found = rows_of(sections, seed, patient=groups)
    assert {name: len(rows) for name, rows in found.items()} == {"training": 24, "validation": 8, "test": 8}
    assert sum(len({groups[row] for row in rows}) for rows in found.values()) == 10
    for name, section in sections.items():
        assert rows_of({name: section}, seed, patient=groups)[name] == found[name]


def test_a_group_is_never_torn():
    """Not even to have the exact fraction of the rows."""
    groups = [f"p{index % 10}" for index in range(40)]
    found = rows_of({"test": Fraction(fraction=0.25, group="patient")}, patient=groups)
    assert len(found["test"]) == 12
    assert {groups[row] for row in found["test"]}.isdisjoint(groups[row] for row in found["training"])


def test_fractions_by_different_groups_are_of_the_same_rows():
    """The groups of the first column do not make those of the second one fewer."""
    sections = {"validation": Fraction(fraction=0.5, group="patient"), "test": Fraction(fraction=0.3, group="row")}
    found = rows_of(sections, patient=[index // 2 for index in range(20)], row=range(20))
    assert {name: len(rows) for name, rows in found.items()} == {"training": 4, "validation": 10, "test": 6}


def test_values_are_alternatives_and_columns_are_conditions():
    """A row is taken that has one of the values in each column."""
    section = Where(where={"part": ["b", "c"], "year": 2024})
    found = rows_of({"test": section}, part=list("abcabc"), year=[2024, 2024, 2024, 2023, 2024, 2023])
    assert found == {"training": [0, 3, 5], "test": [1, 2, 4]}


def test_rows_that_two_splits_name_are_rejected():
    """A single one is enough."""
    sections = {"validation": Where(where={"part": "b"}), "test": Where(where={"year": 2024})}
    with pytest.raises(SourceError, match="1 row of test are also in validation"):
        rows_of(sections, part=list("abba"), year=[2023, 2024, 2023, 2024])


def test_true_and_false_are_the_words_of_the_file():
    """In a column of categories, too, as a config has them without quotes."""
    assert rows_of({"test": Where(where={"part": True})}, part=["true", "false", "true"])["test"] == [0, 2]
