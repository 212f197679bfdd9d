"""Diagrams of runs in a file: lines and bars, drawn on parts of a figure of matplotlib.

Each function takes a part of a figure and the data of a plot, and returns the height that it needs in inches.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from nncli.cli.render.format import direction, figure
from nncli.config.diagnostics import sanitized_line
from nncli.report.colors import CLASS_COLORS
from nncli.report.curves import MAIN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nncli.report.boundary import FittedCurve
    from nncli.report.calibration import Calibration
    from nncli.report.curves import Curve, RunCurves
    from nncli.report.gradients import Gradients
    from nncli.report.residuals import Residuals
    from nncli.report.units import LayerUnits
    from nncli.report.weights import WeightHistogram

TALL, LOW = 4.0, 2.6  # inches of a diagram alone, and of one among others
LONGEST = 24  # characters of a name
MARKER = "o"
LINE_STYLES = ("-", "--", "-.", ":")
GRAY, DARK = "#888888", "#222222"
BAR = {"color": CLASS_COLORS[0], "edgecolor": DARK, "linewidth": 0.3}
KINDS = {"other": (0, ""), "saturated": (1, "xx"), "dead": (4, "//")}  # of units: color and hatching


def color_of(index: int) -> str:
    """The color of a line, which repeats after the seventh."""
    return CLASS_COLORS[index % len(CLASS_COLORS)]


def style_of(index: int) -> str:
    """The line style, the second channel beside the color."""
    return LINE_STYLES[index % len(LINE_STYLES)]


def use_logarithm(axes: Any) -> None:
    """Make the vertical axis logarithmic, with plain numbers."""
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.yaxis.set_minor_formatter(lambda value, _: "")


def label_of(name: str, longest: int = LONGEST) -> str:
    """The name of a class or a column in one line, shortened to a number of characters."""
    label = sanitized_line(name)
    return label if len(label) <= longest else f"{label[: longest - 1]}…"


def draw_curves(part: Any, runs: "Sequence[RunCurves]") -> float:
    """The loss and the first metric: a color for each run, and a line style for each split."""
    metrics = list(dict.fromkeys(curve.metric for run in runs for curve in run.curves))[:MAIN]
    all_axes = part.subplots(max(1, len(metrics)), 1, squeeze=False)[:, 0]
    for axes, metric in zip(all_axes, metrics, strict=False):
        for index, run in enumerate(runs):
            if curve := run.of(metric):
                _draw_curve(axes, curve, run, None if len(runs) == 1 else index)
        axes.set(xlabel="epoch", ylabel=metric)
        axes.legend(frameon=False)
    return LOW * len(all_axes)


def _draw_curve(axes: Any, curve: "Curve", run: "RunCurves", index: int | None) -> None:
    """One metric of one run on its splits; ``index`` is that of the run, None if it is the only one."""
    prefix = "" if index is None else f"{sanitized_line(run.run)} "
    for number, each in enumerate(curve.series):
        color, label = color_of(number if index is None else index), f"{prefix}{each.column}"
        label += direction(curve.higher_is_better)
        axes.plot(curve.epochs, each.values, style_of(number), color=color, label=label, linewidth=1.2)
    if curve.is_logarithmic:
        use_logarithm(axes)
    if run.kept_epoch is not None and run.kept_epoch < curve.epochs[-1]:
        axes.axvline(run.kept_epoch, color=GRAY, linewidth=0.8)
        place = {"xycoords": ("data", "axes fraction"), "va": "top", "color": GRAY}
        axes.annotate(f" kept: {prefix}{run.kept_epoch}", (run.kept_epoch, 1), **place)


def draw_fit(part: Any, data: "FittedCurve") -> float:
    """The values or the probabilities by the only input, with the rows of a regression."""
    axes, names = part.subplots(), [label_of(name) for name in data.class_names or data.targets]
    for index, (name, values) in enumerate(zip(names, data.outputs.T, strict=True)):
        label = f"P of class {name}" if data.class_names else name
        axes.plot(data.x, values, style_of(index), color=color_of(index), label=label, zorder=3)
    if data.points is not None and data.class_names is None:
        targets = data.points.targets.reshape(len(data.points.inputs), -1)
        label = f"rows ({data.points.split})"
        axes.plot(data.points.inputs[:, 0], targets, MARKER, color=GRAY, markersize=3, label=label)
    axes.set(xlabel=label_of(data.feature), ylabel="probability" if data.class_names else ", ".join(names))
    axes.legend(frameon=False)
    return TALL


def draw_calibration(part: Any, data: "Calibration") -> float:
    """Accuracy by confidence, with the diagonal of a perfect calibration, and the number of rows."""
    axes, known = part.subplots(), data.rows > 0
    axes.plot([0, 1], [0, 1], "--", color=GRAY, label="perfect")
    centers, width = (data.edges[:-1] + data.edges[1:]) / 2, data.edges[1]
    axes.bar(
        centers[known],
        data.accuracy[known],
        width * 0.95,
        **BAR,
        label="accuracy",
    )
    axes.plot(data.confidence[known], data.accuracy[known], "o", color=DARK, markersize=4, label="mean confidence")
    for center, rows, accuracy in zip(centers[known], data.rows[known], data.accuracy[known], strict=True):
        axes.annotate(
            str(rows),
            (center, accuracy),
            ha="center",
            va="bottom",
            xytext=(0, 3),
            textcoords="offset points",
            fontsize=7,
        )
    title = f"expected calibration error {figure(data.error, 3)} ({data.split})"
    axes.set(xlabel="confidence of the predicted class", ylabel="accuracy", xlim=(0, 1), ylim=(0, 1.08))
    axes.set_title(title, fontsize=8)
    axes.legend(frameon=False)  # where no bar is
    return TALL


def draw_residuals(part: Any, data: "Sequence[Residuals]") -> float:
    """The residual of each row by its prediction, with the histogram beside it."""
    all_axes = part.subplots(len(data), 2, squeeze=False, width_ratios=(3, 1), sharey="row")
    for (axes, side), each in zip(all_axes, data, strict=True):
        axes.axhline(0, color=GRAY, linewidth=0.8)
        axes.plot(each.predictions, each.residuals, MARKER, color=CLASS_COLORS[6], markersize=3, alpha=0.7)
        axes.set(xlabel=f"prediction of {label_of(each.target)}", ylabel="residual = target − prediction")
        side.barh(
            each.edges[:-1],
            each.counts,
            np.diff(each.edges),
            align="edge",
            **BAR,
        )
        side.set_xlabel(f"rows ({each.split})")
    return TALL * len(data)


def draw_weights(part: Any, data: "Sequence[WeightHistogram]") -> float:
    """The histogram of each array, two beside each other."""
    rows = -(-len(data) // 2)
    all_axes = part.subplots(rows, 2, squeeze=False).ravel()
    for axes, each in zip(all_axes, data, strict=False):
        axes.bar(
            each.edges[:-1],
            each.counts,
            np.diff(each.edges),
            align="edge",
            **BAR,
        )
        shape = " × ".join(map(str, each.shape))
        axes.set_title(
            f"{each.name} ({each.layer}, {shape})\nmean {figure(each.mean, 3)}, deviation {figure(each.deviation, 3)}",
            fontsize=8,
        )
    for axes in all_axes[len(data) :]:
        axes.remove()
    return LOW * rows


def draw_gradients(part: Any, data: "Gradients") -> float:
    """The norm of the gradients, and the updates relative to the weights, of each layer."""
    names = {"gradient_norm": "norm of the gradient", "update_ratio": "update / weights"}
    for axes, (name, title) in zip(part.subplots(2, 1), names.items(), strict=True):
        layers = [layer for layer in data.layers if getattr(layer, name) is not None]
        for index, layer in enumerate(layers):
            color, style = color_of(index), style_of(index)
            axes.plot(
                data.epochs,
                getattr(layer, name),
                style,
                color=color,
                linewidth=1,
                label=f"layers.{layer.layer} {layer.type}",
            )
        use_logarithm(axes)
        axes.set(xlabel="epoch", ylabel=title)
        axes.legend(frameon=False)
    return 2 * LOW


def draw_units(part: Any, data: "Sequence[LayerUnits]") -> float:
    """How often each unit is active; hatched if it is dead, crossed if it is saturated."""
    for axes, each in zip(part.subplots(len(data), 1, squeeze=False)[:, 0], data, strict=True):
        units, flags = np.arange(len(each.dead)), np.select([each.dead, each.saturated], ["dead", "saturated"], "other")
        for name, (color, hatch) in KINDS.items():
            chosen = flags == name
            if not chosen.any():
                continue
            heights, label = np.maximum(each.active[chosen], 0.02), f"{name} ({np.count_nonzero(chosen)})"
            style = {**BAR, "color": CLASS_COLORS[color], "hatch": hatch}
            axes.bar(units[chosen], heights, label=label, **style)
        title = f"unit of layers.{each.layer} ({each.type})"
        axes.set(xlabel=title, ylabel="rows with an output", ylim=(0, 1.25), yticks=(0, 0.5, 1))
        axes.legend(frameon=False, ncols=3, loc="upper left")
    return LOW * len(data)
