"""Runs side by side in the terminal."""

from collections.abc import Sequence
from itertools import cycle
from string import ascii_lowercase
from typing import TYPE_CHECKING

from rich.text import Text

from nncli.cli.render.console import Output
from nncli.cli.render.format import cell_text, direction, warning_text
from nncli.cli.render.table import Cell, Table

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

Curves = Sequence[tuple[str, list[float], list[float]]]


def show_comparison(comparison: "Comparison", curve: str | None, digits: int | None) -> None:
    """Print the differing keys, the metrics with the best values marked, overfitting, the verdict and the curves.

    Args:
        comparison: the runs side by side.
        curve: the column of metrics.csv to plot; None for the default.
        digits: significant digits of the metrics; all of them if None.
    """
    out = Output()
    name, curves = comparison.curve(curve)
    labels = [entry.label for entry in comparison.entries]
    if comparison.differences:
        configs = Table("config", *labels)
        for key, values in comparison.differences.items():
            configs.add_row(key, *map(cell_text, values))
        configs.print_in_parts(out)
        out.print()
    else:
        out.print("the configs are the same\n")
    _metrics_table(comparison, labels, digits).print_in_parts(out)
    out.print()
    for entry in comparison.entries:
        out.print(Text.assemble((entry.label, "bold"), f" {entry.description}"))
    for entry in comparison.entries:
        for warning in entry.run.warnings:
            out.print(Text.assemble((entry.label, "bold"), (f" {warning_text(warning)}", "yellow")))
    if verdict := comparison.verdict():
        out.print(Text(f"\n{verdict}", style="bold"))
    out.print()
    _print_curves(out, name, curves)


def _metrics_table(comparison: "Comparison", labels: Sequence[str], digits: int | None) -> Table:
    """One row per metric and one column per run; a star marks the best, also without colours."""
    metrics = Table("metric", *labels, digits=digits)
    metrics.add_row("status", *(str(entry.progress) for entry in comparison.entries))
    metrics.add_row("epoch", *(entry.epoch for entry in comparison.entries))
    for row in comparison.rows:
        cells = [Cell(value, *(BEST, "* ") * (index in row.best)) for index, value in enumerate(row.values)]
        metrics.add_row(f"{row.name}{direction(row.higher)}", *cells)
    return metrics


def _print_curves(out: Output, name: str, curves: Curves) -> None:
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
    out.print(_legend([label for label, _, _ in drawn], is_coloured, out.width), soft_wrap=True)


def _legend(labels: Sequence[str], is_coloured: bool, width: int) -> Text:
    """The colour or the letter of each curve, below the diagram: inside it, plotext's legend would cover the curves."""
    signs = cycle("━") if is_coloured else iter(ascii_lowercase)
    entries = [
        Text.assemble((sign, colour), f" {label}")
        for label, sign, colour in zip(labels, signs, CURVE_COLOURS, strict=False)
    ]
    line = Text("   ").join(entries)
    return line if line.cell_len <= width else Text("\n").join(entries)
