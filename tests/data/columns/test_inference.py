"""Types of columns that the config says nothing about."""

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nncli.data.columns import MISSING_TEXTS, Boolean, Category, Date, Inference, Number
from nncli.data.columns.blocks import compact

NAN = float("nan")
REFUSE = "write ignore: [x] or columns: {x: category}"
OR_MISTAKE = f"correct it, add it to missing_values, or {REFUSE}"
MISTAKE = f"correct it, add it to missing_values, {REFUSE}"


def read(blocks, contradiction=None):
    """An inference that has been fed."""
    inference = Inference("x", MISSING_TEXTS, contradiction)
    for block in blocks:
        inference.feed(block)
    return inference


def inferred(*blocks):
    """The inference after one reading, or after two if the first one stopped; the second reads texts."""
    first = read(blocks)
    if not first.contradiction:
        return first
    texts = [[f"{value:g}" for value in block] if isinstance(block, np.ndarray) else block for block in blocks]
    return read(texts, first.contradiction)


def split_at(texts, *borders):
    """Blocks of texts."""
    return [texts[start:stop] for start, stop in zip((0, *borders), (*borders, len(texts)), strict=True)]


COLUMNS = [
    (["4.3", "7.9", "5"], "number: all 3 values are numbers, 4.3 to 7.9", Number),
    (["4.3", "", "7.9"], "number: all 2 values are numbers, 4.3 to 7.9; 1 missing", Number),
    (["0", "1", "1"], "number: all 3 values are numbers, 0 to 1", Number),
    (
        ["9007199254740993", "1"],
        "number: all 2 values are numbers, 1 to 9.0072e+15; integers beyond 2^53 are rounded to 16 digits",
        Number,
    ),
    (["2024-12-31", "2023-01-01"], "date: all 2 values are dates, 2023-01-01 to 2024-12-31", Date),
    (
        ["", "2024-01-01T10:00"],
        "date: the only value is a date, 2024-01-01 10:00:00; 1 missing",
        Date,
    ),
    (["true", "False", "TRUE"], "boolean: all 3 values are true or false", Boolean),
    (["yes", "", "no"], "boolean: all 2 values are yes or no; 1 missing", Boolean),
    (["T", "F"], "boolean: all 2 values are t or f", Boolean),
    (["n", "N"], "boolean: all 2 values are n", Boolean),
    (["yes", "true"], "category: 2 different texts in 2 rows", Category),
    (["red", "blue", "red", "?"], "category: 2 different texts in 4 rows; 1 missing", Category),
    (
        ["10001", "00501", "94110"],
        "category: numbers with leading zeros such as 00501; 3 different texts in 3 rows",
        Category,
    ),
    (["1", "2", "many"], "category: 3 different texts in 3 rows", Category),
    (["many", "2", "1"], "category: 3 different texts in 3 rows", Category),
    (["2024-01-01", "5"], "category: 2 different texts in 2 rows", Category),
    (["01.02.2024", "02.02.2024"], "category: 2 different texts in 2 rows", Category),
    (
        [str(i) for i in range(20)] + ["3O"],
        f"text: 20 of 21 values are numbers, but not '3O' in row 21; {MISTAKE}",
        None,
    ),
    (["2024-01-01"] * 20 + ["soon"], f"text: 20 of 21 values are dates, but not 'soon' in row 21; {MISTAKE}", None),
    ([f"name {i}" for i in range(30)], f"text: 30 different texts in 30 rows; {REFUSE}", None),
    ([f"name {i}" for i in range(30)] * 2, "category: 30 different texts in 60 rows", Category),
    (["", "NA"], "text: no value in 2 rows; write ignore: [x]", None),
    ([], "text: no value in 0 rows; write ignore: [x]", None),
]


@pytest.mark.parametrize(("texts", "reason", "type_"), COLUMNS, ids=[reason[:60] for _, reason, _ in COLUMNS])
@pytest.mark.parametrize("seed", range(4))
def test_type_does_not_depend_on_borders_of_blocks(texts, reason, type_, seed):
    """One block, one row in each block, and blocks of any sizes: the same type, reason and values."""
    borders = sorted(random.Random(seed).choices(range(len(texts) + 1), k=5))
    for blocks in ([texts], [[text] for text in texts], split_at(texts, *borders)):
        inference = inferred(*blocks)
        assert str(inference.result) == reason
        column = inference.result.column
        assert type(column) is (type_ or type(None))
        if column:
            expected, problems = type_().parse(texts, MISSING_TEXTS)
            assert problems == []
            values = np.concatenate(list(inference.take_blocks()))
            assert (values.dtype, values.tobytes()) == (expected.dtype, expected.tobytes())
            if type_ is Category:
                assert column.texts == list(dict.fromkeys(text for text in texts if text not in MISSING_TEXTS))


def test_contradiction_after_other_values_needs_a_second_reading():
    """It names the value and its row; what follows is ignored."""
    inference = read([["1", "", "2"], ["", "3", "abc"], ["x"], np.array([1.0])])
    assert inference.contradiction == ("abc", 6, 3, "number")
    with pytest.raises(ValueError, match="column x has to be read again, as texts"):
        _ = inference.result


def test_no_second_reading_if_only_missing_values_came_before():
    """There is nothing to contradict."""
    inference = read([["", "NA"], ["red"], ["blue"]])
    assert str(inference.result) == "category: 2 different texts in 4 rows; 2 missing"
    assert np.concatenate(list(inference.take_blocks())).tolist() == [-1, -1, 0, 1]


def test_blocks_of_numbers_and_of_texts_are_one_column():
    """The reader delivers either."""
    inference = read([np.array([1.0, NAN]), ["", "2.5"], np.array([3.0])])
    assert not inference.needs_texts
    assert str(inference.result) == "number: all 3 values are numbers, 1 to 3; 2 missing"
    np.testing.assert_equal(np.concatenate(list(inference.take_blocks())), [1, NAN, NAN, 2.5, 3])


def test_block_of_numbers_contradicts_dates_and_texts():
    """The texts of the numbers are needed; ``needs_texts`` says so before."""
    for first in (["2024-01-01"], ["red"]):
        inference = read([first])
        assert inference.needs_texts
        inference.feed(np.array([5.0]))
        assert inference.contradiction is not None
        again = read([first, ["5"]], inference.contradiction)
        assert str(again.result) == "category: 2 different texts in 2 rows"
    with pytest.raises(ValueError, match="blocks have to be texts"):
        read([np.array([5.0])], inference.contradiction)


@pytest.mark.parametrize("borders", [(), (500,), (2000,), (2001,)], ids=str)
def test_mistake_among_many_numbers_is_named(borders):
    """Although there are too many different texts to keep."""
    texts = [str(number) for number in range(2000)] + ["3O", "7"]
    reason = f"the first 2,000 values are numbers, but not '3O' in row 2,001; {OR_MISTAKE}"
    assert str(inferred(*split_at(texts, *borders)).result) == (
        f"text: more than 1,000 different texts in 2,002 rows; {reason}"
    )


def test_number_for_missing_values_is_missing():
    """In texts as in blocks of numbers, whether there are other types or not."""
    missing = frozenset({"", "-999"})
    for block in (["-999", "1", "-999.0"], np.array([-999, 1, -999.0])):
        inference = Inference("x", missing)
        inference.feed(block)
        assert str(inference.result) == "number: the only value is a number, 1; 2 missing"


def test_name_is_quoted_where_yaml_needs_it():
    """So that the advice can be pasted."""
    inference = Inference("a: b", MISSING_TEXTS)
    inference.feed([f"text {number}" for number in range(30)])
    assert inference.result.reason.endswith("write ignore: ['a: b'] or columns: {'a: b': category}")


def test_memory_of_different_texts_is_bounded():
    """Texts of a megabyte are not kept beyond ten of them."""
    inference = Inference("x", MISSING_TEXTS)
    for number in range(20):
        inference.feed([f"{number}" + "x" * 1_000_000])
    assert sum(map(len, inference.vocabulary.texts)) < 12_000_000
    assert str(inference.result).startswith("text: more than 1")


def test_blocks_are_compact():
    """Bytes for small integers, float32 where it is exact, 2 bytes for codes."""
    inference = read([["0", "255"] * 32, ["0.5", ""] * 32, ["0.1"] * 64, ["-3"] * 64])
    assert [block.dtype.name for block in inference.blocks] == ["uint8", "float32", "float64", "int16"]
    assert [block.dtype.name for block in read([["a", ""]]).blocks] == ["int16"]


def test_blocks_of_few_rows_are_joined():
    """So that a wide table, of which few rows are read at once, has few blocks."""
    assert [len(block) for block in read([["1"]] * 130).blocks] == [64, 64, 2]


@given(st.lists(st.floats(allow_infinity=False) | st.integers(-70_000, 70_000).map(float) | st.just(-0.0)))
def test_compact_values_are_exact(values):
    """Bit for bit, −0 and NaN too."""
    array = np.array(values, np.float64)
    array[np.isnan(array)] = NAN
    assert compact(array).astype(np.float64).tobytes() == array.tobytes()


def test_blocks_are_given_away_once():
    """So that the values are in memory once."""
    inference = read([["1"] * 64, ["3"]])
    assert [block.tolist() for block in inference.take_blocks()] == [[1] * 64, [3]]
    assert list(inference.take_blocks()) == []
    assert inference.result.type == "number"


@pytest.mark.parametrize(
    ("texts", "row", "doubt"),
    [
        (["3,5", "4"], 1, "'3,5' is not a number; write 3.5 with a decimal point"),
        (["4", "", "?", "4,5"], 4, "'4,5' is not a number; write 4.5 with a decimal point"),
        (["-", "4 kg", "5 kg"], 2, "'4 kg' is not a number; write 4 without the unit"),
        (["1", "2", "unknown"], 3, "'unknown' is not a number; correct it, or add it to missing_values"),
        (["2024-01-01", "2024-01-02", "-"], 3, "'-' is not an ISO date; correct it, or add it to missing_values"),
        (["1.2.2024", "-", "2.2.2024"], 1, "'1.2.2024' is not an ISO date; write columns: x: {type: date, format: \""),
        (["red", "blue"], None, ""),
        (["1", "2", "red", "blue"], None, ""),
        (["1", "red"], None, ""),
        (["1st", "2nd", "3rd"], None, ""),
        (["007", "8", "None"], None, ""),
        (["#00FF00", "#FF0000"], None, ""),
        (["yes", "no"], None, ""),
    ],
)
def test_categories_that_may_be_numbers_or_dates_are_doubted(texts, row, doubt):
    """All but one of them are such, in any form; ordinals, codes with leading zeros and single numbers are not."""
    result = inferred(texts * 3).result
    assert result.row == row
    assert result.warning.startswith(doubt) if doubt else not result.warning


def test_doubt_is_of_any_number_of_categories():
    """More than twenty, which are in more than half of the rows each."""
    result = inferred([f"{row},5" for row in range(30)] * 2).result
    assert (result.type, result.warning) == ("category", "'0,5' is not a number; write 0.5 with a decimal point")


@pytest.mark.parametrize(
    ("first", "row", "named"),
    [(["959.91"], 2, "1'000.5"), ([""], 2, "1'000.5"), (["", "12", "13"], 4, "1'000.5"), ([], 1, "1'000.5")],
)
def test_first_number_in_another_form_is_named(first, row, named):
    """Not a number or a missing value before it."""
    texts = [*first, *(f"{number}'000.5" for number in range(1, 41))]
    reason = f"{named!r} in row {row} is not a number; write 1000.5 without thousands separators, {REFUSE}"
    result = inferred(texts).result
    assert (result.reason, result.row) == (reason, row)


def test_row_of_the_first_date_in_another_form_is_named():
    """Not that of a missing value before it."""
    result = inferred(["", *(f"{1 + day % 28}.03.{2000 + day}" for day in range(40))]).result
    assert result.reason.startswith("'1.03.2000' in row 2 may be a date")
    assert result.row == 2
