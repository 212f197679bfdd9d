"""Runs side by side in the terminal."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from nncli.cli.render.comparison_rows import BEST, show_rows
from nncli.cli.render.console import Output
from nncli.cli.render.diagram import MAX_CURVES, Line, print_diagram
from nncli.cli.render.format import cell_text, direction, warning_text
from nncli.cli.render.table import Cell, Table

if TYPE_CHECKING:
    from nncli.analysis.comparison import Comparison

MAX_SPLIT = 3  # runs side by side whose table may be split into parts


def show_comparison(comparison: "Comparison", curve: str | None, digits: int | None, is_complete: bool) -> None:
    """Print the runs: side by side with their curves, or one row per run if there are many or they do not fit.

    Args:
        comparison: the runs side by side.
        curve: the column of metrics.csv to plot; None for the default, which is not plotted for many runs.
        digits: significant digits of the metrics; all of them if None.
        is_complete: whether all of many runs are printed, even if the terminal has too few lines.
    """
    out = Output()
    labels = [entry.label for entry in comparison.entries]
    table = _metrics_table(comparison, labels, digits)
    is_long = comparison.is_long or (len(labels) > MAX_SPLIT and not table.fits(out))
    name, curves = comparison.curve(curve) if curve or not is_long else ("", [])
    if is_long:
        show_rows(out, comparison, is_complete, digits)
    else:
        _show_configs(out, comparison, labels)
        table.print_in_parts(out)
        out.print()
        _show_sentences(out, comparison)
    if curves:
        out.print()
        if len(curves) > MAX_CURVES:
            out.print(f"plotting {MAX_CURVES} of {len(curves)} runs (change with --sort)")
        print_diagram(out, [Line(*each) for each in curves[:MAX_CURVES]], f"{name} by epoch")


def _show_configs(out: Output, comparison: "Comparison", labels: Sequence[str]) -> None:
    """Print the differing keys, one column per run."""
    if not comparison.differences:
        out.print("the configs are the same\n")
        return
    configs = Table("config", *labels)
    for key, values in comparison.differences.items():
        configs.add_row(key, *map(cell_text, values))
    configs.print_in_parts(out)
    out.print()


def _show_sentences(out: Output, comparison: "Comparison") -> None:
    """Print what is not compared, whether each run overfits, the warnings of its training, and the verdict."""
    for sentence in comparison.not_compared:
        out.print(sentence)
    for entry in comparison.entries:
        out.print(Text.assemble((entry.label, "bold"), f" {entry.description}"))
    for entry in comparison.entries:
        for warning in entry.run.warnings:
            out.print(Text.assemble((entry.label, "bold"), (f" {warning_text(warning)}", "yellow")))
    if verdict := comparison.verdict():
        out.print(Text(f"\n{verdict}", style="bold"))


def _metrics_table(comparison: "Comparison", labels: Sequence[str], digits: int | None) -> Table:
    """One row per metric and one column per run; a star marks the best, also without colors."""
    metrics = Table("metric", *labels, digits=digits)
    metrics.add_row("status", *(str(entry.progress) for entry in comparison.entries))
    metrics.add_row("epoch", *(entry.epoch for entry in comparison.entries))
    for row in comparison.rows:
        cells = [Cell(value, *(BEST, "* ") * (index in row.best)) for index, value in enumerate(row.values)]
        metrics.add_row(f"{row.name}{direction(row.higher)}", *cells)
    return metrics
