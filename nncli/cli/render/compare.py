"""Runs side by side in the terminal."""

from collections.abc import Iterator, Sequence
from itertools import cycle
from string import ascii_lowercase
from typing import TYPE_CHECKING, NamedTuple

from rich.columns import Columns
from rich.console import Console
from rich.text import Text

from nncli.cli.render.console import Output
from nncli.cli.render.format import cell_text, direction, warning_text
from nncli.cli.render.table import break_name, table

if TYPE_CHECKING:
    from nncli.analysis.comparison import Comparison

BEST = "bold green"
PLOT_LIMIT = 1e100  # larger values, as before a divergence, overflow in plotext
MAX_CURVES = 8  # more cannot be distinguished
CURVE_COLOURS = {  # rich's name and plotext's
    "bright_blue": "blue+",
    "bright_green": "green+",
    "bright_red": "red+",
    "bright_cyan": "cyan+",
    "bright_magenta": "magenta+",
    "bright_yellow": "yellow+",
    "white": "white",
    "bright_black": "gray",
}
MIN_COLUMN = 15  # characters that the column of a run may always have; longer names are broken into several lines

Curves = Sequence[tuple[str, list[float], list[float]]]


class Row(NamedTuple):
    """One row of a table with one column per run; ``best`` are the indices of the best values."""

    name: str
    values: list[str]
    best: Sequence[int] = ()


def show_comparison(comparison: "Comparison", curve: str | None) -> None:
    """Print the differing keys, the metrics with the best values marked, overfitting, the verdict and the curves."""
    out = Output()
    name, curves = comparison.curve(curve)
    labels = [entry.label for entry in comparison.entries]
    if comparison.differences:
        keys = [Row(key, list(map(cell_text, values))) for key, values in comparison.differences.items()]
        _print_in_parts(out, "config", labels, keys)
    else:
        out.print("the configs are the same\n")
    _print_in_parts(out, "metric", labels, list(_metric_rows(comparison)))
    for entry in comparison.entries:
        out.print(Text.assemble((entry.label, "bold"), f" {entry.description}"))
    for entry in comparison.entries:
        for warning in entry.run.warnings:
            out.print(Text.assemble((entry.label, "bold"), (f" {warning_text(warning)}", "yellow")))
    if verdict := comparison.verdict():
        out.print(Text(f"\n{verdict}", style="bold"))
    out.print()
    _print_curves(out, name, curves)


def _metric_rows(comparison: "Comparison") -> Iterator[Row]:
    yield Row("status", [str(entry.progress) for entry in comparison.entries])
    yield Row("epoch", [str(entry.epoch) for entry in comparison.entries])
    for row in comparison.rows:
        yield Row(f"{row.name}{direction(row.higher)}", list(map(cell_text, row.values)), row.best)


def _print_in_parts(out: Console, heading: str, labels: Sequence[str], rows: Sequence[Row]) -> None:
    """Print a table with one column per run; columns that do not fit side by side follow in further tables."""
    names = max(len(row.name) for row in rows) + 2
    limit = max(MIN_COLUMN, (out.width - names) // len(labels) - 3)
    widest = [max(len(label), *(len(row.values[index]) + 2 for row in rows)) for index, label in enumerate(labels)]
    widths = [min(width, limit) + 3 for width in widest]
    start = 0
    while start < len(labels):
        stop, used = start + 1, names + widths[start]
        while stop < len(labels) and used + widths[stop] <= out.width:
            used += widths[stop]
            stop += 1
        part = table(heading, *(break_name(label, limit) for label in labels[start:stop]))
        for row in rows:
            part.add_row(row.name, *(_cell(row, index, limit) for index in range(start, stop)))
        out.print(part)
        out.print()
        start = stop


def _cell(row: Row, index: int, width: int) -> Text:
    """The value of one run; a star marks the best, also without colours."""
    if index in row.best:
        return Text(f"* {row.values[index]}", BEST)
    return Text(break_name(row.values[index], width))


def _print_curves(out: Console, name: str, curves: Curves) -> None:
    """Plot the curves in one diagram, each in its own colour, or with its own letter if there are no colours."""
    import plotext

    is_coloured = out.color_system is not None and not out.no_color
    plotext.clear_figure()
    plotext.theme("pro" if is_coloured else "clear")
    drawn = curves[:MAX_CURVES]
    for (_, epochs, values), letter, colour in zip(drawn, ascii_lowercase, CURVE_COLOURS.values(), strict=False):
        if values and max(map(abs, values)) < PLOT_LIMIT:
            plotext.plot(epochs, values, color=colour, marker="braille" if is_coloured else letter)
    last = max((epochs[-1] for _, epochs, _ in curves if epochs), default=0)
    ticks = sorted({round(last * quarter / 4) for quarter in range(5)})
    plotext.xticks(ticks, [str(tick) for tick in ticks])
    plotext.title(f"{name} by epoch")
    if len(curves) > MAX_CURVES:
        out.print(f"plotting {MAX_CURVES} of {len(curves)} runs (change with --sort)")
    plotext.plotsize(min(out.width, 120), 16)
    plot = plotext.build()
    out.print(Text.from_ansi(plot) if is_coloured else plotext.uncolorize(plot), soft_wrap=True)
    out.print(_legend([label for label, _, _ in drawn], is_coloured))


def _legend(labels: Sequence[str], is_coloured: bool) -> Columns:
    """The colour or the letter of each curve, below the diagram: inside it, plotext's legend would cover the curves."""
    signs = cycle("━") if is_coloured else iter(ascii_lowercase)
    entries = [
        Text.assemble((sign, colour), f" {label}")
        for label, sign, colour in zip(labels, signs, CURVE_COLOURS, strict=False)
    ]
    return Columns(entries, padding=(0, 3))
