"""Folds of cross-validation: disjoint, complete, of equal size, stratified, or of whole groups."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nncli.config.model import Fold, Fraction, Where
from nncli.data.dataset import Dataset
from nncli.data.folds import fold_size, grouped_fold
from nncli.data.source import SourceError
from nncli.data.split import split
from tests.data.test_split import indexed, rows_of


def validation_rows(dataset, folds, seed=0, **sections):
    """The indices of the validation rows of each fold, and of the test rows."""
    found = []
    for fold in range(folds):
        parts = {"validation": Fold(folds=folds, fold=fold), **sections}
        splits = split(dataset, parts, np.random.default_rng(seed), ("test",))
        found.append({name: part.inputs[:, 0].astype(int).tolist() for name, part in splits.items()})
    return found


@given(st.lists(st.integers(7, 40), min_size=2, max_size=4), st.integers(2, 7), st.integers(0, 2**32 - 1))
def test_folds_are_disjoint_complete_and_stratified(counts, folds, seed):
    """Each row is in one fold and trained in all others; fold sizes differ by one row at most, of each class too."""
    dataset = indexed(counts)
    found = validation_rows(dataset, folds, seed)
    assert sorted(row for each in found for row in each["validation"]) == list(range(len(dataset)))
    for fold, each in enumerate(found):
        assert sorted(each["training"] + each["validation"]) == list(range(len(dataset)))
        assert len(each["validation"]) == fold_size(len(dataset), Fold(folds=folds, fold=fold))
    per_class = [np.bincount(dataset.targets[each["validation"]], minlength=len(counts)) for each in found]
    assert (np.ptp(per_class, axis=0) <= 1).all()
    assert np.ptp([len(each["validation"]) for each in found]) <= 1


def test_rows_are_dealt_from_the_permutation_of_each_class():
    """Of the permuted rows of the classes, one after the other, each fifth one."""
    dataset, rng = indexed([11, 14]), np.random.default_rng(3)
    order = np.concatenate([rng.permutation(np.flatnonzero(dataset.targets == label)) for label in (0, 1)])
    for fold, each in enumerate(validation_rows(dataset, 5, 3)):
        assert each["validation"] == sorted(order[fold::5])


def test_folds_depend_on_the_seed():
    """Other seeds give other folds, and the same seed the same."""
    first, again, other = (validation_rows(indexed([20, 20]), 4, seed) for seed in (1, 1, 2))
    assert first == again != other


def test_regression_rows_are_dealt_to_folds():
    """All rows are one stratum."""
    rows = np.arange(11.0)[:, None]
    found = validation_rows(Dataset(rows, rows, None), 3)
    assert [len(each["validation"]) for each in found] == [4, 4, 3]
    assert sorted(row for each in found for row in each["validation"]) == list(range(11))


def test_test_rows_are_taken_out_before():
    """A test fraction has the same rows for each fold, and as without folds; the folds share the other rows."""
    dataset, test = indexed([25, 30]), {"test": Fraction(fraction=0.2)}
    alone = split(dataset, test, np.random.default_rng(0), ("test",))["test"].inputs[:, 0].tolist()
    found = validation_rows(dataset, 4, **test)
    assert [each["test"] for each in found] == [alone] * 4
    assert sorted(row for each in found for row in each["validation"]) == sorted({*range(55)} - {*alone})


def test_test_rows_by_value_are_in_no_fold():
    """Nor are those of a test set by order or by group."""
    columns = {"part": list("ab" * 10), "day": range(20)}
    for test in (Where(where={"part": "b"}), Fraction(fraction=0.25, last="day"), Fraction(fraction=0.5, group="part")):
        found = [rows_of({"validation": Fold(folds=3, fold=fold), "test": test}, **columns) for fold in range(3)]
        assert len({tuple(each["test"]) for each in found}) == 1
        in_folds = sorted(row for each in found for row in each["validation"])
        assert in_folds == sorted({*range(20)} - {*found[0]["test"]})


@given(st.lists(st.integers(1, 9), min_size=4, max_size=12), st.integers(2, 4), st.integers(0, 99))
def test_groups_are_in_one_fold(sizes, folds, seed):
    """Each group is in one fold as a whole; no fold is empty, nor larger than the smallest by more than a group."""
    groups = [f"p{index}" for index, size in enumerate(sizes) for _ in range(size)]
    found = [
        rows_of({"validation": Fold(folds=folds, fold=fold, group="patient")}, seed, patient=groups)["validation"]
        for fold in range(folds)
    ]
    assert sorted(row for each in found for row in each) == list(range(len(groups)))
    of_fold = Counter(group for rows in found for group in {groups[row] for row in rows})
    assert set(of_fold.values()) == {1}
    lengths = [len(each) for each in found]
    assert 0 < min(lengths) <= max(lengths) <= min(lengths) + max(sizes)


def test_large_groups_are_distributed_first():
    """So that folds have about the same number of rows: 6, and 3 + 2 + 1."""
    groups = list("aaaaaabbbccd")
    lengths = [
        len(rows_of({"validation": Fold(folds=2, fold=fold, group="g")}, g=groups)["validation"]) for fold in range(2)
    ]
    assert lengths == [6, 6]


def test_groups_of_equal_size_keep_a_random_order():
    """However many there are, and on every processor."""
    sizes, rows, expected = np.array([1, 2] * 60), [0, 0, 0], [[], [], []]
    for group in sorted(np.random.default_rng(3).permutation(120).tolist(), key=lambda group: -sizes[group]):
        fold = rows.index(min(rows))
        rows[fold] += sizes[group]
        expected[fold].append(group)
    for fold in range(3):
        assert grouped_fold(sizes, Fold(folds=3, fold=fold), np.random.default_rng(3)) == expected[fold]


def test_too_few_rows_of_a_class_are_reported():
    """The message names the classes."""
    with pytest.raises(SourceError) as found:
        validation_rows(indexed([5, 4]), 5)
    assert str(found.value) == (
        "5 folds need at least 5 rows of each class; 1 class with fewer: '1' (4 rows);"
        " use fewer folds or more rows of each, or remove them"
    )
    assert found.value.key == "validation"
    assert len(validation_rows(indexed([5, 5]), 5)) == 5


@pytest.mark.parametrize(("classes", "more"), [(20, ";"), (21, " and 1 more;")])
def test_many_classes_are_counted(classes, more):
    """The first twenty are named."""
    with pytest.raises(SourceError, match=rf"'19' \(1 row\){more} use fewer folds"):
        validation_rows(indexed([1] * classes), 2)


def test_too_few_regression_rows_are_reported():
    """A fold would be empty."""
    rows = np.arange(4.0)[:, None]
    with pytest.raises(SourceError, match=r"^5 folds need at least 5 rows, but there are 4; use fewer folds or more"):
        validation_rows(Dataset(rows, rows, None), 5)


def test_too_few_groups_are_reported():
    """A fold would have no group."""
    with pytest.raises(SourceError) as found:
        rows_of({"validation": Fold(folds=3, group="patient")}, patient=["a", "b"] * 10)
    assert str(found.value) == (
        "3 folds need at least 3 groups, but column 'patient' has 2 different values; use fewer folds"
    )


def test_unknown_group_is_reported():
    """The columns that are read are listed."""
    with pytest.raises(SourceError, match=r"^group: no column 'patient' is read; the columns are 'x'$"):
        rows_of({"validation": Fold(folds=3, group="patient")}, x=range(9))
