"""The outputs of a network over the plane of two inputs, or over the values of a single input."""

from typing import Any, NamedTuple

import numpy as np

from nncli.data.array_preprocessing import ArrayPreprocessing
from nncli.data.columns import Number
from nncli.data.lazy_rows import RawRows
from nncli.data.preprocessing import Preprocessing
from nncli.data.table import Table
from nncli.nn.parameters import Array
from nncli.report.trained_run import TrainedRun

MARGIN = 0.05  # of the range of the rows, on each side of them
MAX_POINTS = 2000  # rows that are drawn; of more, some at equal distances


class Points(NamedTuple):
    """Rows of a split, in the unit of the data; of many rows, some at equal distances.

    Args:
        split: its name.
        inputs: (n, D) with D = 1 or 2.
        targets: class labels (n,), or values (n, M).
        rows: the indices (n,) of these rows in the split.
    """

    split: str
    inputs: Array
    targets: Array
    rows: Array


class Boundary(NamedTuple):
    """The outputs of the network on a grid of the plane of two inputs.

    Args:
        features: the names of the inputs, of the x axis and of the y axis.
        x: the x coordinates (W,) of the centers of the cells, in the unit of the first input.
        y: the y coordinates (H,) of the centers of the cells, in the unit of the second input.
        outputs: the probability (H, W, C) of each class, or the values (H, W, M) of a regression in its unit.
        class_names: the names of the C classes; None for a regression.
        threshold: the decision threshold for class 1 of a network with a single output; None with more.
        targets: the names of the targets.
        points: the rows; None if the data cannot be read.
        epoch: the epoch of the weights.
    """

    features: list[str]
    x: Array
    y: Array
    outputs: Array
    class_names: list[str] | None
    threshold: float | None
    targets: list[str]
    points: Points | None
    epoch: int

    @property
    def classes(self) -> Array:
        """The predicted class of each cell (H, W), as ``nncli predict`` predicts it; of a classifier only."""
        if self.threshold is not None:
            predicted: Array = (self.outputs[..., 1] > self.threshold).astype(np.int64)
            return predicted
        return np.asarray(np.argmax(self.outputs, axis=2))


class FittedCurve(NamedTuple):
    """The outputs of the network for values of its only input.

    Args:
        feature: the name of the input.
        x: its values (W,), in its unit.
        outputs: the probability (W, C) of each class, or the values (W, M) of a regression in its unit.
        class_names: the names of the C classes; None for a regression.
        targets: the names of the targets.
        points: the rows; None if the data cannot be read.
        epoch: the epoch of the weights.
    """

    feature: str
    x: Array
    outputs: Array
    class_names: list[str] | None
    targets: list[str]
    points: Points | None
    epoch: int


class Extent(NamedTuple):
    """The range of the inputs that a plot shows: the lowest and the highest values (D,)."""

    low: Array
    high: Array


def axes(trained: TrainedRun) -> list[str]:
    """The names of the inputs if they are one or two numbers, whose plane can be drawn; else none."""
    predictor = trained.predictor
    preprocessing, names = predictor.predictor.preprocessing, list(predictor.feature_names)
    columns = preprocessing.columns.values() if isinstance(preprocessing, Preprocessing) else ()
    is_numeric = all(isinstance(column, Number) for column in columns)
    return names if len(names) in {1, 2} and is_numeric else []


def boundary(trained: TrainedRun, width: int, height: int, points: Points | None, extent: Extent) -> Boundary:
    """The outputs of the network on a grid of cells of the plane of its two inputs.

    Args:
        trained: the run; ``axes`` has two names.
        width: W, the number of cells along x.
        height: H, the number of cells along y.
        points: the rows to draw.
        extent: the range of the inputs, as ``extent`` computes it.
    """
    (left, bottom), (right, top) = extent
    x, y = centers(left, right, width), centers(bottom, top, height)
    inputs = np.column_stack([np.tile(x, height), np.repeat(y, width)])
    outputs = outputs_for(trained, inputs).reshape(height, width, -1)
    single = trained.class_names is not None and trained.network.widths[-1] == 1
    threshold = trained.threshold if single else None
    names = trained.class_names, threshold, trained.targets
    return Boundary(axes(trained), x, y, outputs, *names, points, trained.epoch)


def fitted_curve(trained: TrainedRun, width: int, points: Points | None, extent: Extent) -> FittedCurve:
    """The outputs of the network for values of its only input; ``axes`` has one name."""
    x = centers(extent.low[0], extent.high[0], width)
    outputs = outputs_for(trained, x[:, np.newaxis]).reshape(width, -1)
    return FittedCurve(axes(trained)[0], x, outputs, trained.class_names, trained.targets, points, trained.epoch)


def centers(low: float, high: float, count: int) -> Array:
    """The centers (count,) of cells of equal width from ``low`` to ``high``."""
    values: Array = low + (np.arange(count) + 0.5) * ((high - low) / count)
    return values


def outputs_for(trained: TrainedRun, inputs: Array) -> Array:
    """Probabilities (N, C) or values (N, M) of rows (N, D) in the unit of the data, as ``nncli predict`` has them."""
    predictor, preprocessing = trained.predictor, trained.predictor.predictor.preprocessing
    if isinstance(preprocessing, ArrayPreprocessing) and preprocessing.dtype.kind in "iu":
        limits = np.iinfo(preprocessing.dtype)
        inputs = np.clip(np.rint(inputs), limits.min, limits.max)
    if predictor.class_names is not None:
        return predictor.predict_proba(inputs)
    return predictor.predict(inputs).reshape(len(inputs), -1)


def points_of(trained: TrainedRun, split: str | None = None) -> Points:
    """Rows of a split in the unit of the data; those with a missing input are left out.

    Args:
        trained: the run; ``axes`` has one or two names.
        split: the split; by default the training set.

    Raises:
        CommandLineError: the run does not have the split.
        RunError, SourceError: the data cannot be read, or differs from that of the training.
    """
    split = trained.require_split(split or "training")
    targets = trained.experiment.data[split].targets
    inputs = raw_columns(trained.raw(split), axes(trained))
    known = np.flatnonzero(np.isfinite(inputs).all(axis=1))
    step = max(1, -(-len(known) // MAX_POINTS))
    return Points(split, inputs[known[::step]], targets[known[::step]], known[::step])


def raw_columns(raw: Any, names: list[str]) -> Array:
    """The values (N, D) of columns of numbers in the unit of the data."""
    if isinstance(raw, Table):
        return np.column_stack([raw.values(name) for name in names])
    return np.asarray(raw.read(slice(None)) if isinstance(raw, RawRows) else raw, np.float64)


def extent(trained: TrainedRun, points: Points | None) -> Extent | None:
    """The range of the rows with a margin; that of the training rows if there are no rows; None if it is unknown."""
    if points is not None and len(points.inputs):
        low, high = points.inputs.min(axis=0), points.inputs.max(axis=0)
    else:
        preprocessing = trained.predictor.predictor.preprocessing
        columns = preprocessing.columns.values() if preprocessing else ()
        ranges = [column.training_range for column in columns]
        if not ranges or None in ranges:
            return None
        low, high = np.array(ranges, np.float64).T
    margin = MARGIN * np.where(high > low, high - low, 1.0)
    return Extent(low - margin, high + margin)
