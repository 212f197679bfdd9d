"""Rendering of summaries of tables and arrays in the terminal."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from nncli.cli.render.console import Output
from nncli.cli.render.format import BLOCKS, DIGITS, figure
from nncli.cli.render.table import Table
from nncli.config.diagnostics import sanitized_line

if TYPE_CHECKING:
    from nncli.analysis.array_overview import ArraysOverview
    from nncli.analysis.data_overview import ColumnOverview, DataOverview

MOST_SHOWN = 3  # categories beside a column
LONGEST = 16  # characters of a category


def show_data(overview: "DataOverview") -> None:
    """Print one row per column, the rows of each class, why each type was chosen, and warnings."""
    out = Output()
    out.print_text(f"{overview.path}: {overview.rows:,} rows, {len(overview.columns)} columns\n")
    table = Table(
        "column", "type", "use", "missing", "distinct", "smallest", "mean", "largest", "values", text_columns=3
    )
    for column in overview.columns:
        table.add_row(sanitized_line(column.name), column.type, _use(column), *_values(column))
    table.print(out)
    if overview.classes:
        out.print_text(f"\nclasses: {_counts(overview.classes)}")
    out.print_text("\nWhy each type:")
    for column in overview.columns:
        out.print_text(f"  {sanitized_line(column.name)}: {sanitized_line(column.reason)}")
    _print_warnings(out, overview.warnings)


def show_arrays(overview: "ArraysOverview") -> None:
    """Print one row per array, the rows of each class and each split, and warnings."""
    out = Output()
    out.print_text(f"{overview.path}: {overview.rows:,} rows\n")
    table = Table("array", "shape", "dtype", "rows with missing", "smallest", "mean", "largest", text_columns=3)
    for array in overview.arrays:
        shape = " × ".join(map(str, array.shape)) or "a single value"
        ends = array.smallest, array.mean, array.largest
        table.add_row(sanitized_line(array.name), shape, array.dtype, array.rows_with_missing, *ends)
    table.print(out)
    counts = {f"classes of {array.name}": array.classes for array in overview.arrays}
    counts = counts if overview.classes is None else {"classes": overview.classes}
    shown = {name: rows for name, rows in {**counts, "splits": overview.splits}.items() if rows}
    for index, (name, rows) in enumerate(shown.items()):
        out.print_text(f"{'' if index else chr(10)}{sanitized_line(name)}: {_counts(rows)}")
    _print_warnings(out, overview.warnings)


def _counts(rows: Mapping[str, int]) -> str:
    """The number of rows of each class."""
    return ", ".join(f"{sanitized_line(name)} {count:,}" for name, count in rows.items())


def _print_warnings(out: Output, warnings: Sequence[str]) -> None:
    if warnings:
        out.print_text("\nWarnings:")
    for text in warnings:
        out.print_text(f"  {sanitized_line(text)}")


def _use(column: "ColumnOverview") -> str:
    return f"{column.inputs} inputs" if column.inputs > 1 else column.use


def _values(column: "ColumnOverview") -> list[object]:
    summary = column.summary
    if summary is None:
        return [None] * 6
    frequent = ", ".join(f"{_short(text)} {count:,}" for text, count in summary.most_frequent[:MOST_SHOWN])
    is_number = column.type == "number"
    ends = [_end(summary.smallest, is_number), summary.mean if is_number else None, _end(summary.largest, is_number)]
    return [summary.missing, summary.distinct, *ends, frequent or _bars(summary.histogram)]


def _end(value: float | str | None, is_number: bool) -> object:
    if isinstance(value, float) and is_number:
        return figure(value, DIGITS)
    return _short(str(value)) if isinstance(value, str) else None


def _short(text: str) -> str:
    line = sanitized_line(text)
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"


def _bars(counts: tuple[int, ...]) -> str:
    """A histogram as block characters."""
    highest = max(counts, default=0)
    return "".join(BLOCKS[round(count / highest * (len(BLOCKS) - 1))] if count else " " for count in counts)
