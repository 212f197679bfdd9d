"""Pictures of runs in the terminal."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.text import Text

from nncli.cli.render.boundary import boundary_lines, grid_size
from nncli.cli.render.console import Output
from nncli.cli.render.diagram import MAX_CURVES, Axes, Line, draws_colours, print_diagram
from nncli.cli.render.format import direction, figure
from nncli.cli.render.plot_tables import heights, show_calibration, show_confusion, show_units, show_weights
from nncli.config.diagnostics import sanitized_line
from nncli.report.boundary import Boundary
from nncli.report.curves import spans_decade
from nncli.report.pictures import CURVES, Wish, picture

if TYPE_CHECKING:
    from nncli.report.boundary import FittedCurve
    from nncli.report.curves import Curve, RunCurves
    from nncli.report.gradients import Gradients
    from nncli.report.residuals import Residuals
    from nncli.report.trained_run import TrainedRun


def show_pictures(trained: "Sequence[TrainedRun]", names: Sequence[str], split: str | None) -> None:
    """Print each picture of each run; the curves of all runs are in one diagram.

    Raises:
        CommandLineError: a run does not have a picture.
    """
    out = Output()
    for index, name in enumerate(names):
        if index:
            out.print()
        if name == CURVES:
            _show_curves(out, [picture(name, each, Wish()) for each in trained])
            continue
        for number, each in enumerate(trained):
            if number:
                out.print()
            _show(out, name, each, split)


def _show(out: Output, name: str, trained: "TrainedRun", split: str | None) -> None:
    """Print one picture of a run below the name of the run and the epoch of its weights."""
    width, height = grid_size(out.width, draws_colours(out))
    data = picture(name, trained, Wish(split, width, height))
    first = data[0] if isinstance(data, list) else data
    points = getattr(first, "points", None)
    where = getattr(first, "split", None) or getattr(points, "split", None)
    facts = [f"epoch {trained.epoch}"] if name != "gradients" else []
    out.print(
        f"{trained.run.name}  ({', '.join([*facts, *([where] if where else [])]) or name})",
        style="bold",
        soft_wrap=True,
    )
    _SHOWN[name](out, data)


def _show_plane(out: Output, data: "Boundary | FittedCurve") -> None:
    """Print a decision boundary, or a fitted curve."""
    if isinstance(data, Boundary):
        out.print(Text("\n").join(boundary_lines(data, draws_colours(out))), soft_wrap=True)
        return
    names = data.class_names or data.targets
    kind = "P of class " if data.class_names else ""
    lines = [
        Line.of(f"{kind}{sanitized_line(name)}", data.x, column)
        for name, column in zip(names, data.outputs.T, strict=True)
    ]
    if data.points is not None and data.class_names is None:
        targets = data.points.targets.reshape(len(data.points.inputs), -1).T
        rows = [
            Line.of(f"{sanitized_line(name)} of the rows", data.points.inputs[:, 0], each, False)
            for name, each in zip(names, targets, strict=True)
        ]
        lines = [*rows, *lines]
    print_diagram(
        out, lines, f"{sanitized_line(', '.join(names))} by {sanitized_line(data.feature)}", Axes(counts=False)
    )


def _show_curves(out: Output, runs: "Sequence[RunCurves]") -> None:
    """Print the loss and the first metric: of one run on all splits, of several on the last split that all have."""
    shown = list(dict.fromkeys(curve.metric for run in runs for curve in run.curves))[:2]
    if len(runs) > MAX_CURVES:
        out.print(f"plotting {MAX_CURVES} of {len(runs)} runs")
    if not shown:
        out.print("no epoch is logged yet")
    for index, metric in enumerate(shown):
        if index:
            out.print()
        curves = {run.run: curve for run in runs if (curve := run.of(metric)) is not None}
        if len(runs) == 1:
            _print_curve(out, next(iter(curves.values())), runs[0])
        else:
            _print_overlay(out, metric, curves)


def _print_curve(out: Output, curve: "Curve", run: "RunCurves") -> None:
    """One metric of one run on its splits, and below it the best and the kept epoch."""
    lines = [Line.of(each.column, curve.epochs, each.values) for each in curve.series]
    kept = run.kept_epoch
    is_marked = kept is not None and kept < curve.epochs[-1]
    axes = Axes(curve.is_logarithmic, marks=[float(kept or 0)] * is_marked)
    print_diagram(out, lines, f"{curve.metric} by epoch", axes)
    last = curve.series[-1]
    facts = []
    if curve.best_epoch is not None:
        best = float(last.values[np.searchsorted(curve.epochs, curve.best_epoch)])
        facts.append(
            f"best {last.column}{direction(curve.higher_is_better)} {figure(best)} at epoch {curve.best_epoch}"
        )
    if kept is not None:
        facts.append(f"weights kept of epoch {kept}{' (line)' if is_marked else ''}")
    if run.diverged_epoch is not None:
        facts.append(f"diverged at epoch {run.diverged_epoch}")
    out.print_text("; ".join(facts))


def _print_overlay(out: Output, metric: str, curves: "Mapping[str, Curve]") -> None:
    """One metric of several runs on the last split that all of them have."""
    splits = [[each.split for each in curve.series] for curve in curves.values()]
    split = [each for each in splits[0] if all(each in others for others in splits)][-1]
    series = {name: next(each for each in curve.series if each.split == split) for name, curve in curves.items()}
    lines = [Line.of(sanitized_line(name), curves[name].epochs, each.values) for name, each in series.items()][
        :MAX_CURVES
    ]
    is_logarithmic = not any(curve.higher_is_better for curve in curves.values()) and spans_decade(
        np.concatenate([each.values for each in series.values()])
    )
    name = next(iter(series.values())).column
    print_diagram(out, lines, f"{name} by epoch", Axes(is_logarithmic))


def _show_residuals(out: Output, data: "Sequence[Residuals]") -> None:
    """Print the residual of each row by its prediction, with the histogram."""
    for index, each in enumerate(data):
        if index:
            out.print()
        name = sanitized_line(each.target)
        line = Line.of("residual = target − prediction", each.predictions, each.residuals, False)
        print_diagram(out, [line], f"residual of {name} by its prediction", Axes(counts=False, zero=True))
        bars = heights(each.counts, draws_colours(out))
        ends = [figure(float(each.edges[end]), 3) for end in (0, -1)]
        out.print_text(
            f"{ends[0]} {bars} {ends[1]}   mean {figure(each.mean, 3)}, standard deviation {figure(each.deviation, 3)}"
        )


def _show_gradients(out: Output, data: "Gradients") -> None:
    """Print the norm of the gradient, and the updates relative to the weights, of each layer by epoch."""
    for index, (name, title) in enumerate(
        {"gradient_norm": "norm of the gradient", "update_ratio": "update / weights"}.items()
    ):
        if index:
            out.print()
        lines = list(_layer_lines(data, name))
        is_logarithmic = all(min(line.y, default=0) > 0 for line in lines)
        print_diagram(out, lines[:MAX_CURVES], f"{title} by epoch", Axes(is_logarithmic))


def _layer_lines(data: "Gradients", name: str) -> "Iterator[Line]":
    """A line for each layer that has these values, where they are positive, as a logarithmic axis needs it."""
    for layer in data.layers:
        values = getattr(layer, name)
        if values is not None:
            known = np.nan_to_num(values) > 0
            yield Line.of(f"layers.{layer.layer} {layer.type}", data.epochs[known], values[known])


_SHOWN: Mapping[str, Callable[[Output, Any], None]] = {
    "boundary": _show_plane,
    "confusion": show_confusion,
    "calibration": show_calibration,
    "residuals": _show_residuals,
    "weights": show_weights,
    "gradients": _show_gradients,
    "units": show_units,
}
