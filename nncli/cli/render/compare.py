"""Runs side by side in the terminal."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from nncli.cli.render.console import Output
from nncli.cli.render.diagram import MAX_CURVES, Line, print_diagram
from nncli.cli.render.format import cell_text, direction, warning_text
from nncli.cli.render.table import Cell, Table

if TYPE_CHECKING:
    from nncli.analysis.comparison import Comparison

BEST = "bold green"


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
    if len(curves) > MAX_CURVES:
        out.print(f"plotting {MAX_CURVES} of {len(curves)} runs (change with --sort)")
    print_diagram(out, [Line(*each) for each in curves[:MAX_CURVES]], f"{name} by epoch")


def _metrics_table(comparison: "Comparison", labels: Sequence[str], digits: int | None) -> Table:
    """One row per metric and one column per run; a star marks the best, also without colors."""
    metrics = Table("metric", *labels, digits=digits)
    metrics.add_row("status", *(str(entry.progress) for entry in comparison.entries))
    metrics.add_row("epoch", *(entry.epoch for entry in comparison.entries))
    for row in comparison.rows:
        cells = [Cell(value, *(BEST, "* ") * (index in row.best)) for index, value in enumerate(row.values)]
        metrics.add_row(f"{row.name}{direction(row.higher)}", *cells)
    return metrics
