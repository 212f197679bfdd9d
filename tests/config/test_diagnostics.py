"""How a diagnostic is told: place, path and message, then the line with a caret under the column."""

import tracemalloc

import pytest

from nncli.config.diagnostics import (
    SNIPPET_WIDTH,
    Diagnostic,
    SourceLocation,
    SourceText,
    path_text,
    report,
    sanitized_line,
    shown,
    suggestion,
)

INDENT = 4


def told(line, column, path=(), message="is wrong"):
    """The lines of a message about the first line of a text."""
    return str(Diagnostic(SourceLocation(SourceText("spec.yaml", line), 1, column), path, message)).splitlines()


def test_a_problem_has_the_form_that_the_design_promises():
    """File, line, column, path and message; then the line, indented by four; then a caret under the column."""
    source = SourceText("configs/spiral.yaml", "seed: 0\nlayers:\n  - {type: dropout, rate: 1.5}\n")
    diagnostic = Diagnostic(SourceLocation(source, 3, 27), ("layers", 2, "rate"), "must be less than 1, got 1.5")
    assert str(diagnostic) == (
        "configs/spiral.yaml:3:27: layers[2].rate: must be less than 1, got 1.5\n"
        "      - {type: dropout, rate: 1.5}\n"
        "                              ^"
    )


def test_a_problem_of_the_whole_has_no_path():
    """Where the path is empty, the message follows the place."""
    assert told("sed: 0", 1)[0] == "spec.yaml:1:1: is wrong"


@pytest.mark.parametrize(("text", "line"), [("", 1), ("a: 1\n   \n", 2), ("a: 1\n", 2), ("a: 1\n", 99)])
def test_no_snippet_where_there_is_nothing_to_see(text, line):
    """An empty line, and what lies behind the last one, are not shown."""
    assert (
        str(Diagnostic(SourceLocation(SourceText("spec.yaml", text), line, 1), (), "is wrong"))
        == f"spec.yaml:{line}:1: is wrong"
    )


@pytest.mark.parametrize("column", [1, 2, 47, 48, 49, 95, 96, 97, 500, 952, 953, 999, 1000])
def test_a_long_line_is_cut_around_the_column(column):
    """The snippet is no wider than its width, and the caret is under the character that is meant."""
    line = "x" * (column - 1) + "Y" + "x" * (1000 - column)
    _, snippet, caret = told(line, column)
    assert len(snippet) <= INDENT + SNIPPET_WIDTH
    assert snippet[caret.index("^")] == "Y"


def test_a_line_of_the_full_width_is_not_cut():
    """Cutting begins where the width is exceeded."""
    line = "x" * SNIPPET_WIDTH
    assert told(line, SNIPPET_WIDTH)[1] == " " * INDENT + line


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
def test_the_caret_counts_cells_where_columns_count_characters(line, column, cells):
    """Wide characters take two cells on a screen, combining ones none, and the caret moves with them."""
    assert told(line, column)[2] == " " * (INDENT + cells) + "^"


@pytest.mark.parametrize("column", [1, 150, 300])
def test_wide_characters_in_a_long_line_move_the_caret_too(column):
    """Behind a cut only the cells in sight count."""
    _, snippet, caret = told("日" * (column - 1) + "Y" + "日" * (300 - column), column)
    assert len(caret) == INDENT + 2 * snippet.strip().index("Y") + 1


CONTROLS = ["\x1b[31m", "\x00", "\x07", "\x7f", "\x9b1m", "\u202e", "\u200b", "\ufeff", "\ue000"]


@pytest.mark.parametrize("control", CONTROLS)
def test_control_characters_of_a_line_are_harmless(control):
    """A snippet never moves the cursor, colours the screen or reverses a line, and keeps its columns."""
    _, snippet, caret = told(f"a: {control} off", 5 + len(control))
    assert snippet.isprintable()
    assert snippet[caret.index("^") :] == "off"


def test_a_tab_takes_one_cell():
    """A tab is shown as a space, so that the caret stands where the column is."""
    assert told("a:\toff", 4) == ["spec.yaml:1:4: is wrong", "    a: off", "       ^"]


@pytest.mark.parametrize("key", [*CONTROLS, "a\nb", "a\rb", "\ud800"])
def test_control_characters_of_a_key_are_harmless(key):
    """A quoted key may hold any character; a path shows only what can be printed."""
    assert path_text(("data", key)).isprintable()


def test_a_long_key_is_cut_in_a_path():
    """A message stays short, however long the keys are."""
    assert len(path_text(("data", "k" * 1000))) < 200


def test_a_byte_order_mark_is_not_seen(workdir, run_cli):
    """A mark that takes no column takes no cell in a snippet either."""
    (workdir / "bad.yaml").write_text("\ufeffseed: off\n", encoding="utf-8")
    lines = run_cli("check", "bad.yaml").err.splitlines()
    place = next(number for number, line in enumerate(lines) if line.startswith("bad.yaml:1:7: "))
    assert lines[place + 1 : place + 3] == ["    seed: off", "          ^"]


@pytest.mark.parametrize(
    ("word", "known", "expected"),
    [
        ("adm", ["sgd", "adam"], "; did you mean 'adam'?"),
        ("ADAM", ["sgd", "adam"], "; did you mean 'adam'?"),
        ("ReLU", ["softmax", "relu"], "; did you mean 'relu'?"),
        ("Layer_Dens", ["dense", "Layer_Dense"], "; did you mean 'Layer_Dense'?"),
        ("xyzzy", ["sgd", "adam"], "; known: adam, sgd"),
        ("", ["sgd", "adam"], "; known: adam, sgd"),
        ("adam", [], ""),
        ("optimizer_sgd", ["Optimizer_SGD", "Optimizer_Adam"], "; did you mean 'Optimizer_SGD'?"),
    ],
)
def test_a_suggestion_names_what_is_near_or_what_there_is(word, known, expected):
    """Near in spelling, whatever the case; where nothing is near, everything there is, in order."""
    assert suggestion(word, known) == expected


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
def test_a_path_is_written_as_an_override_writes_it(path, expected):
    """Keys follow a dot, indices stand in brackets."""
    assert path_text(path) == expected


def places(text):
    return [line.partition(": ")[0] + ":" for line in text.splitlines() if not line.startswith(" ")]


def test_a_report_is_in_the_order_of_the_places():
    """By line, then by column as a number, then by message, whatever the order they were found in."""
    source = SourceText("f", "\n" * 20)
    found = [(10, 1, "x"), (2, 10, "x"), (2, 9, "y"), (2, 9, "x"), (1, 3, "x")]
    diagnostics = [Diagnostic(SourceLocation(source, line, column), (), message) for line, column, message in found]
    assert report(diagnostics).splitlines() == ["f:1:3: x", "f:2:9: x", "f:2:9: y", "f:2:10: x", "f:10:1: x"]


def test_a_problem_found_twice_is_told_once():
    """Equal diagnostics are one."""
    diagnostic = Diagnostic(SourceLocation(SourceText("f", ""), 1, 1), ("a",), "is wrong")
    assert report([diagnostic, diagnostic]) == "f:1:1: a: is wrong"


def test_the_command_line_comes_last():
    """Problems of the file come first, then those of the overrides in their order."""
    file, first, second = (
        SourceText("f", "\n" * 9),
        SourceText("command line", "", 1),
        SourceText("command line", "", 2),
    )
    diagnostics = [
        Diagnostic(SourceLocation(source, line, 1), (), "x") for source, line in ((second, 2), (first, 1), (file, 5))
    ]
    assert places(report(diagnostics)) == ["f:5:1:", "command line:1:1:", "command line:2:1:"]


def test_a_source_counts_its_lines_from_its_first():
    """An override is a text whose first line has a number of its own."""
    source = SourceText("command line", "seed=1", 3)
    assert [source.line(number) for number in (2, 3, 4)] == ["", "seed=1", ""]


@pytest.mark.parametrize(
    "value",
    ["", "it's", 'a "b"', "\x1b[2J\x9b\u202e", 1.5, -3, [], {}, [1, "a", None, True], {"a": [{"b": 1}], "c": {}}],
)
def test_a_short_value_is_shown_as_python_writes_it(value):
    """Quotes, escapes, brackets: nothing in it can steer a terminal."""
    assert shown(value) == repr(value)
    assert shown(value).isprintable()


@pytest.mark.parametrize("value", ["x" * 61, list(range(99)), {str(index): "y" for index in range(9)}])
def test_a_long_value_is_cut(value):
    """So many characters of it, then dots."""
    assert shown(value) == f"{repr(value)[:60]}..."


def test_a_value_that_an_alias_repeats_is_not_written_out():
    """A text of a megabyte in ten thousand places costs as much as what is shown of it."""
    text = "x" * 1_000_000
    tracemalloc.start()
    assert len(shown([[text] * 100] * 100)) == len(shown({"key": text})) == 63
    assert tracemalloc.get_traced_memory()[1] < 10_000
    tracemalloc.stop()


def test_harmless_text_is_printable():
    """Every control character, every mark that turns the direction of writing, has another sign instead."""
    assert sanitized_line("".join(map(chr, range(0x3000)))).isprintable()
    assert sanitized_line("größe\t日本") == "größe 日本"
