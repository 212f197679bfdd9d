"""The pictures of a run by name: the data of each, as one value, for every way of showing it."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from nncli.errors import CommandLineError, NncliError
from nncli.report.boundary import Boundary, Extent, FittedCurve, Points, axes, boundary, extent, fitted_curve, points_of
from nncli.report.calibration import calibration_of
from nncli.report.confusion import confusion_of
from nncli.report.curves import run_curves
from nncli.report.gradients import gradients_of
from nncli.report.residuals import residuals_of
from nncli.report.trained_run import TrainedRun
from nncli.report.units import units_of
from nncli.report.weights import weight_histograms
from nncli.store.checkpoint import checkpoints

BOUNDARY, FIT, CURVES = "boundary", "fit", "curves"
BY_EPOCH = {CURVES, "gradients"}  # pictures of the whole training, not of the weights of one epoch
FIT_POINTS = 200


class Wish(NamedTuple):
    """What is to be shown.

    Args:
        split: the split whose rows are shown; None for that of each picture.
        width: the cells of a boundary to the right.
        height: the cells of a boundary upwards.
    """

    split: str | None = None
    width: int = 64
    height: int = 64


class Lacking(NamedTuple):
    """Why a run does not have a picture.

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


def _boundary(trained: TrainedRun, wish: Wish) -> Boundary | Lacking:
    if len(axes(trained)) != 2:
        return NO_PLANE
    return boundary(trained, wish.width, wish.height, *_rows_and_extent(trained, wish.split))


def _fit(trained: TrainedRun, wish: Wish) -> FittedCurve | Lacking:
    if len(axes(trained)) != 1:
        return NO_PLANE
    return fitted_curve(trained, FIT_POINTS, *_rows_and_extent(trained, wish.split))


NO_PLANE = Lacking("its inputs are not one or two numbers; use --curves")
CLASSIFIER, REGRESSION = (
    Lacking("a regression has no classes; use --residuals"),
    Lacking("a classifier has no residuals"),
)
UNRECORDED = Lacking("it has no health.csv: it was trained by nncli before 0.9")
PICTURES: Mapping[str, Callable[[TrainedRun, Wish], Any]] = {
    BOUNDARY: _boundary,
    FIT: _fit,
    CURVES: lambda trained, _: run_curves(trained.run),
    "confusion": lambda trained, wish: confusion_of(trained, wish.split) or CLASSIFIER,
    "calibration": lambda trained, wish: calibration_of(trained, wish.split) or CLASSIFIER,
    "residuals": lambda trained, wish: residuals_of(trained, wish.split) or REGRESSION,
    "weights": lambda trained, _: weight_histograms(trained),
    "gradients": lambda trained, _: gradients_of(trained.run) or UNRECORDED,
    "units": lambda trained, _: units_of(trained) or Lacking("it has no hidden activation layer"),
}


def picture(name: str, trained: TrainedRun, wish: Wish) -> Any:
    """The data of a picture.

    Args:
        name: one of ``PICTURES``.
        trained: the run.
        wish: what is to be shown.

    Raises:
        CommandLineError: the run has no such picture, or no such split.
        RunError, SourceError: a file of the run, or its data, cannot be read.
    """
    found = PICTURES[name](trained, wish)
    if isinstance(found, Lacking):
        raise CommandLineError(f"{trained.run.path}: has no picture {name!r}: {found.reason}")
    return found


def epoch_of(name: str, trained: TrainedRun) -> int | None:
    """The epoch of the weights that a picture shows; None if it shows the whole training."""
    return None if name in BY_EPOCH else trained.epoch


def resolved(name: str | None, trained: TrainedRun) -> str:
    """The name of a picture, which is that of the fitted curve instead of a boundary if there is a single input.

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
