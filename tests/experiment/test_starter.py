"""The config to start from for a file: types with their reasons, what is left out, and how to predict otherwise."""

import re

import pytest

from nncli.analysis.data_overview import overview_of_file
from nncli.data.source import SourceError
from nncli.experiment.loading import load
from nncli.experiment.starter import config_for_file

ROWS = 60
COLORS = ("red", "blue")
LOCAL = {  # values in another form than nncli reads, and what is said of the first one
    "price": (("3,5", "4,5"), "'3,5' is not a number; write 3.5 with a decimal point"),
    "cost": (("$5.00", "$6.00"), "'$5.00' is not a number; write 5.00 without the currency"),
    "part": (("5%", "7%"), "'5%' is not a number; write 5 without the percent sign, or the fraction"),
    "rooms": (("2", "3", "2", "3", "None"), "'None' is not a number; correct it, or add it to missing_values"),
    "joined": (("31/03/2024", "01/04/2024"), "'31/03/2024' is not an ISO date; write columns: joined: {type: date, "),
}


@pytest.fixture
def start(tmp_path):
    """Write columns as a file, and return the config for it, whose lines are those of its text."""

    def config(target="kind", **columns):
        given = {"size": [f"{row**0.5:.3f}" for row in range(ROWS)], **columns}
        if target not in given:
            given[target] = repeated("abc")
        lines = [",".join(given), *(",".join(f'"{each}"' for each in row) for row in zip(*given.values(), strict=True))]
        (tmp_path / "data.csv").write_text("\n".join(lines), encoding="utf-8")
        starter = config_for_file(tmp_path / "data.csv", "data.csv", target)
        (tmp_path / "config.yaml").write_text(starter.text, encoding="utf-8")
        return starter

    return config


def repeated(values, rows=ROWS):
    """As many values as rows."""
    return [values[row % len(values)] for row in range(rows)]


def line_of(text, column):
    """The line of a column."""
    return re.search(rf"^    {column}: .*", text, re.MULTILINE)[0]


def test_config_is_valid_and_has_a_comment_for_each_column(start, tmp_path):
    """With the type and the reason."""
    text = start(color=repeated(COLORS)).text
    assert line_of(text, "size") == "    size: number    # all 60 values are numbers, 0 to 7.681"
    assert line_of(text, "color") == "    color: category # 2 different texts in 60 rows"
    assert load(tmp_path / "config.yaml").config.loss.type == "categorical_crossentropy"


@pytest.mark.parametrize("name", LOCAL)
def test_numbers_and_dates_in_other_forms_are_pointed_out(start, name):
    """In a note and in a comment: few of them are categories, or else the column would be rejected as a text."""
    values, message = LOCAL[name]
    line = 2 + values.index(re.match("'(.*?)'", message)[1])
    starter = start(**{name: repeated(values)})
    assert f"in line {line} {message}" in line_of(starter.text, name)
    (note,) = starter.notes
    assert note.startswith(f"{name}: read as categories, but in line {line} {message}")
    assert note.endswith(f"; or write columns: {{{name}: category}} if they are categories")


def test_text_is_left_out_with_a_note(start, tmp_path):
    """The note says what else to write; the config ignores the column."""
    starter = start(note=[f"text {row}" for row in range(ROWS)], empty=[""] * ROWS)
    reason = "60 different texts in 60 rows"
    left_out = [f"note: left out: {reason}; write columns: {{note: category}}", "empty: left out: no value in 60 rows"]
    assert starter.notes == left_out
    assert f"  ignore:\n    - note # {reason}\n" in starter.text
    assert load(tmp_path / "config.yaml").config.data.ignore == ["note", "empty"]


def test_row_numbers_are_the_id(start, tmp_path):
    """Different consecutive integers in any order are no input; a target of them is one."""
    numbers = [str(row * 7 % ROWS + 100) for row in range(ROWS)]
    starter = start(number=numbers)
    assert starter.notes == []
    assert "  id: number   # consecutive integers; it is not an input\n" in starter.text
    assert load(tmp_path / "config.yaml").config.data.id == "number"
    assert "    number: " not in starter.text
    assert "id:" not in start(target="number", number=numbers).text


def test_numbers_of_few_rows_may_be_consecutive_by_chance(start):
    """They are inputs."""
    few = 19
    columns = {"size": repeated(["1.5", "2.5"], few), "number": list(map(str, range(few))), "kind": repeated("ab", few)}
    assert line_of(start(**columns).text, "number").startswith("    number: number ")


def test_batches_are_half_of_few_rows(start):
    """At most, and learning rate and batch size change with the number of rows."""
    columns = {"size": ["1.5", "2.5"] * 5, "kind": ["a", "b"] * 5}
    assert "  batch_size: 5\n" in start(**columns).text


@pytest.mark.parametrize(("many", "size"), [(ROWS, 16), (ROWS - 1, 30)])
def test_many_rows_are_trained_in_large_batches(start, monkeypatch, many, size):
    """More than a number."""
    monkeypatch.setattr("nncli.experiment.starter.MANY_ROWS", many)
    assert f"  batch_size: {size}\n" in start().text


def test_missing_values_are_replaced_in_inputs_alone(start):
    """By the mode where there is no order, else by the median; a row without a target is left to the user."""
    columns = {"flag": ["yes", "no", ""], "color": ["red", "blue", ""], "age": ["1.5", "2.5", ""]}
    text = start(target="kind", kind=repeated(["a", "b", "a", "b", ""]), **{k: repeated(v) for k, v in columns.items()})
    types = {name: line_of(text.text, name).partition("#")[0].split(": ", 1)[1].strip() for name in columns}
    assert types == {
        "flag": "{type: boolean, missing: mode}",
        "color": "{type: category, missing: mode}",
        "age": "{type: number, missing: median}",
    }
    assert line_of(text.text, "kind").startswith("    kind: category ")


def test_texts_of_which_some_are_digits_are_no_numbers(start):
    """A regression is not proposed."""
    assert "to predict numbers" not in line_of(start(kind=repeated(("1", "b"))).text, "kind")


def test_too_small_classes_are_noted(start):
    """Three splits need three rows of each."""
    kinds = [*repeated("ab", ROWS - 6), "c", "c", "d", "e", "e", "e"]
    assert start(kind=kinds).notes == ["kind: fewer than 3 rows of 'c', 'd', too few for three splits"]


def test_few_consecutive_integers_are_classes_in_both_commands(start, tmp_path):
    """``init`` says how to predict numbers, and ``data`` shows the same type."""
    text = start(target="rating", rating=repeated("12345")).text
    reason = "5 consecutive integers, 1 to 5, which are read as classes"
    regression = "to predict numbers: number, units: 1, no softmax, loss: mean_squared_error"
    assert line_of(text, "rating") == f"    rating: category # {reason}; {regression}"
    assert "units: 5}\n  - softmax\n" in text
    assert line_of(text, "size").startswith("    size: number ")
    overview = overview_of_file(tmp_path / "data.csv", "rating")
    column = next(each for each in overview.columns if each.name == "rating")
    assert (column.type, column.reason, column.use) == ("category", reason, "target")
    assert overview.classes == dict.fromkeys("12345", 12)


def test_units_are_as_many_as_texts_of_integers(start, tmp_path):
    """1 and 1.0 are two categories."""
    assert "units: 3}\n" in start(target="rating", rating=repeated(("1", "1.0", "2"))).text
    assert load(tmp_path / "config.yaml").plan.schema.class_names == ["1", "1.0", "2"]


def test_other_few_integers_are_numbers_in_both_commands(start, tmp_path):
    """``init`` says how to predict classes."""
    text = start(target="score", score=repeated(("10", "20", "40"))).text
    classes = "to predict classes: category, units: 3, then softmax, loss: categorical_crossentropy"
    assert line_of(text, "score").endswith(f"number # all 60 values are numbers, 10 to 40; {classes}")
    overview = overview_of_file(tmp_path / "data.csv", "score")
    assert [each.type for each in overview.columns if each.name == "score"] == ["number"]


@pytest.mark.parametrize(
    ("ratings", "type_"),
    [(map(str, range(20)), "category"), (map(str, range(21)), "number"), (("1", "2", "4"), "number")],
)
def test_classes_are_twenty_integers_without_a_gap(start, ratings, type_):
    """At most."""
    assert line_of(start(target="rating", rating=repeated(list(ratings))).text, "rating").startswith(
        f"    rating: {type_} "
    )


def test_real_targets_have_no_other_task(start):
    """Neither have names of classes."""
    assert line_of(start(target="size").text, "size").endswith("all 60 values are numbers, 0 to 7.681")
    assert line_of(start().text, "kind").endswith("3 different texts in 60 rows")


def test_target_of_text_is_rejected(start):
    """With the reason."""
    with pytest.raises(SourceError, match="the target 'kind' is neither numbers nor categories: 60 different texts"):
        start(kind=[f"text {row}" for row in range(ROWS)])


def test_rows_that_differ_in_a_text_are_not_called_equal(start, tmp_path):
    """The texts of a rejected column are not kept, so that nothing is known of equal rows."""
    texts = [f"text {row}" for row in range(ROWS)]
    start(size=["1"] * ROWS, note=texts)
    assert not [each for each in overview_of_file(tmp_path / "data.csv").warnings if "are equal" in each]
    start(size=["1"] * ROWS, note=["a"] * ROWS)
    assert [each for each in overview_of_file(tmp_path / "data.csv").warnings if "57 rows of 60 are equal" in each]
