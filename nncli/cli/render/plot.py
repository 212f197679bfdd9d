"""Plots of runs in the terminal."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.text import Text

from nncli.cli.render.boundary import boundary_lines, grid_size
from nncli.cli.render.console import Output
from nncli.cli.render.diagram import MAX_CURVES, Axes, Line, draws_blocks, draws_colors, print_diagram
from nncli.cli.render.format import direction, figure
from nncli.cli.render.plot_tables import heights, show_calibration, show_confusion, show_units, show_weights
from nncli.config.diagnostics import sanitized_line
from nncli.report.curves import MAIN

if TYPE_CHECKING:
    from nncli.report.boundary import Boundary, FittedCurve
    from nncli.report.curves import Curve, Overlay, RunCurves
    from nncli.report.gradients import Gradients
    from nncli.report.residuals import Residuals

NORMS = {"gradient_norm": "norm of the gradient", "update_ratio": "update / weights"}


class PlotPrinter:
    """Prints plots on standard output, with an empty line between them."""

    def __init__(self) -> None:
        self.out, self._count = Output(), 0

    @property
    def grid_size(self) -> tuple[int, int]:
        """The cells of a boundary along x and along y."""
        return grid_size(self.out.width, draws_colors(self.out))

    def show(self, name: str, run: str, epoch: int | None, data: Any) -> None:
        """Print one plot of a run below the name of the run, the epoch of its weights, and the split of its rows.

        Args:
            name: the name of the plot.
            run: the name of the run.
            epoch: the epoch of the weights; None if it shows the whole training.
            data: the data of the plot, as nncli.report.plots has it.
        """
        self._separate()
        first = data[0] if isinstance(data, list) else data
        split = getattr(first, "split", None) or getattr(getattr(first, "points", None), "split", None)
        facts = [*([] if epoch is None else [f"epoch {epoch}"]), *([split] if split else [])]
        heading = f"{run}  ({', '.join(facts)})" if facts else run
        self.out.print(heading, style="bold", soft_wrap=True)
        _SHOWN[name](self.out, data)

    def show_overlays(self, overlays: "Sequence[Overlay]", runs: int) -> None:
        """Print the curves of several runs, one diagram for each column."""
        if runs > MAX_CURVES:
            self.out.print(f"plotting {MAX_CURVES} of {runs} runs")
        for each in overlays:
            self._separate()
            rows = zip(each.runs, each.epochs, each.values, strict=True)
            lines = [Line.of(sanitized_line(name), epochs, values) for name, epochs, values in rows]
            print_diagram(self.out, lines[:MAX_CURVES], f"{each.column} by epoch", Axes(each.is_logarithmic))

    def _separate(self) -> None:
        if self._count:
            self.out.print()
        self._count += 1


def _show_boundary(out: Output, data: "Boundary") -> None:
    out.print(Text("\n").join(boundary_lines(data, draws_colors(out))), soft_wrap=True)


def _show_fit(out: Output, data: "FittedCurve") -> None:
    """Print the outputs by the only input, over the rows of a regression."""
    names = [sanitized_line(name) for name in data.class_names or data.targets]
    labels = [f"P of class {name}" if data.class_names else name for name in names]
    lines = [Line.of(label, data.x, column) for label, column in zip(labels, data.outputs.T, strict=True)]
    if data.points is not None and data.class_names is None:
        inputs = data.points.inputs[:, 0]
        targets = data.points.targets.reshape(len(inputs), -1).T
        rows = [Line.of(f"{name} of the rows", inputs, each, False) for name, each in zip(names, targets, strict=True)]
        lines = [*rows, *lines]
    feature = sanitized_line(data.feature)
    print_diagram(out, lines[:MAX_CURVES], f"{', '.join(names)} by {feature}", Axes(counts=False))


def _show_curves(out: Output, data: "RunCurves") -> None:
    """Print the loss and the first metric, with the best and the kept epoch."""
    if not data.curves:
        out.print("no epoch is logged yet")
    for index, curve in enumerate(data.curves[:MAIN]):
        if index:
            out.print()
        lines = [Line.of(each.column, curve.epochs, each.values) for each in curve.series]
        kept = data.kept_epoch
        is_marked = kept is not None and bool(kept < curve.epochs[-1])
        axes = Axes(curve.is_logarithmic, marks=[float(kept or 0)] * is_marked)
        print_diagram(out, lines, f"{curve.metric} by epoch", axes)
        out.print_text("; ".join(_facts(curve, data, is_marked)))


def _facts(curve: "Curve", data: "RunCurves", is_marked: bool) -> Iterator[str]:
    """The best value and its epoch, the kept epoch, and that of a divergence."""
    last = curve.series[-1]
    if curve.best_epoch is not None:
        best = float(last.values[np.searchsorted(curve.epochs, curve.best_epoch)])
        yield f"best {last.column}{direction(curve.higher_is_better)} {figure(best)} at epoch {curve.best_epoch}"
    if data.kept_epoch is not None:
        yield f"weights kept of epoch {data.kept_epoch}{' (line)' if is_marked else ''}"
    if data.diverged_epoch is not None:
        yield f"diverged at epoch {data.diverged_epoch}"


def _show_residuals(out: Output, data: "Sequence[Residuals]") -> None:
    """Print the residual of each row by its prediction, with the histogram."""
    for index, each in enumerate(data):
        if index:
            out.print()
        line = Line.of("residual = target − prediction", each.predictions, each.residuals, False)
        title = f"residual of {sanitized_line(each.target)} by its prediction"
        print_diagram(out, [line], title, Axes(counts=False, zero=True))
        low, high = (figure(float(each.edges[end]), 3) for end in (0, -1))
        out.print_text(f"rows: {low} {heights(each.counts, draws_blocks(out))} {high}")
        out.print_text(f"mean {figure(each.mean, 3)}, standard deviation {figure(each.deviation, 3)}")


def _show_gradients(out: Output, data: "Gradients") -> None:
    """Print the norm of the gradient, and the updates relative to the weights, of each layer by epoch."""
    for index, (name, title) in enumerate(NORMS.items()):
        if index:
            out.print()
        lines = list(_layer_lines(data, name))
        print_diagram(out, lines[:MAX_CURVES], f"{title} by epoch", Axes(is_logarithmic=True))


def _layer_lines(data: "Gradients", name: str) -> Iterator[Line]:
    """A line for each layer that has these values, where they are positive, as a logarithmic axis needs it."""
    for layer in data.layers:
        values = getattr(layer, name)
        if values is not None:
            known = np.nan_to_num(values) > 0
            yield Line.of(f"layers.{layer.layer} {layer.type}", data.epochs[known], values[known])


_SHOWN: Mapping[str, Callable[[Output, Any], None]] = {
    "boundary": _show_boundary,
    "fit": _show_fit,
    "curves": _show_curves,
    "confusion": show_confusion,
    "calibration": show_calibration,
    "residuals": _show_residuals,
    "weights": show_weights,
    "gradients": _show_gradients,
    "units": show_units,
}
