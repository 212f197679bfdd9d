"""Many runs in a terminal: one row each, as many as the screen has lines for."""

import io
from dataclasses import replace
from types import SimpleNamespace

import pytest

from nncli.analysis import comparison as comparison_module
from nncli.analysis.compared_run import ComparedRun
from nncli.analysis.comparison import Comparison, Row
from nncli.analysis.scores import Score
from nncli.analysis.table_columns import short_names
from nncli.cli.render.comparison_rows import MIN_ROWS, show_rows
from nncli.cli.render.console import Output
from nncli.store.run_status import RunProgress, RunStatus

WARNING = {"kind": "constant", "message": "it has learned nothing at all, " * 5}


class Screen(io.StringIO):
    """A terminal whose text can be read."""

    def isatty(self):
        return True


@pytest.fixture
def shown(monkeypatch):
    """Print a comparison in a terminal of a width and height; returns its lines."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")

    def lines(comparison, width=80, height=40, is_complete=False, stream=Screen):
        monkeypatch.setenv("COLUMNS", str(width))
        monkeypatch.setenv("LINES", str(height))
        out = Output(stream())
        show_rows(out, comparison, is_complete, 4)
        text = out.file.getvalue().replace("\x1b[1m", "").replace("\x1b[0m", "")
        assert "\x1b" not in text
        return text.splitlines()

    return lines


def entry(index, status=RunStatus.FINISHED, warnings=(), scores=()):
    """A run without a score, so that there is no verdict."""
    run = SimpleNamespace(config=SimpleNamespace(metrics=[SimpleNamespace(type="accuracy")]), warnings=list(warnings))
    return ComparedRun(f"spiral-{index:04}", run, RunProgress(status), 10, {"validation_accuracy": 0.5}, dict(scores))


def comparison(count, **changes):
    """A comparison of runs that differ in a seed and in the type of the optimizer."""
    entries = changes.pop("entries", None) or [entry(index) for index in range(count)]
    count = len(entries)
    names = [*("loss", "data_loss", "accuracy", "validation_loss", "validation_accuracy"), "precision"]
    rows = [Row(name, "loss" not in name, [0.123456] * count, [1]) for name in names]
    keys = {"seed": list(range(count)), "optimizer.type": ["adam"] * count, "optimizer.rho": [0.1] * count}
    made = Comparison(entries, keys, rows, [], {}, "validation_accuracy", (), ["optimizer.rho"])
    return replace(made, **changes)


@pytest.mark.parametrize("count", [9, 30, 200])
@pytest.mark.parametrize("height", [10, 24, 40])
@pytest.mark.parametrize("width", [60, 80, 120])
def test_list_fills_a_screen(shown, count, height, width):
    """With the next prompt, no line is lost, and none is wider; what is left out is counted."""
    lines = shown(comparison(count), width, height)
    rows = sum(line.startswith("0") for line in lines)
    assert max(map(len, lines)) <= width
    assert len(lines) < height or rows == MIN_ROWS
    assert len(lines) == height - 1 or rows in {count, MIN_ROWS}
    note = f"{count} runs" if rows == count else f"{rows} of {count} runs (--top {count} for all)"
    assert any(line.startswith(f"{note}; best") for line in lines)


def test_list_is_complete_if_it_is_asked_for_or_not_on_a_terminal(shown):
    """Every run has a row."""
    for options in ({"is_complete": True}, {"stream": io.StringIO}):
        assert sum(line.startswith("0") for line in shown(comparison(50), height=24, **options)) == 50


def test_work_per_run_does_not_grow_with_their_number(shown, monkeypatch):
    """Names are shortened once, not once for each row."""
    calls = []
    monkeypatch.setattr(comparison_module, "short_names", lambda names: calls.append(len(names)) or short_names(names))
    assert len(shown(comparison(100), stream=io.StringIO)) > 100
    assert sum(calls) <= 3 * 100


def test_columns_are_the_main_ones(shown):
    """The metric of the order is first, then the keys, held-out and training metrics; a star marks the best."""
    heading, _, first, second, *rest = shown(comparison(9), width=200)
    assert heading.split() == [
        *("run", "validation_accuracy", "↑", "seed", "optimizer.type"),
        *("validation_loss", "↓", "data_loss", "↓", "accuracy", "↑"),
    ]
    assert first.split() == ["0000", "0.1235", "0", "adam", *["0.1235"] * 3]
    assert second.count("* 0.1235") == 4
    assert (
        rest[-1]
        == "9 runs; best validation_accuracy first; names begin with spiral-; 1 key follows from others (--all)"
    )


def test_chosen_columns_are_shown_alone(shown):
    """Neither epoch nor overfitting is added."""
    rows = [Row("precision", True, [0.5] * 2, [])]
    scores = {split: Score("accuracy", 0.5, 0.25, 10) for split in ("training", "test")}
    entries = [replace(entry(index, RunStatus.RUNNING, scores=scores), epoch=index) for index in range(2)]
    assert shown(comparison(2, entries=entries), 200)[0].split()[4:5] == ["epoch"]
    assert shown(comparison(2, entries=entries), 200)[0].split()[-1] == "overfits"
    made = comparison(2, entries=entries, rows=rows, columns=("precision", "seed"), differences={"seed": [1, 2]})
    assert shown(made)[0].split() == ["run", "status", "seed", "precision", "↑"]


def test_status_says_what_is_unusual(shown):
    """A finished run has an empty status, and a mark if it has warnings; each kind of warning is printed once."""
    entries = [
        entry(0),
        entry(1, warnings=[WARNING]),
        entry(2, RunStatus.INTERRUPTED),
        entry(3, warnings=[WARNING] * 2),
    ]
    lines = shown(comparison(4, entries=entries), 100)
    assert lines[0].split()[1] == "status"
    rows = {line[:4]: line.split()[1] for line in lines if line.startswith("0")}
    assert rows == {"0000": "0.1235", "0001": "!", "0002": "interrupted", "0003": "!"}
    warnings = [line for line in lines if "learned nothing" in line]
    assert len(warnings) == 1
    assert warnings[0].startswith("! spiral-0001 and 1 other run: warning: it has learned nothing at all, it has")
    assert warnings[0].endswith("…")
    assert "…" not in " ".join(shown(comparison(4, entries=entries), stream=io.StringIO))
    assert "status" not in shown(comparison(2, entries=entries[:2]))[0]
