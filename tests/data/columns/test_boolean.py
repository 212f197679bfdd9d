"""Columns of true and false."""

import numpy as np
import pytest

from nncli.data.columns import MISSING_TEXTS, Boolean, ColumnError
from nncli.data.transforms.imputation import Constant, Mode


def test_words_in_any_case_are_read():
    """true/false, yes/no, t/f, y/n, 1/0."""
    values, problems = Boolean().parse(["true", "FALSE", "Yes", "no", "T", "f", "y", "N", "1", "0"], MISSING_TEXTS)
    assert values.tolist() == [1, 0, 1, 0, 1, 0, 1, 0, 1, 0]
    assert problems == []


@pytest.mark.parametrize("text", ["2", "ja", "1.0", "tru", "on"])
def test_other_word_is_a_problem(text):
    """The words are listed."""
    _, problems = Boolean().parse(["yes", text], MISSING_TEXTS)
    words = "true/false, yes/no, t/f, y/n or 1/0"
    expected = f"'{text}' is neither true nor false; write {words}, or train with type: category"
    assert [(each.row, each.reason) for each in problems] == [(1, expected)]


def test_input_is_0_or_1():
    """One input, and the most frequent value for missing ones."""
    column = Boolean(Mode())
    values = column.parse(["yes", "no", "no", ""], MISSING_TEXTS)[0]
    column.fit(values)
    assert column.names("active") == ["active"]
    assert column.apply(values).tolist() == [[1], [0], [0], [0]]
    assert not column.is_constant


def test_constant_has_to_be_true_or_false():
    """Not a word."""
    column = Boolean(Constant(True))
    column.fit(np.array([0.0, float("nan")]))
    assert column.fill == 1.0
    with pytest.raises(ColumnError, match="write value: false, not 'no'"):
        Boolean(Constant("no"))


def test_impossible_fill_is_rejected():
    """A value that is neither 0 nor 1 nor between."""
    with pytest.raises(ValueError, match=r"^fill: not from 0 to 1"):
        Boolean(Mode()).restore({"fill": 2.0, "constant": False})
