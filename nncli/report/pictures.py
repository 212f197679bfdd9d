"""The pictures of a run by name: the data of each, as one value, for every way of showing it."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from nncli.errors import CommandLineError, NncliError
from nncli.report.boundary import Boundary, FittedCurve, axes, boundary, extent, fitted_curve, points_of
from nncli.report.calibration import calibration_of
from nncli.report.confusion import confusion_of
from nncli.report.curves import run_curves
from nncli.report.gradients import gradients_of
from nncli.report.residuals import residuals_of
from nncli.report.trained_run import TrainedRun
from nncli.report.units import units_of
from nncli.report.weights import weight_histograms

BOUNDARY, CURVES = "boundary", "curves"


class Wish(NamedTuple):
    """What is to be shown.

    Args:
        split: the split whose rows are shown; None for that of each picture.
        width: the cells of a boundary to the right, or the points of a fitted curve.
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


def plane(trained: TrainedRun, wish: Wish) -> Boundary | FittedCurve | Lacking:
    """The decision boundary of two inputs, or the fitted curve of one, with the rows if they can be read."""
    names = axes(trained)
    if not names:
        return Lacking("its inputs are not one or two numbers; use --curves")
    try:
        points = points_of(trained, wish.split)
    except CommandLineError:
        raise
    except NncliError as error:
        if extent(trained, None) is None:
            raise
        points, trained.problem = None, str(error)
    shown = extent(trained, points)
    assert shown is not None
    if len(names) == 1:
        return fitted_curve(trained, wish.width, points, shown)
    return boundary(trained, wish.width, wish.height, points, shown)


CLASSIFIER, REGRESSION = (
    Lacking("a regression has no classes; use --residuals"),
    Lacking("a classifier has no residuals"),
)
UNRECORDED = Lacking("it has no health.csv: it was trained by nncli before 0.9")
PICTURES: Mapping[str, Callable[[TrainedRun, Wish], Any]] = {
    BOUNDARY: plane,
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
        raise CommandLineError(f"{trained.run.path}: no {name}: {found.reason}")
    return found


def default_picture(trained: TrainedRun) -> str:
    """The boundary if there are one or two inputs that are numbers, else the curves."""
    return BOUNDARY if axes(trained) else CURVES
