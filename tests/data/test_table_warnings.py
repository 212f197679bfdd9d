"""Warnings: equal rows in two splits, identifiers among the inputs, and inputs that leak the target."""

from itertools import product

import numpy as np
import pytest

from nncli.data import cache
from nncli.data import table_warnings as module
from nncli.data.columns import Category, Number
from nncli.data.table import Table
from nncli.data.table_warnings import column_warnings, row_hashes, shared_rows, warnings_of_splits

ROWS = 200


def table(**columns):
    """A table of numbers, and of categories where the values are texts."""
    kinds, values = {}, {}
    for name, given in columns.items():
        if isinstance(given[0], str):
            kinds[name] = Category()
            values[name] = kinds[name].parse(list(given), frozenset())[0]
        else:
            kinds[name], values[name] = Number(), np.array(given, np.float64)
    return Table("data.csv", kinds, values, range(2, 2 + len(given)))


def found(target, **columns):
    return list(column_warnings(table(target=target, **columns), list(columns), ["target"]))


def noise(seed=0):
    return np.random.default_rng(seed).normal(size=ROWS)


def test_random_columns_have_no_warning():
    """Neither of a class nor of a number."""
    labels = ["ab"[int(value > 0)] for value in noise(1)]
    assert found(labels, x=noise(2), color=["rgb"[i % 3] for i in range(ROWS)]) == []
    assert found(noise(1), x=noise(2), color=["rgb"[i % 3] for i in range(ROWS)]) == []


@pytest.mark.parametrize("names", [list(range(ROWS)), [f"p{i}" for i in range(ROWS)]], ids=["integers", "texts"])
def test_column_that_names_the_row_is_told(names):
    """With its numbers and what to write."""
    expected = "name: 200 different values in 200 rows; if it identifies the row, write id: name"
    assert found(noise(), name=names) == [expected]


def test_real_numbers_may_all_differ():
    """They are measurements, not names."""
    assert found(noise(1), x=noise(2)) == []


def test_integers_that_are_rounded_are_counted():
    """Those beyond 2^53, of either sign; 2^53 itself is exact."""
    exact = 2.0**53
    (warning,) = found(noise(), x=[exact, -exact, exact + 2, -exact - 2, *[0.0] * (ROWS - 4)])
    assert warning.startswith("x: 2 values beyond 2^53")


@pytest.mark.parametrize(("wrong", "is_reported"), [(0, True), (1, False)])
def test_number_that_determines_a_class_is_reported(wrong, is_reported):
    """An interval for each class; an error in 200 rows is more than 0.1 %."""
    x = noise()
    labels = np.where(x < -0.5, "a", np.where(x < 0.5, "b", "c"))
    labels[np.argsort(x)[:wrong]] = "b"
    expected = (
        "x: alone predicts 'target' in 100.0% of the rows; if it is not known at prediction time, write ignore: [x]"
    )
    assert found(labels.tolist(), x=x) == [expected] * is_reported


@pytest.mark.parametrize(("wrong", "is_reported"), [(190, True), (210, False)])
def test_all_of_many_rows_count(wrong, is_reported):
    """Also if all errors are in the rows that are looked at first."""
    x = np.random.default_rng(0).normal(size=200_000)
    is_positive = x > 0
    is_positive[np.flatnonzero(is_positive[::10])[:wrong] * 10] = False
    assert bool(found(np.where(is_positive, "yes", "no").tolist(), x=x)) == is_reported


def test_best_intervals_are_those_of_a_search_of_all(monkeypatch):
    """A class for each value, with at most as many changes between neighbors as classes; equal values stay together."""
    monkeypatch.setattr(module, "NEARLY_ONE", 0.0)
    rng = np.random.default_rng(0)
    for _ in range(200):
        rows, different = rng.integers(2, 12), rng.integers(1, 7)
        values, classes = rng.integers(0, different, rows).astype(float), rng.integers(0, 3, rows)
        distinct, place = np.unique(values, return_inverse=True)
        runs = len(np.unique(classes))
        rules = [
            rule for rule in product(range(3), repeat=len(distinct)) if 1 + np.count_nonzero(np.diff(rule)) <= runs
        ]
        best = max(np.mean(np.array(rule)[place] == classes) for rule in rules)
        assert module._best_accuracy_of_intervals(values, classes, runs) == pytest.approx(best)


def test_constant_column_predicts_no_class():
    """Nor does one that is nearly always 0, as a pixel at the edge of an image."""
    edge = np.zeros(ROWS)
    edge[-1] = 1
    assert found([str(index % 10) for index in range(ROWS)], x=np.zeros(ROWS), edge=edge) == []


def test_category_that_decides_a_class_is_told():
    """One class for each category; but not a category for each row."""
    colors = ["rgb"[i % 3] for i in range(ROWS)]
    labels = ["yes" if color == "r" else "no" for color in colors]
    (warning,) = found(labels, color=colors)
    assert warning.startswith("color: alone predicts 'target' in 100.0% of the rows")
    assert len(found(labels, color=[f"{i % 150}" for i in range(ROWS)])) == 0


def test_number_that_is_the_target_in_another_unit_is_told():
    """By its correlation, of either sign."""
    y = noise()
    (warning,) = found(y, x=-2.54 * y + 3)
    assert warning.startswith("x: has correlation -1.0000 with 'target'")


def test_rows_without_a_value_do_not_hide_the_others():
    """Neither those without an input nor those without a target."""
    y, x = noise(), 2 * noise()
    x[0] = y[1] = np.nan
    (warning,) = found(y, x=x)
    assert warning.startswith("x: has correlation 1.0000 with 'target'")


def test_equal_rows_of_two_splits_are_counted():
    """In all columns; a value that is missing equals another one, whatever its bits are, and −0 equals 0."""
    training = table(x=[0.0, 1, 2, np.nan], color=["r", "g", "b", "r"])
    values = {"x": np.array([-0.0, 1, 7, -np.nan]), "color": np.array([0, 0, 2, 0])}
    test = Table("data.csv", training.columns, values, range(2, 6))
    warnings = list(shared_rows({"training": training, "test": test}, ["x", "color"]))
    assert warnings == ["2 of 4 rows of test are equal to a row of training (data leakage)"]
    assert list(shared_rows({"training": training, "test": test[[1, 2]]}, ["x", "color"])) == []


def test_kept_warnings_are_those_of_all_splits(tmp_path, monkeypatch):
    """Other test rows have other ones, although the training rows are the same."""
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path))
    rows = Table("data.csv", {"x": Number()}, {"x": np.array([1.0, 2, 1, 3])}, range(2, 6), key="key")
    for _ in range(2):  # computed, and from the cache
        shared = [warnings_of_splits({"training": rows[[0, 1]], "test": rows[[i]]}, ["x"], []) for i in (2, 3)]
        assert list(map(len, shared)) == [1, 0]


def test_hashes_of_different_rows_differ():
    """A million random rows, also of few small values, have as many hashes as there are different rows."""
    rng = np.random.default_rng(0)
    values = rng.integers(0, 30, (1_000_000, 4)).astype(np.float64)
    names = list("abcd")
    some = Table("x", {name: Number() for name in names}, dict(zip(names, values.T, strict=True)), range(len(values)))
    different = len(np.unique(values @ np.array([1, 100, 10_000, 1_000_000])))
    assert len(np.unique(row_hashes(some, names))) == different
