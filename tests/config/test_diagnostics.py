"""Diagnostics as text: location, path and message, then the line with a caret under the column."""

import tracemalloc

import pytest

from nncli.config.diagnostics import (
    SNIPPET_WIDTH,
    Diagnostic,
    SourceLocation,
    SourceText,
    format_diagnostics,
    path_text,
    sanitized_line,
    shown,
)

INDENT = 4


def message_lines(line, column, path=(), message="is wrong"):
    """The lines of a diagnostic of the first line of a text."""
    return str(Diagnostic(SourceLocation(SourceText("config.yaml", line), 1, column), path, message)).splitlines()


def test_diagnostic_has_location_path_message_and_snippet():
    """File, line, column, path and message; then the line, indented by four; then a caret under the column."""
    source = SourceText("configs/spiral.yaml", "seed: 0\nlayers:\n  - {type: dropout, rate: 1.5}\n")
    diagnostic = Diagnostic(SourceLocation(source, 3, 27), ("layers", 2, "rate"), "must be less than 1, got 1.5")
    assert str(diagnostic) == (
        "configs/spiral.yaml:3:27: layers[2].rate: must be less than 1, got 1.5\n"
        "      - {type: dropout, rate: 1.5}\n"
        "                              ^"
    )


def test_diagnostic_without_path():
    """If the path is empty, the message follows the location."""
    assert message_lines("sed: 0", 1)[0] == "config.yaml:1:1: is wrong"


@pytest.mark.parametrize(("text", "line"), [("", 1), ("a: 1\n   \n", 2), ("a: 1\n", 2), ("a: 1\n", 99)])
def test_snippet_is_omitted_for_empty_lines(text, line):
    """An empty line and a line after the end of the text have no snippet."""
    assert (
        str(Diagnostic(SourceLocation(SourceText("config.yaml", text), line, 1), (), "is wrong"))
        == f"config.yaml:{line}:1: is wrong"
    )


@pytest.mark.parametrize("column", [1, 2, 47, 48, 49, 95, 96, 97, 500, 952, 953, 999, 1000])
def test_long_line_is_truncated_around_the_column(column):
    """The snippet is no wider than its limit, and the caret is under the right character."""
    line = "x" * (column - 1) + "Y" + "x" * (1000 - column)
    _, snippet, caret = message_lines(line, column)
    assert len(snippet) <= INDENT + SNIPPET_WIDTH
    assert snippet[caret.index("^")] == "Y"


def test_line_of_maximum_width_is_not_truncated():
    """Only wider lines are truncated."""
    line = "x" * SNIPPET_WIDTH
    assert message_lines(line, SNIPPET_WIDTH)[1] == " " * INDENT + line


@pytest.mark.parametrize(
    ("line", "column", "cells"),
    [
        ("größe: off", 8, 7),
        ("日本: off", 5, 6),
        ("😀😀 off", 4, 5),
        ("ａｂ: off", 5, 6),
        ("a: 日本", 4, 3),
        ("e\u0301: off", 5, 3),
    ],
)
def test_caret_accounts_for_cell_widths(line, column, cells):
    """Wide characters take two terminal cells, combining ones none, and the caret moves with them."""
    assert message_lines(line, column)[2] == " " * (INDENT + cells) + "^"


@pytest.mark.parametrize("column", [1, 150, 300])
def test_caret_accounts_for_cell_widths_in_truncated_lines(column):
    """In a truncated line only the visible cells count."""
    _, snippet, caret = message_lines("日" * (column - 1) + "Y" + "日" * (300 - column), column)
    assert len(caret) == INDENT + 2 * snippet.strip().index("Y") + 1


CONTROLS = ["\x1b[31m", "\x00", "\x07", "\x7f", "\x9b1m", "\u202e", "\u200b", "\ufeff", "\ue000"]


@pytest.mark.parametrize("control", CONTROLS)
def test_control_characters_in_a_snippet_are_sanitized(control):
    """A snippet never moves the cursor, changes colors or reverses a line, and keeps its columns."""
    _, snippet, caret = message_lines(f"a: {control} off", 5 + len(control))
    assert snippet.isprintable()
    assert snippet[caret.index("^") :] == "off"


def test_tab_takes_one_cell():
    """A tab is printed as a space, so that the caret is at the right column."""
    assert message_lines("a:\toff", 4) == ["config.yaml:1:4: is wrong", "    a: off", "       ^"]


@pytest.mark.parametrize("key", [*CONTROLS, "a\nb", "a\rb", "\ud800"])
def test_control_characters_in_a_path_are_sanitized(key):
    """A quoted key may contain any character; a path contains only printable ones."""
    assert path_text(("data", key)).isprintable()


def test_long_key_is_truncated_in_a_path():
    """A message stays short, however long the keys are."""
    assert len(path_text(("data", "k" * 1000))) < 200


def test_byte_order_mark_takes_no_cell(workdir, run_cli):
    """A byte order mark counts neither as a column nor as a cell of a snippet."""
    (workdir / "bad.yaml").write_text("\ufeffseed: off\n", encoding="utf-8")
    lines = run_cli("check", "bad.yaml").err.splitlines()
    location = next(number for number, line in enumerate(lines) if line.startswith("bad.yaml:1:7: "))
    assert lines[location + 1 : location + 3] == ["    seed: off", "          ^"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ((), ""),
        (("seed",), "seed"),
        (("layers", 0, "units"), "layers[0].units"),
        (("layers", 2), "layers[2]"),
        (("a", "b", 1, 2, "c"), "a.b[1][2].c"),
        ((0, "a"), "[0].a"),
    ],
)
def test_path_is_formatted_as_in_an_override(path, expected):
    """Keys follow a dot, indices are in brackets."""
    assert path_text(path) == expected


def locations(text):
    return [line.partition(": ")[0] + ":" for line in text.splitlines() if not line.startswith(" ")]


def test_diagnostics_are_sorted_by_location():
    """By line, then by column as a number, then by message."""
    source = SourceText("f", "\n" * 20)
    found = [(10, 1, "x"), (2, 10, "x"), (2, 9, "y"), (2, 9, "x"), (1, 3, "x")]
    diagnostics = [Diagnostic(SourceLocation(source, line, column), (), message) for line, column, message in found]
    lines = format_diagnostics(diagnostics).splitlines()
    assert lines == [
        "f:1:3: x",
        "f:2:9: x",
        "f:2:9: y",
        "f:2:10: x",
        "f:10:1: x",
    ]


def test_equal_diagnostics_are_reported_once():
    """Equal diagnostics are one."""
    diagnostic = Diagnostic(SourceLocation(SourceText("f", ""), 1, 1), ("a",), "is wrong")
    assert format_diagnostics([diagnostic, diagnostic]) == "f:1:1: a: is wrong"


def test_diagnostics_of_the_command_line_come_last():
    """Errors of the file come first, then those of the overrides in their order."""
    file, first, second = (
        SourceText("f", "\n" * 9),
        SourceText("command line", "", 1),
        SourceText("command line", "", 2),
    )
    diagnostics = [
        Diagnostic(SourceLocation(source, line, 1), (), "x") for source, line in ((second, 2), (first, 1), (file, 5))
    ]
    assert locations(format_diagnostics(diagnostics)) == ["f:5:1:", "command line:1:1:", "command line:2:1:"]


def test_source_text_counts_lines_from_its_first_line():
    """The first line of an override is the index of the override."""
    source = SourceText("command line", "seed=1", 3)
    assert [source.line(number) for number in (2, 3, 4)] == ["", "seed=1", ""]


@pytest.mark.parametrize(
    "value",
    ["", "it's", 'a "b"', "\x1b[2J\x9b\u202e", 1.5, -3, [], {}, [1, "a", None, True], {"a": [{"b": 1}], "c": {}}],
)
def test_short_value_is_formatted_like_repr(value):
    """Quotes, escapes and brackets are those of repr, and nothing can control a terminal."""
    assert shown(value) == repr(value)
    assert shown(value).isprintable()


@pytest.mark.parametrize("value", ["x" * 61, list(range(99)), {str(index): "y" for index in range(9)}])
def test_long_value_is_truncated(value):
    """The first characters, then dots."""
    assert shown(value) == f"{repr(value)[:60]}..."


def test_value_with_aliases_is_not_expanded():
    """Ten thousand aliases of a megabyte of text cost as much as the truncated result."""
    text = "x" * 1_000_000
    tracemalloc.start()
    assert len(shown([[text] * 100] * 100)) == len(shown({"key": text})) == 63
    assert tracemalloc.get_traced_memory()[1] < 10_000
    tracemalloc.stop()


def test_sanitized_text_is_printable():
    """Every control character and every bidirectional mark is replaced."""
    assert sanitized_line("".join(map(chr, range(0x3000)))).isprintable()
    assert sanitized_line("größe\t日本") == "größe 日本"
