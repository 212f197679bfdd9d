"""The plots of a run by name: the data of each, for the terminal, for files and as JSON."""

from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

from nncli.errors import CommandLineError, NncliError
from nncli.report.boundary import Boundary, Extent, FittedCurve, Points, axes, boundary, extent, fitted_curve, points_of
from nncli.report.calibration import calibration_of
from nncli.report.confusion import confusion_of
from nncli.report.curves import RunCurves, run_curves
from nncli.report.gradients import gradients_of
from nncli.report.residuals import residuals_of
from nncli.report.trained_run import TrainedRun
from nncli.report.units import units_of
from nncli.report.weights import weight_histograms
from nncli.store.checkpoint import checkpoints

BOUNDARY, FIT, CURVES = "boundary", "fit", "curves"
BY_EPOCH = {CURVES, "gradients"}  # plots of the whole training, not of the weights of one epoch
OF_ROWS = {BOUNDARY, FIT, "confusion", "calibration", "residuals"}  # plots that show the rows of a split
FIT_POINTS = 200


class PlotOptions(NamedTuple):
    """What a plot shows.

    Args:
        split: the split whose rows are shown; None for that of each plot.
        width: the number of columns of the grid of a boundary.
        height: the number of rows of the grid of a boundary.
    """

    split: str | None = None
    width: int = 64
    height: int = 64


class Unavailable(NamedTuple):
    """Why a run does not have a plot.

    Args:
        reason: why.
    """

    reason: str


def _rows_and_extent(trained: TrainedRun, split: str | None) -> tuple[Points | None, Extent]:
    """The rows to draw, and what is shown of the inputs; without rows if they cannot be read."""
    try:
        points = points_of(trained, split)
    except CommandLineError:
        raise
    except NncliError as error:
        known = extent(trained, None)
        if known is None:
            raise
        trained.problem = f"drawn without rows: {error}"
        return None, known
    found = extent(trained, points)
    assert found is not None  # there are training rows
    return points, found


def _boundary(trained: TrainedRun, options: PlotOptions) -> Boundary | Unavailable:
    if len(axes(trained)) != 2:
        return NO_PLANE
    return boundary(trained, options.width, options.height, *_rows_and_extent(trained, options.split))


def _fit(trained: TrainedRun, options: PlotOptions) -> FittedCurve | Unavailable:
    if len(axes(trained)) != 1:
        return NO_PLANE
    return fitted_curve(trained, FIT_POINTS, *_rows_and_extent(trained, options.split))


def curves_of(trained: TrainedRun) -> RunCurves:
    """The curves of a run, under its label."""
    return run_curves(trained.run)._replace(run=trained.label)


NO_PLANE = Unavailable("its inputs are not one or two numbers; use --curves")
CLASSIFIER, REGRESSION = (
    Unavailable("a regression has no classes; use --residuals"),
    Unavailable("a classifier has no residuals"),
)
UNRECORDED = Unavailable("it has no health.csv: it was trained by nncli before 0.9")
PLOTS: Mapping[str, Callable[[TrainedRun, PlotOptions], Any]] = {
    BOUNDARY: _boundary,
    FIT: _fit,
    CURVES: lambda trained, _: curves_of(trained),
    "confusion": lambda trained, options: confusion_of(trained, options.split) or CLASSIFIER,
    "calibration": lambda trained, options: calibration_of(trained, options.split) or CLASSIFIER,
    "residuals": lambda trained, options: residuals_of(trained, options.split) or REGRESSION,
    "weights": lambda trained, _: weight_histograms(trained),
    "gradients": lambda trained, _: gradients_of(trained.run) or UNRECORDED,
    "units": lambda trained, _: units_of(trained) or Unavailable("it has no hidden activation layer"),
}


def plot_data(name: str, trained: TrainedRun, options: PlotOptions) -> Any:
    """The data of a plot.

    Args:
        name: one of ``PLOTS``.
        trained: the run.
        options: what the plot shows.

    Raises:
        CommandLineError: the run has no such plot, or no such split.
        RunError, SourceError: a file of the run, or its data, cannot be read.
    """
    found = PLOTS[name](trained, options)
    if isinstance(found, Unavailable):
        raise CommandLineError(f"{trained.run.path}: has no plot {name!r}: {found.reason}")
    return found


def epoch_of(name: str, trained: TrainedRun) -> int | None:
    """The epoch of the weights that a plot shows; None if it shows the whole training."""
    return None if name in BY_EPOCH else trained.epoch


def require_effect(names: Collection[str], epoch: int | None, split: str | None) -> None:
    """Require that a plot shows the epoch and the split that are given.

    Raises:
        CommandLineError: no plot does.
    """
    if epoch is not None and set(names) <= BY_EPOCH:
        raise CommandLineError(f"--epoch: {' and '.join(names)} show all epochs; leave it out")
    if split is not None and not set(names) & OF_ROWS:
        suited = ", ".join(f"--{name}" for name in sorted(OF_ROWS - {FIT}))
        raise CommandLineError(f"--split: {' and '.join(names)} show no rows of a split; it is for {suited}")


def plot_name(name: str | None, trained: TrainedRun) -> str:
    """The name of a plot; a boundary of a single input is a fitted curve.

    By default it is the boundary or the fitted curve if there are one or two inputs that are numbers, else the curves,
    as for a run that has no weights yet.

    Raises:
        DivergedError, RunError: the network cannot be used.
    """
    if name not in {None, BOUNDARY}:
        return str(name)
    if name is None and trained.run.evaluation is None and not checkpoints(trained.run.path):
        return CURVES
    inputs = len(axes(trained))
    return FIT if inputs == 1 else BOUNDARY if inputs or name else CURVES
