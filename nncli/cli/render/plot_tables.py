"""Pictures of runs in the terminal that are tables: matrices, bars and histograms."""

from typing import TYPE_CHECKING

import numpy as np

from nncli.cli.render.console import Output
from nncli.cli.render.diagram import draws_colours
from nncli.cli.render.format import figure
from nncli.cli.render.progress import BLOCKS
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
BAR = 30  # columns of a bar
FEW_UNITS = 64  # units of a layer whose activity is drawn one by one


def show_confusion(out: Output, data: "Confusion") -> None:
    """Print the matrix: the shade of a cell is the fraction of the rows of its class."""
    names = [sanitized_line(name) for name in data.class_names]
    table = Table("actual ↓ predicted →" if draws_colours(out) else "actual \\ predicted", *names, "recall")
    totals = data.matrix.sum(axis=1)
    for label, (row, total) in enumerate(zip(data.matrix.tolist(), totals.tolist(), strict=True)):
        cells = [
            Cell(f" {count} ", _shade(count / max(1, total), predicted == label)) for predicted, count in enumerate(row)
        ]
        table.add_row(names[label], *cells, f"{row[label] / total:.1%}" if total else "–")
    table.print_in_parts(out)
    correct, rows = int(np.trace(data.matrix)), int(totals.sum())
    out.print_text(f"\n{correct:,} of {counted(rows, 'row')} correct ({correct / max(1, rows):.1%}){_worst(data)}")


def _shade(fraction: float, is_correct: bool) -> str:
    """The style of a cell: blue for correct predictions, orange for others, the stronger the more rows."""
    if not fraction:
        return "dim"
    red, green, blue = (0, 114, 178) if is_correct else (213, 94, 0)
    share = 0.25 + 0.75 * fraction
    return f"bold #ffffff on #{int(red * share):02x}{int(green * share):02x}{int(blue * share):02x}"


def _worst(data: "Confusion") -> str:
    """The most frequent mistake, in words."""
    errors = data.matrix - np.diag(np.diag(data.matrix))
    if not errors.any():
        return ""
    actual, predicted = np.unravel_index(int(np.argmax(errors)), errors.shape)
    names = [sanitized_line(data.class_names[index]) for index in (actual, predicted)]
    return f"; most often {names[0]} is predicted as {names[1]}: {counted(int(errors.max()), 'row')}"


def show_calibration(out: Output, data: "Calibration") -> None:
    """Print one row per bin: the accuracy as a bar, and the confidence as a mark in it."""
    table = Table(
        "confidence",
        "rows",
        "mean",
        "accuracy",
        "accuracy ▕ confidence" if draws_colours(out) else "accuracy | confidence",
        text_columns=1,
    )
    for low, high, rows, confidence, accuracy in zip(
        data.edges[:-1], data.edges[1:], data.rows.tolist(), data.confidence, data.accuracy, strict=True
    ):
        if rows:
            bar = _bar(accuracy, confidence, draws_colours(out))
            table.add_row(f"{low:.0%} – {high:.0%}", rows, f"{confidence:.1%}", f"{accuracy:.1%}", bar)
    table.print(out)
    sure = np.nansum(data.rows * (data.confidence - data.accuracy)) / max(1, data.rows.sum())
    words = "too sure" if sure > 0 else "not sure enough"
    out.print_text(f"\nexpected calibration error {figure(data.error, 3)}; on average {abs(sure):.1%} {words}")


def _bar(accuracy: float, confidence: float, is_coloured: bool) -> str:
    """A bar as long as the accuracy, with a mark at the confidence."""
    full, empty, mark = "█ │" if is_coloured else "#.|"
    cells = [full if index < round(accuracy * BAR) else empty for index in range(BAR)]
    cells[min(BAR - 1, int(confidence * BAR))] = mark
    return "".join(cells)


def show_weights(out: Output, data: "Sequence[WeightHistogram]") -> None:
    """Print one row per array with its histogram."""
    table = Table(
        "array",
        "layer",
        "shape",
        "lowest",
        "histogram",
        "highest",
        "mean",
        "deviation",
        "zeros",
        text_columns=3,
        digits=3,
    )
    for each in data:
        shape = " × ".join(map(str, each.shape))
        ends = float(each.edges[0]), float(each.edges[-1])
        bars = heights(each.counts, draws_colours(out))
        table.add_row(
            each.name, each.layer, shape, ends[0], bars, ends[1], each.mean, each.deviation, f"{each.zeros:.0%}"
        )
    table.print(out)


def heights(counts: "Array", is_coloured: bool) -> str:
    """A histogram as block characters, or as ASCII without colours."""
    highest, levels = max(int(counts.max()), 1), BLOCKS if is_coloured else RAMP
    return "".join(levels[round(count / highest * (len(levels) - 1))] if count else " " for count in counts.tolist())


def show_units(out: Output, data: "Sequence[LayerUnits]") -> None:
    """Print one row per layer, with how often each unit is active."""
    table = Table("layer", "type", "units", "dead", "saturated", "active in the rows, unit by unit", text_columns=2)
    for each in data:
        bars = (
            _activity(each, draws_colours(out))
            if len(each.dead) <= FEW_UNITS
            else f"{each.active.mean():.0%} on average"
        )
        counts = [f"{int(flags.sum())} ({flags.mean():.0%})" for flags in (each.dead, each.saturated)]
        table.add_row(f"layers.{each.layer}", each.type, len(each.dead), *counts, bars)
    table.print(out)
    out.print_text("\ndead: the same output for every training row; saturated: flat for 95 % of them")


def _activity(units: "LayerUnits", is_coloured: bool) -> str:
    """A character for each unit: a cross if it is dead, else higher the more often it is active."""
    levels = BLOCKS if is_coloured else RAMP
    marks = (levels[round(active * (len(levels) - 1))] for active in units.active.tolist())
    dead = "✕" if is_coloured else "x"
    return "".join(dead if is_dead else mark for is_dead, mark in zip(units.dead.tolist(), marks, strict=True))
