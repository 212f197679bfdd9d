"""Columns of numbers."""

import numpy as np
import pytest

from nncli.data.columns import MISSING_TEXTS, ColumnError, Number
from nncli.data.transforms.imputation import Constant, Mean, Median, Mode
from nncli.data.transforms.scaling import MinMax

NAN = float("nan")


def parsed(texts, missing=MISSING_TEXTS):
    """The values, and the problems as row, text and reason."""
    values, problems = Number().parse(texts, missing)
    return values.tolist(), [(each.row, each.text, each.reason) for each in problems]


def test_numbers_are_read():
    """Also with leading zeros, which only inference takes for a category."""
    assert parsed(["3", "-0.5", "007", "+1e-3", ".5", "5."]) == ([3, -0.5, 7, 1e-3, 0.5, 5], [])


def test_missing_texts_are_nan():
    """No problem, in any row."""
    values, problems = parsed(["NA", "1", "", "?"])
    np.testing.assert_equal(values, [NAN, 1, NAN, NAN])
    assert problems == []


def test_problems_have_row_text_and_reason():
    """Those of a block at once, and the other values are there."""
    values, problems = parsed(["1", "3,14", "", "1e999", "2"])
    np.testing.assert_equal(values, [1, NAN, NAN, NAN, 2])
    assert problems == [
        (1, "3,14", "'3,14' is not a number; write 3.14 with a decimal point"),
        (3, "1e999", "'1e999' is too large; the largest number is 1.797e308"),
    ]


def test_missing_word_is_a_problem_unless_it_is_given():
    """nan is missing by default, and no number anyway."""
    assert parsed(["nan"], frozenset({""}))[1][0][2].startswith("'nan' is not a number; if it is missing, leave")


def test_empty_field_is_offered_where_it_is_replaced():
    """With the reason why a value is rejected, unless missing values are rejected too."""
    for missing, advice in ((Median(), "; an empty field is replaced"), (None, "type: category")):
        assert Number(missing=missing).parse(["abc"], frozenset({""}))[1][0].reason.endswith(advice)


@pytest.mark.parametrize("block", [["-999", "1", "-999.0"], np.array([-999, 1, -999.0])], ids=["texts", "numbers"])
def test_number_for_missing_values_is_compared_by_value(block):
    """In texts as in numbers that are read already."""
    values, problems = Number().parse(block, frozenset({"-999", "NA"}))
    np.testing.assert_equal(values, [NAN, 1, NAN])
    assert problems == []


def test_block_of_numbers_is_taken_as_it_is():
    """It is not copied."""
    block = np.array([1.5, NAN])
    assert Number().parse(block, MISSING_TEXTS)[0] is block


@pytest.mark.parametrize(("imputation", "fill"), [(Mean(), 2.0), (Median(), 1.0), (Mode(), 1.0), (Constant(0), 0.0)])
def test_missing_values_are_replaced_before_scaling(imputation, fill):
    """By what the training rows say, in training and in prediction, as in scikit-learn's pipeline."""
    column = Number(MinMax(), imputation)
    column.fit(np.array([NAN, 1.0, 1.0, 4.0, NAN]))
    smallest = min(fill, 1.0)
    np.testing.assert_allclose(
        column.apply(np.array([NAN, 4.0, 10.0]))[:, 0],
        [(fill - smallest) / (4 - smallest), 1, (10 - smallest) / (4 - smallest)],
    )


def test_indicator_says_where_a_value_was_missing():
    """A further input, also if no training value was missing."""
    column = Number(MinMax(), Median(indicator=True))
    column.fit(np.array([0.0, 2.0]))
    assert column.names("age") == ["age", "age_missing"]
    assert column.apply(np.array([NAN, 2.0])).tolist() == [[0.5, 1], [1, 0]]


def test_missing_value_is_an_error_by_default():
    """The rows are named with what to write; nothing is encoded as NaN."""
    column = Number()
    values = np.array([1.0, NAN, 3.0])
    fix = "write it, remove the row, or train with missing: median or {type: median, indicator: true}"
    assert [(each.row, each.reason) for each in column.check(values)] == [(1, f"the value is missing; {fix}")]
    with pytest.raises(ValueError, match="1 values are missing"):
        column.fit(values)
    column.fit(np.array([1.0, 3.0]))
    with pytest.raises(ValueError, match="1 values are missing"):
        column.apply(values)
    assert not Number(missing=Mean()).check(values)


@pytest.mark.parametrize(
    ("values", "imputation", "constant"),
    [
        ([2.0, 2.0], None, True),
        ([2.0, 3.0], None, False),
        ([2.0, NAN], Mean(), True),
        ([2.0, NAN], Constant(0), False),
        ([2.0, NAN], Constant(2), True),
        ([2.0, NAN], Mean(indicator=True), False),
        ([2.0, 2.0], Mean(indicator=True), True),
        ([NAN, NAN], Mean(indicator=True), True),
        ([NAN, NAN], Constant(0), True),
    ],
)
def test_column_without_information_is_constant(values, imputation, constant):
    """The inputs of all training rows are the same."""
    column = Number(missing=imputation)
    column.fit(np.array(values))
    assert column.is_constant is constant


@pytest.mark.parametrize("value", ["x", True])
def test_constant_has_to_be_a_number(value):
    """The error names the key."""
    with pytest.raises(ColumnError, match="the column holds numbers") as error:
        Number(missing=Constant(value))
    assert error.value.key == "missing"


def test_fit_makes_one_copy_of_a_column():
    """Also with missing values and a transform that sorts."""
    import tracemalloc

    from nncli.data.transforms.scaling import Robust

    values = np.random.default_rng(0).normal(size=200_000)
    values[::10] = NAN
    before = values.copy()
    column = Number(Robust(), Median())
    tracemalloc.start()
    column.fit(values)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1.5 * values.nbytes
    assert values.tobytes() == before.tobytes()


def test_values_are_far_beyond_a_width_of_the_range():
    """At that distance itself they are not; a missing value is not far either."""
    column = Number()
    column.measure(np.array([1.0, 3.0]))
    assert column.out_of_range(np.array([-1.0, 5.0, -1.1, 5.1, np.nan])).tolist() == [2, 3]


def test_range_that_is_upside_down_is_rejected():
    """A state that was changed is not used."""
    column = Number()
    column.fit(np.array([1.0, 3.0]))
    with pytest.raises(ValueError, match="smallest: greater than largest"):
        Number().restore({**column.state(), "smallest": 4.0})
