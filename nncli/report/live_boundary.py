"""The decision boundary of a network while it trains, computed by a second network with a copy of its weights."""

import time
from typing import NamedTuple

import numpy as np

from nncli.data.columns import Number
from nncli.data.preprocessing import Preprocessing
from nncli.experiment.assembly import Experiment, build_network
from nncli.experiment.numerics import allow_non_finite
from nncli.nn.metrics.classification import decision_threshold
from nncli.nn.parameters import Array
from nncli.report.boundary import MARGIN, MAX_POINTS, Boundary, Points, centers
from nncli.report.trained_run import probabilities
from nncli.training.evaluate import examples, predict

PAUSE = 20  # before the next boundary is computed, relative to the time that the last one took
COPY_SECONDS = 0.1  # at least, between two copies of the weights
CELLS_PER_POINT = 10  # more points would hide the boundary


class Weights(NamedTuple):
    """A numbered copy of the weights (P,) of an epoch."""

    number: int
    epoch: int
    values: Array


class LiveBoundary:
    """The boundary for the newest weights, in the scale of the inputs of the network.

    The network that is trained is only read, between two of its steps, so that its results stay the same. The boundary
    may be computed by another thread.

    Args:
        experiment: the experiment; ``has_plane`` holds for it.
    """

    def __init__(self, experiment: Experiment) -> None:
        self._trained, self._network = experiment.network, build_network(experiment.config, 2)
        self._threshold, data = decision_threshold(experiment.metrics.values()), experiment.data["training"]
        self._rows = examples(data.rows(np.arange(0, len(data), -(-len(data) // MAX_POINTS))), self._network)
        self._inputs = np.asarray(self._rows.inputs, np.float64)
        low, high = self._inputs.min(axis=0), self._inputs.max(axis=0)
        margin = MARGIN * np.where(high > low, high - low, 1.0)
        self._low, self._high = low - margin, high + margin
        self._newest = Weights(0, 0, self._trained.parameters.values.copy())
        self._copied, self._due, self._is_last = time.monotonic(), 0.0, False
        self._drawn: Weights | None = None
        self._view: Boundary | None = None

    def update(self, epoch: int, *, is_last: bool = False) -> None:
        """Copy the weights, which are those of this epoch, if the last copy is older than ``COPY_SECONDS``.

        Args:
            epoch: completed epochs.
            is_last: whether no other weights follow, so that these are drawn in any case.
        """
        now = time.monotonic()
        if is_last or now >= self._copied + COPY_SECONDS:
            self._newest = Weights(self._newest.number + 1, epoch, self._trained.parameters.values.copy())
            self._copied, self._is_last = now, is_last

    @property
    def shown(self) -> int:
        """The number of the weights that ``view`` shows now: the newest ones, or the last ones while it pauses."""
        return self._shown.number

    @property
    def _shown(self) -> Weights:
        is_due = self._drawn is None or self._is_last or time.monotonic() >= self._due
        return self._newest if is_due or self._drawn is None else self._drawn

    def view(self, width: int, height: int) -> Boundary:
        """The boundary on a grid of ``width`` × ``height`` cells; a view of the same weights and size is reused."""
        weights, view = self._shown, self._view
        if view is None or weights is not self._drawn or (len(view.x), len(view.y)) != (width, height):
            start = time.monotonic()
            self._view = view = self._computed(weights, width, height)
            self._due = time.monotonic() + PAUSE * (time.monotonic() - start)
            self._drawn = weights
        return view

    @allow_non_finite
    def _computed(self, weights: Weights, width: int, height: int) -> Boundary:
        (left, bottom), (right, top) = self._low, self._high
        x, y = centers(left, right, width), centers(bottom, top, height)
        self._network.parameters.values[...] = weights.values
        plane = np.column_stack([np.tile(x, height), np.repeat(y, width)])
        outputs = predict(self._network, self._rows._replace(inputs=plane))
        classes = self._rows.classes
        values = self._rows.in_target_units(outputs) if classes is None else probabilities(outputs)
        return Boundary(
            features=["", ""],
            x=x,
            y=y,
            outputs=np.nan_to_num(values).reshape(height, width, -1),
            class_names=None if classes is None else list(map(str, range(classes))),
            threshold=self._threshold if classes is not None and outputs.shape[1] == 1 else None,
            targets=[""] * outputs.shape[1],
            points=self._points(width * height // CELLS_PER_POINT),
            epoch=weights.epoch,
        )

    def _points(self, count: int) -> Points:
        """Rows of the training set at equal distances, ``count`` at most."""
        rows = np.arange(0, len(self._inputs), max(1, -(-len(self._inputs) // max(1, count))))
        return Points("training", self._inputs[rows], self._rows.targets[rows], rows)


def has_plane(experiment: Experiment) -> bool:
    """Whether the network has two inputs, which are numbers."""
    columns = experiment.preprocessing.columns.values() if experiment.preprocessing else ()
    is_numeric = not isinstance(experiment.preprocessing, Preprocessing) or all(
        isinstance(column, Number) for column in columns
    )
    return experiment.network.widths[0] == 2 and is_numeric
