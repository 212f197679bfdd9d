"""Plots of runs in the terminal that are tables: matrices, bars and histograms."""

from typing import TYPE_CHECKING

import numpy as np

from nncli.cli.render.console import Output
from nncli.cli.render.diagram import draws_blocks
from nncli.cli.render.format import BLOCKS, figure
from nncli.cli.render.table import Cell, Table
from nncli.config.diagnostics import counted, sanitized_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nncli.nn.parameters import Array
    from nncli.report.calibration import Calibration
    from nncli.report.confusion import Confusion
    from nncli.report.units import LayerUnits
    from nncli.report.weights import WeightHistogram

RAMP = ".:-=+*#"  # heights without block characters
BAR = 30  # columns of a bar; half of it in a narrow terminal
NARROW = 80  # columns of a terminal


def show_confusion(out: Output, data: "Confusion") -> None:
    """Print the matrix: the shade of a cell is the fraction of the rows of its class."""
    names = [sanitized_line(name) for name in data.class_names]
    table = Table("actual ↓ predicted →" if draws_blocks(out) else "actual \\ predicted", *names, "recall")
    totals, width = data.matrix.sum(axis=1).tolist(), len(str(data.matrix.max())) + 1
    for label, (row, total) in enumerate(zip(data.matrix.tolist(), totals, strict=True)):
        styles = (_shade(count / max(1, total), predicted == label) for predicted, count in enumerate(row))
        cells = [Cell(f"{count:>{width}}", style) for count, style in zip(row, styles, strict=True)]
        table.add_row(names[label], *cells, f"{row[label] / total:.1%}" if total else "–")
    table.print_in_parts(out)
    correct, rows = int(np.trace(data.matrix)), sum(totals)
    out.print_text(f"\n{correct:,} of {counted(rows, 'row')} correct ({correct / max(1, rows):.1%}){_worst(data)}")


def _shade(fraction: float, is_correct: bool) -> str:
    """The style of a cell: blue for correct predictions, orange for others, the stronger the more rows."""
    if not fraction:
        return "dim"
    red, green, blue = (0, 114, 178) if is_correct else (213, 94, 0)
    strength = 0.25 + 0.75 * fraction
    return f"bold #ffffff on #{int(red * strength):02x}{int(green * strength):02x}{int(blue * strength):02x}"


def _worst(data: "Confusion") -> str:
    """The most frequent error as text."""
    errors = data.matrix - np.diag(np.diag(data.matrix))
    if not errors.any():
        return ""
    actual, predicted = np.unravel_index(int(np.argmax(errors)), errors.shape)
    names = [sanitized_line(data.class_names[index]) for index in (actual, predicted)]
    return f"; most often {names[0]} is predicted as {names[1]}: {counted(int(errors.max()), 'row')}"


def show_calibration(out: Output, data: "Calibration") -> None:
    """Print one row per bin: the accuracy as a bar, and the confidence as a mark in it."""
    has_blocks, width = draws_blocks(out), _bar_width(out)
    table = Table("confidence", "rows", "mean", "accuracy", f"as a bar, {'│' if has_blocks else '|'} confidence")
    bins = zip(data.edges[:-1], data.edges[1:], data.rows.tolist(), data.confidence, data.accuracy, strict=True)
    for low, high, rows, confidence, accuracy in bins:
        if rows:
            bar = _bar(accuracy, confidence, width, has_blocks)
            table.add_row(f"{100 * low:.0f}-{high:.0%}", rows, f"{confidence:.1%}", f"{accuracy:.1%}", bar)
    table.print(out)
    excess = np.nansum(data.rows * (data.confidence - data.accuracy)) / max(1, data.rows.sum())
    verdict = "overconfident" if excess > 0 else "underconfident"
    out.print_text(f"\nexpected calibration error {figure(data.error, 3)}; on average {abs(excess):.1%} {verdict}")


def _bar_width(out: Output) -> int:
    return BAR // 2 if out.room < NARROW else BAR


def _bar(accuracy: float, confidence: float, width: int, has_blocks: bool) -> str:
    """A bar as long as the accuracy, with a mark at the confidence."""
    full, empty, mark = "█░│" if has_blocks else "#.|"
    cells = [full if index < round(accuracy * width) else empty for index in range(width)]
    cells[min(width - 1, int(confidence * width))] = mark
    return "".join(cells)


def show_weights(out: Output, data: "Sequence[WeightHistogram]") -> None:
    """Print one row per array with its histogram."""
    columns = ("lowest", "highest", "mean", "deviation", "zeros", "layer")
    table = Table("array", "shape", "histogram", *columns, text_columns=3, digits=3)
    for each in data:
        shape = "×".join(map(str, each.shape))
        counts = each.counts.reshape(_bar_width(out), -1).sum(axis=1)
        ends = float(each.edges[0]), float(each.edges[-1])
        numbers = *ends, each.mean, each.deviation, f"{each.zeros:.0%}"
        table.add_row(each.name, shape, heights(counts, draws_blocks(out)), *numbers, each.layer)
    table.print(out)


def heights(counts: "Array", has_blocks: bool) -> str:
    """A histogram as block characters, or as ASCII."""
    highest = max(int(counts.max()), 1)
    levels, empty = (BLOCKS, "·") if has_blocks else (RAMP, "_")
    return "".join(levels[round(count / highest * (len(levels) - 1))] if count else empty for count in counts.tolist())


def show_units(out: Output, data: "Sequence[LayerUnits]") -> None:
    """Print one row per layer, and then how often each unit is active."""
    has_blocks = draws_blocks(out)
    table = Table("layer", "type", "units", "dead", "saturated", "active", text_columns=2)
    for each in data:
        counts = [f"{int(flags.sum())} ({flags.mean():.0%})" for flags in (each.dead, each.saturated)]
        table.add_row(f"layers.{each.layer}", each.type, len(each.dead), *counts, f"{each.active.mean():.0%}")
    table.print(out)
    for each in data:
        out.print_text(
            f"\nlayers.{each.layer}, unit by unit: {'✕' if has_blocks else 'x'} dead, higher: active more often"
        )
        marks, room = _activity(each, has_blocks), out.width - 2
        for start in range(0, len(marks), room):
            out.print(f"  {marks[start : start + room]}", soft_wrap=True)
    out.print_text("\ndead: the same output for every training row; saturated: flat for 95 % of them")


def _activity(units: "LayerUnits", has_blocks: bool) -> str:
    """A character for each unit: a cross if it is dead, else higher the more often it is active."""
    levels, dead = (BLOCKS, "✕") if has_blocks else (RAMP, "x")
    marks = (levels[round(active * (len(levels) - 1))] for active in units.active.tolist())
    return "".join(dead if is_dead else mark for is_dead, mark in zip(units.dead.tolist(), marks, strict=True))
