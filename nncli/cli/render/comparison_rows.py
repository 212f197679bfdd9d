"""Many compared runs in the terminal and in LaTeX: one row per run, with the keys that differ and the main metrics."""

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from rich.text import Text

from nncli.cli.render.console import Output
from nncli.cli.render.format import cell_text, direction, warning_text
from nncli.cli.render.table import Cell, Table
from nncli.config.diagnostics import counted

if TYPE_CHECKING:
    from nncli.analysis.comparison import Comparison, Row

BEST, WARNING = "bold green", "yellow"
MARK = "!"  # after the name of a run whose training has warnings, and before the warnings
MIN_ROWS = 8  # of a table, in a terminal of any height


def show_rows(out: Output, comparison: "Comparison", is_complete: bool, digits: int | None) -> None:
    """Print one row per run, as many as a terminal has room for, what the table leaves out, and the verdict.

    Args:
        out: the console.
        comparison: the runs.
        is_complete: whether all rows are printed even if the terminal has too few lines.
        digits: significant digits of the metrics; all of them if None.
    """
    verdict = Text(comparison.verdict() or "", style="bold")
    shown = len(comparison.entries)
    if out.file.isatty() and not is_complete and _room(out, comparison, shown, verdict, digits) < shown:
        shown = _room(out, comparison, MIN_ROWS, verdict, digits)
    rows_table(comparison, shown, digits).print(out)
    out.print()
    for line in _notes(comparison, shown):
        out.print_text(line)
    for line in _warnings(comparison):
        out.print(Text(line, style=WARNING), no_wrap=True, overflow="ellipsis" if out.file.isatty() else "ignore")
    if verdict:
        out.print_text(verdict)


def _room(out: Output, comparison: "Comparison", shown: int, verdict: Text, digits: int | None) -> int:
    """The rows that a terminal has room for, besides the heading, the lines below, and the next prompt.

    Args:
        out: the console.
        comparison: the runs.
        shown: the number of rows that the lines below the table are for.
        verdict: the last of them.
        digits: significant digits of the metrics.
    """
    sample = min(len(comparison.entries), out.height)
    with out.capture() as captured:
        rows_table(comparison, sample, digits).print(out)
    heading = captured.get().count("\n") - sample
    notes = [*map(Text, _notes(comparison, shown)), *([verdict] if verdict else [])]
    below = sum(len(text.wrap(out, out.width)) for text in notes) + len(list(_warnings(comparison)))
    return max(MIN_ROWS, out.height - heading - below - 2)


def rows_table(comparison: "Comparison", rows: int, digits: int | None) -> Table:
    """The table of the first runs.

    The metric by which they are sorted comes first, as columns that do not fit a terminal are left out from the right.
    """
    entries, names = comparison.entries[:rows], comparison.names.names
    columns = [*_leading(comparison), *_keys(comparison), *_metrics(comparison, is_first=False)]
    has_gap = any(entry.gap for entry in entries) and not comparison.columns
    is_status_shown = not all(entry.is_final for entry in entries)
    table = Table(
        "run",
        *(["status"] if is_status_shown else []),
        *(heading for heading, _ in columns),
        *(["overfits"] if has_gap else []),
        text_columns=1 + is_status_shown,
        digits=digits,
    )
    for index, entry in enumerate(entries):
        table.add_row(
            Cell(f"{names[index]} {MARK}", WARNING) if entry.run.warnings else names[index],
            *([Cell("" if entry.is_final else str(entry.progress), WARNING)] if is_status_shown else []),
            *(cells[index] for _, cells in columns),
            *([entry.gap.degree if entry.gap else None] if has_gap else []),
        )
    return table


Columns = list[tuple[str, list[Any]]]


def _leading(comparison: "Comparison") -> Columns:
    """The metric by which the runs are sorted, and the epoch of the metrics if it differs."""
    epochs: list[Any] = [entry.epoch for entry in comparison.entries]
    is_shown = len(set(epochs)) > 1 and not comparison.columns
    return [*_metrics(comparison, is_first=True), *([("epoch", epochs)] if is_shown else [])]


def _keys(comparison: "Comparison") -> Columns:
    """The keys in which the configs differ, except for those that follow from others."""
    shown = {key: values for key, values in comparison.differences.items() if key not in comparison.implied}
    return [(key, list(map(cell_text, values))) for key, values in shown.items()]


def _metrics(comparison: "Comparison", is_first: bool) -> Columns:
    """The main metrics: that by which the runs are sorted, or the others."""
    rows = [row for row in comparison.main_rows if (row.name == comparison.metric) == is_first]
    return [(f"{row.name}{direction(row.higher)}", _cells(row)) for row in rows]


def _cells(row: "Row") -> list[Any]:
    return [Cell(value, *(BEST, "* ") * (index in row.best)) for index, value in enumerate(row.values)]


def _notes(comparison: "Comparison", shown: int) -> Iterator[str]:
    """The order of the rows, and what the table leaves out, one line each."""
    total, names, implied = len(comparison.entries) + len(comparison.left_out), comparison.names, comparison.implied
    yield "; ".join(
        [
            *([f"{shown} of {total} runs (--top {total} for all)"] if shown < total else [f"{total} runs"]),
            *([f"best {comparison.metric} first"] if comparison.metric else []),
            *([f"names begin with {names.start}"] if names.start else []),
            *([f"names end with {names.end}"] if names.end else []),
            *(
                [f"{counted(len(implied), 'key')} {'follows' if len(implied) == 1 else 'follow'} from others (--all)"]
                if implied
                else []
            ),
        ]
    )
    yield from comparison.not_compared


def _warnings(comparison: "Comparison") -> Iterator[str]:
    """The warnings of the trainings, one line for each kind: that of the first run, and how many others have it."""
    found = [(entry, warning) for entry in comparison.entries for warning in entry.run.warnings]
    runs = Counter(kind for entry in comparison.entries for kind in {each["kind"] for each in entry.run.warnings})
    for entry, warning in found:
        if count := runs.pop(warning["kind"], 0):
            others = f" and {counted(count - 1, 'other run')}" if count > 1 else ""
            yield f"{MARK} {entry.label}{others}: {warning_text(warning)}"
