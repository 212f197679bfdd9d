"""Tables in the terminal: their cells, and what happens where they do not fit."""

import math

import pytest

from nncli.cli.render.comparison_files import markdown_table
from nncli.cli.render.console import Output
from nncli.cli.render.format import cell_text, figure, warning_text
from nncli.cli.render.metrics_table import print_metrics
from nncli.cli.render.table import MAX_NAMED, Cell, Table, broken

VALUE = 0.123456


@pytest.fixture
def lines(capsys, terminal_width):
    """The lines of a table in a terminal of a width."""

    def printed(table, width):
        terminal_width(width)
        table.print(Output())
        return capsys.readouterr().out.splitlines()

    return printed


@pytest.fixture
def table():
    """A table with a name, a sentence and two numbers."""
    rows = Table("name", "status", "training_loss", "validation_loss", text_columns=2)
    rows.add_row("one", "interrupted at epoch 758, resumable", VALUE, None)
    return rows


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [
        ("a b c", 3, ["a b", "c"]),
        ("1,234.5e-05", 2, ["1,234.5e-05"]),
        ("25.4 µs", 2, ["25.4 µs"]),
        ("layers.0.weights", 10, ["layers.0.", "weights"]),
        ("2026-11-28 --json", 5, ["2026-11-28 --json"]),
        ("categorical", 4, ["categorical"]),
        ("", 4, [""]),
        ("ab cd", math.inf, ["ab cd"]),
    ],
)
def test_texts_are_broken_between_words_only(text, width, expected):
    """And after separators of names, but never within a number, nor between a number and its unit."""
    assert broken(text, width) == expected


def test_table_that_fits_is_unchanged(table, lines):
    """Three spaces between columns, numbers with four digits, a dash for what is missing, no blanks at the end."""
    assert lines(table, math.inf) == lines(table, 80)
    table.rows[0][1] = Cell("ok")
    assert lines(table, math.inf) == [
        "name   status   training_loss   validation_loss",
        "───────────────────────────────────────────────",
        "one    ok              0.1235                 –",
    ]


@pytest.mark.parametrize("width", range(20, 90))
def test_no_width_cuts_a_name_or_a_number(table, lines, width):
    """Every line fits; every column is printed completely, or is named as one that is not."""
    printed = lines(table, width)
    assert max(map(len, printed)) <= width
    text = " ".join(" ".join(printed).split())
    *_, note = text.partition("+")
    assert ("0.1235" in text) + ("0.123 " in text) + ("loss" in note) >= 1
    assert "one" in text
    for word in ("interrupted", "resumable", "758"):
        assert word in text or "status" in note


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (25, ["      train_loss     test", "", "one       0.1235   0.1235"]),
        (24, ["      train_     test", "        loss", "", "one   0.1235   0.1235"]),
        (20, ["    train_   test", "      loss", "", "one 0.1235 0.1235"]),
        (16, ["    train_  test", "      loss", "", "one  0.123 0.123"]),
        (15, ["      train_", "        loss", "", "one   0.1235", "+1 column", "(test): widen", "the terminal,"]),
    ],
)
def test_table_is_shortened_before_columns_are_left_out(lines, width, expected):
    """First headings are broken, then columns move together, then numbers have fewer digits, then columns are left."""
    rows = Table("", "train_loss", "test")
    rows.add_row("one", VALUE, VALUE)
    assert [line.strip("─") for line in lines(rows, width)][: len(expected)] == expected


def test_missing_columns_are_counted_and_named(table, lines):
    """With what to do about it."""
    text = " ".join(lines(table, 20))
    assert "+3 columns" in text or "+2 columns" in text
    assert "widen the terminal, or use --json" in " ".join(text.split())


def test_exact_numbers_are_not_shortened(lines):
    """All digits are there at any width, or the column is not."""
    rows = Table("name", "value", digits=None)
    rows.add_row("x", 2 / 3)
    assert repr(2 / 3) in "\n".join(lines(rows, 23))
    assert "0.6" not in "\n".join(lines(rows, 22))


def test_cell_cannot_control_the_terminal(lines):
    """Neither with an escape sequence nor with a new line."""
    rows = Table("name")
    rows.add_row("a\x1b[2J\nb")
    assert lines(rows, 80)[-1] == "a�[2J�b"


def test_section_is_an_empty_line(lines):
    """Before the next row."""
    rows = Table("", "")
    rows.add_row("a", 1)
    rows.add_section()
    rows.add_row("b", 2)
    assert lines(rows, 80) == ["a   1", "", "b   2"]


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (True, "true"), (False, "false"), (2 / 3, repr(2 / 3)), (1.0, "1"), (3, "3"), ("relu", "relu")],
)
def test_value_of_a_config_is_exact(value, text):
    """As it is written in a config, with a dash for None."""
    assert cell_text(value) == text


@pytest.mark.parametrize("value", [0.97, 1.0, 0.000123456, 12.3456, 9.99996, 123456.7, 1e6, 1e-7, -0.5, 1.7e308])
def test_four_significant_digits(value):
    """The number that is printed is that with four digits, or more where it has more before the point."""
    text = figure(value)
    assert float(text) == pytest.approx(value, rel=5.1e-4)
    assert float(text) == float(f"{value:.4g}") or abs(value) > 1e4
    assert figure(value, None) == repr(value)


def test_bar_in_a_cell_is_escaped():
    """In Markdown it would end the cell."""
    assert markdown_table(["a|b"], [["c"]]) == "| a\\|b |\n| --- |\n| c |\n"


def test_splits_that_do_not_fit_follow_after_an_empty_line(capsys, terminal_width):
    """Each table has its own heading, and nothing is left out."""
    terminal_width(20)
    print_metrics(Output(), {"training": {"loss": 0.5}, "validation": {"loss": 0.25}})
    tables = [table.split() for table in capsys.readouterr().out.split("\n\n")]
    assert [(table[0], table[-1]) for table in tables] == [("training", "0.5000"), ("validation", "0.2500")]


def test_name_of_a_row_is_never_broken(lines):
    """The first column is copied into commands; the text of another one may be broken, and numbers are left out."""
    rows = Table("name", "class", "loss", "accuracy", text_columns=2)
    rows.add_row("a-run-with-a-long_name", "leaky_relu", VALUE, VALUE)
    assert lines(rows, 36)[2:] == [
        "a-run-with-a-long_name leaky_ 0.1235",
        "                       relu",
        "+1 column (accuracy): widen the",
        "terminal, or use --json",
    ]


def test_first_column_is_broken_last(lines):
    """Even if it is the widest one."""
    rows = Table("", "", text_columns=2)
    rows.add_row("aa bb cc dd", "e f g")
    assert lines(rows, 17)[:2] == ["aa bb cc dd   e f", "              g"]


@pytest.mark.parametrize(("count", "names"), [(MAX_NAMED, "c0, c1, c2, c3"), (MAX_NAMED + 1, "c0 … c4"), (1, "c0")])
def test_columns_that_are_left_out_are_named(lines, count, names):
    """All of a few, the first and the last of many; no name controls the terminal."""
    rows = Table("a-long-name-of-a-row", *(f"c{index}" for index in range(count)))
    rows.add_row("x" * 38, *([VALUE] * count))
    assert f"({names})" in " ".join(lines(rows, 40))
    rows.headings[1] = Cell("c\x1b[2J0")
    assert "(c�[2J0" in " ".join(lines(rows, 40))


@pytest.mark.parametrize(
    ("value", "text"),
    [(999999.7, "1e+06"), (9.99996e-05, "0.0001000"), (-0.5, "-0.5000"), (-12345.6, "-12346"), (1e-7, "1e-07")],
)
def test_number_that_is_rounded_to_a_limit(value, text):
    """It is printed like the limit; a negative number like a positive one."""
    assert figure(value) == text


def test_recorded_warning_is_one_line():
    """Whatever a file of a run contains."""
    assert warning_text({"message": "a\nb\x1b"}) == "warning: a�b�"
