"""Tables in the terminal, their cells, and tables that do not fit side by side."""

import pytest

from nncli.cli.render.comparison_files import markdown_table
from nncli.cli.render.console import Output
from nncli.cli.render.format import cell_text
from nncli.cli.render.metrics_table import print_metrics
from nncli.cli.render.table import break_name


def test_separator_at_the_end_of_a_line_takes_no_width():
    """A space that is stripped there does not break the line earlier."""
    assert break_name("a b c", 3) == "a b\nc"


@pytest.mark.parametrize(
    ("value", "text"), [(None, "–"), (True, "true"), (False, "false"), (2 / 3, "0.666667"), (3, "3"), ("relu", "relu")]
)
def test_cell_is_written_as_in_a_config(value, text):
    """With six significant digits, and a dash for None."""
    assert cell_text(value) == text


def test_bar_in_a_cell_is_escaped():
    """In Markdown it would end the cell."""
    assert markdown_table(["a|b"], [["c"]]) == "| a\\|b |\n| --- |\n| c |\n"


def test_splits_that_do_not_fit_follow_after_an_empty_line(capsys, monkeypatch):
    """Each table has its own heading."""
    monkeypatch.setenv("COLUMNS", "20")
    print_metrics(Output(), {"training": {"loss": 0.5}, "validation": {"loss": 0.25}})
    tables = [table.split() for table in capsys.readouterr().out.split("\n\n")]
    assert [(table[0], table[-1]) for table in tables] == [("training", "0.5000"), ("validation", "0.2500")]
