"""Columns of categories."""

import numpy as np
import pytest

from nncli.data.columns import MISSING_TEXTS, Category, ColumnError
from nncli.data.columns import category as module
from nncli.data.transforms.encoding import OneHot, Ordinal
from nncli.data.transforms.imputation import Constant, Mean, Mode


def fitted(*texts, missing=None, encoding=None):
    """A column fitted to the texts, and their codes."""
    column = Category(encoding, missing)
    codes, problems = column.parse(list(texts), MISSING_TEXTS)
    assert problems == []
    column.fit(codes)
    return column, codes


def reasons(column, *texts):
    """What ``check`` says about texts."""
    codes, _ = column.parse(list(texts), MISSING_TEXTS)
    return [(each.row, each.reason) for each in column.check(codes)]


def test_codes_are_in_order_of_first_appearance():
    """Over all blocks; missing ones are −1."""
    column = Category()
    assert column.parse(["b", "", "a", "b"], MISSING_TEXTS)[0].tolist() == [0, -1, 1, 0]
    codes = column.parse(["c", "NA", "a"], MISSING_TEXTS)[0]
    assert (codes.tolist(), codes.dtype) == ([2, -1, 1], np.int32)
    assert column.texts == ["b", "a", "c"]


def test_inputs_do_not_depend_on_the_order_of_rows():
    """They are in alphabetical order."""
    column, codes = fitted("b", "a", "b")
    assert column.names("x") == ["x=a", "x=b"]
    assert column.apply(codes).tolist() == [[0, 1], [1, 0], [0, 1]]


def test_categories_outside_of_training_rows_are_unseen():
    """Although they are in the vocabulary; each with its rows."""
    column = Category()
    codes, _ = column.parse(["a", "b", "a", "c", "", "b"], MISSING_TEXTS)
    column.missing = Mode()
    column.fit(codes[[0, 2]])
    assert column.names("x") == ["x=a"]
    assert {text: rows.tolist() for text, rows in column.unseen(codes).items()} == {"b": [1, 5], "c": [3]}
    assert column.apply(codes)[:, 0].tolist() == [1, 0, 1, 0, 1, 0]
    assert column.unseen(codes[[0, 4]]) == {}


def test_unseen_error_names_the_first_row_of_each_category():
    """With the number of rows, and nothing is encoded."""
    column, _ = fitted("a", "b", encoding=OneHot(unseen="error"))
    assert reasons(column, "a", "c", "d", "c") == [
        (1, "'c' in 2 rows is in no training row; correct it, or train with unseen: zeros, or with rows that have it"),
        (2, "'d' is in no training row; correct it, or train with unseen: zeros, or with rows that have it"),
    ]
    with pytest.raises(ValueError, match="2 rows have categories without inputs"):
        column.apply(column.parse(["c", "a", "d"], MISSING_TEXTS)[0])


def test_before_training_no_category_is_unseen():
    """What ``fit`` would refuse is all that is checked then."""
    assert reasons(Category(OneHot(unseen="error")), "a", "b") == []
    fix = "write it, remove the row, or train with missing: mode or {type: mode, indicator: true}"
    assert reasons(Category(), "a", "") == [(1, f"the value is missing; {fix}")]


def test_ordinal_needs_all_categories_in_its_order():
    """Checked before training."""
    column = Category(Ordinal(["low", "high"]))
    assert reasons(column, "low", "middle", "middle") == [
        (1, "'middle' in 2 rows is not in order: [low, high]; correct it, or train with it there")
    ]
    codes, _ = column.parse(["high", "low"], MISSING_TEXTS)
    column.fit(codes)
    assert column.apply(codes).tolist() == [[1], [0]]


def test_mode_is_the_first_of_the_most_frequent_in_alphabetical_order():
    """Not the first in the table."""
    column, codes = fitted("b", "a", "", "c", "a", "b", missing=Mode(indicator=True))
    assert column.fill == "a"
    assert column.names("x") == ["x=a", "x=b", "x=c", "x_missing"]
    assert column.apply(codes[[2, 3]]).tolist() == [[1, 0, 0, 1], [0, 0, 1, 0]]


def test_constant_is_a_category_of_its_own():
    """Also if it is a text that stands for missing values."""
    column, codes = fitted("b", "", "a", missing=Constant("?"))
    assert column.names("x") == ["x=?", "x=a", "x=b"]
    assert column.apply(codes).tolist() == [[0, 0, 1], [1, 0, 0], [0, 1, 0]]


def test_missing_value_becomes_an_unseen_category():
    """If no training value was missing; refused where unseen ones are."""
    column, _ = fitted("a", "b", missing=Constant("unknown"))
    assert column.apply(np.array([-1])).tolist() == [[0, 0]]
    column, _ = fitted("a", "b", missing=Constant("unknown"), encoding=OneHot(unseen="error"))
    fix = "correct it, or train with unseen: zeros, or with rows that have it"
    assert reasons(column, "a", "", "") == [(1, f"'unknown' in 2 rows is in no training row; {fix}")]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"missing": Mean()}, "a category has no mean and no median; write missing: mode"),
        ({"missing": Constant(3.0)}, "the column holds categories; write value: '3.0' in quotes"),
        ({"missing": Constant("x"), "encoding": Ordinal(["a", "b"])}, r"'x' is not in order: \[a, b\]"),
    ],
)
def test_imputation_that_does_not_fit_is_rejected(parameters, message):
    """When the column is built; the error names the key."""
    with pytest.raises(ColumnError, match=message) as error:
        Category(**parameters)
    assert error.value.key == "missing"


def test_vocabulary_is_bounded(monkeypatch):
    """One category too many is a problem with its row; known ones are read on."""
    column = Category()
    column.vocabulary.limit = 2
    codes, problems = column.parse(["a", "b", "c", "a", ""], MISSING_TEXTS)
    assert codes.tolist() == [0, 1, -1, 0, -1]
    reason = "'c' is one category too many, after 100,000 others; if the column is a text or an identifier"
    assert [(each.row, each.reason) for each in problems] == [(2, f"{reason}, write ignore with its name")]
    assert module.MAX_CATEGORIES == 100_000


def test_cleared_vocabulary_begins_anew():
    """What has been fitted stays."""
    column, _ = fitted("a", "b")
    column.parse(["new"], MISSING_TEXTS)
    column.clear_vocabulary()
    codes, _ = column.parse(["b", "new", "a"], MISSING_TEXTS)
    assert codes.tolist() == [0, 1, 2]
    assert column.apply(codes).tolist() == [[0, 1], [0, 0], [1, 0]]


def test_all_missing_is_constant():
    """There is no category to take."""
    column, codes = fitted("", "NA", missing=Mode())
    assert column.is_constant
    assert (column.fill, column.unseen(codes)) == (None, {})


def test_damaged_state_names_the_key():
    """Also that of the encoding."""
    column, _ = fitted("a", "b")
    state = column.state()
    for change, key in (
        ({"fill": 3}, "fill"),
        ({"fill": "a"}, "fill"),
        ({"constant": "no"}, "constant"),
        ({"encoding": {"categories": ["b", "a"], "rare": []}}, r"encoding\.categories"),
        ({"encoding": []}, "encoding"),
    ):
        with pytest.raises(ValueError, match=rf"^{key}: "):
            Category().restore({**state, **change})
    with pytest.raises(ValueError, match=r"^fill: null, but missing values are replaced"):
        Category(missing=Mode()).restore(state)
