"""The network at several epochs: its decision boundary or fitted curve, and the output of each of its units."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from nncli.experiment.metric_columns import SPLITS
from nncli.nn.layers.dense import Dense
from nncli.nn.network import Network
from nncli.nn.parameters import Array
from nncli.nn.trace import Observer, Operation, forward_methods, observed
from nncli.report.boundary import (
    Boundary,
    Extent,
    FittedCurve,
    Points,
    axes,
    boundary,
    centers,
    extent,
    fitted_curve,
    outputs_for,
    points_of,
)
from nncli.report.curves import run_curves
from nncli.report.page.blocks import Chart, Fit, Plane, Player, Units, base64, epoch_series
from nncli.report.page.comparison import marks_of
from nncli.report.page.words import figure, listed, percent
from nncli.report.trained_run import TrainedRun

SIDE = 72  # cells of a plane in both directions
UNIT_SIDE = 20  # cells of the view of a unit
FIT_WIDTH = 160  # values of a single input
MAX_UNITS = 16  # of a layer whose units are shown
PLANE_BYTES, UNIT_BYTES = 320_000, 200_000  # of the planes of all players, and of the views of the units of one
MAX_FRAMES = 60
MAX_POINTS = 600


class Frames(NamedTuple):
    """A run at several epochs in their order.

    Args:
        final: the run with its final weights.
        epochs: the epochs, that of the final weights among them.
        points: the rows that are drawn.
        extent: what is shown of the inputs.
    """

    final: TrainedRun
    epochs: Sequence[int]
    points: Points | None
    extent: Extent

    def networks(self, epochs: Sequence[int]) -> Iterator[TrainedRun]:
        """The run at some of these epochs; each is dropped before the next one is read, as its arrays are large."""
        for epoch in epochs:
            yield self.final if epoch == self.final.epoch else TrainedRun(self.final.run, epoch)


def player(trained: TrainedRun, snapshots: Sequence[int], split: str | None, players: int = 1) -> Player | None:
    """The network at the epochs of its snapshots; None if it has more than two inputs, or its plane is unknown.

    Args:
        trained: the run with its final weights.
        snapshots: the epochs of its snapshots.
        split: the split whose rows are drawn; None if the data cannot be read.
        players: the number of players in the page, which share its bytes.
    """
    names = axes(trained)
    points = points_of(trained, split) if split and names else None
    shown = extent(trained, points) if names else None
    if shown is None:
        return None
    cells = SIDE * SIDE if len(names) == 2 else FIT_WIDTH
    frames = Frames(trained, _some(snapshots, PLANE_BYTES // (cells * players), trained.epoch), points, shown)
    return (_plane_player if len(names) == 2 else _fit_player)(frames)


def _some(epochs: Sequence[int], count: int, final: int) -> list[int]:
    """At most ``count`` epochs at equal distances, the final one among them."""
    others, count = sorted(set(epochs) - {final}), max(0, min(count, MAX_FRAMES) - 1)
    if len(others) > count:
        others = [others[index] for index in np.linspace(0, len(others) - 1, count).round().astype(int).tolist()]
    return sorted([*others, final])


def _plane_player(frames: Frames) -> Player:
    planes = {each.epoch: boundary(each, SIDE, SIDE, None, frames.extent) for each in frames.networks(frames.epochs)}
    final = planes[frames.final.epoch]
    units = unit_views(frames) if _is_small(frames.final.network) else None
    title = "Decision boundary" if final.class_names else f"Prediction of {final.targets[0]}"
    view = (_class_plane if final.class_names else _value_plane)(list(planes.values()), final, frames)
    return _player(title, _said(final), frames, view, units)


def _player(title: str, message: str, frames: Frames, view: Plane | Fit, units: Units | None) -> Player:
    """A player; its message names its keys if there are several frames."""
    epochs = frames.epochs
    keys = " Space plays; on the slider, arrow keys move by one frame." if len(epochs) > 1 else ""
    start = epochs.index(frames.final.epoch)
    return Player(title, message + keys, epochs, start, view, units, losses(frames.final))


def _said(plane: Boundary) -> str:
    """What share of the plane each class has, in words."""
    if plane.class_names is None:
        values = plane.outputs[..., 0]
        return f"The prediction goes from {figure(values.min())} to {figure(values.max())}."
    shares = np.bincount(plane.classes.ravel(), minlength=len(plane.class_names)) / plane.classes.size
    texts = [f"class {name} {percent(share)}" for name, share in zip(plane.class_names, shares.tolist(), strict=True)]
    strength = "the stronger the color, the more probable the class; lines are the decision boundary"
    return f"Share of the plane: {listed(texts)}; {strength}."


def _class_plane(planes: Sequence[Boundary], final: Boundary, frames: Frames) -> Plane:
    classes = final.outputs.shape[2]
    levels = 256 // classes
    cells = [base64(class_bytes(each, levels)) for each in planes]
    return _plane(final, frames, cells, (levels, 0.0, 1.0))


def class_bytes(plane: Boundary, levels: int) -> Array:
    """A byte for each cell (H, W): ``class × levels + level``, the level of its probability from 1/C to 1."""
    classes, least = plane.classes, 1 / plane.outputs.shape[2]
    probability = np.take_along_axis(plane.outputs, classes[..., np.newaxis], axis=2)[..., 0]
    level = np.rint((probability - least) / (1 - least) * (levels - 1))
    cells: Array = (classes * levels + np.clip(level, 0, levels - 1)).astype(np.uint8)
    return cells


def _value_plane(planes: Sequence[Boundary], final: Boundary, frames: Frames) -> Plane:
    values = [each.outputs[..., 0] for each in planes]
    low, high = float(final.outputs[..., 0].min()), float(final.outputs[..., 0].max())
    if frames.points is not None:
        targets = frames.points.targets.reshape(len(frames.points.targets), -1)[:, 0]
        low, high = min(low, float(targets.min())), max(high, float(targets.max()))
    cells = [base64(value_bytes(each, low, high)) for each in values]
    return _plane(final, frames, cells, (1, low, high))


def value_bytes(values: Array, low: float, high: float) -> Array:
    """Values as bytes from ``low`` to ``high``; those beyond are the nearest of both."""
    scaled = (values - low) / ((high - low) or 1.0) * 255
    return np.rint(np.clip(scaled, 0, 255)).astype(np.uint8)


def _plane(plane: Boundary, frames: Frames, cells: Sequence[str], scale: tuple[int, float, float]) -> Plane:
    (left, bottom), (right, top) = (each.tolist() for each in frames.extent)
    split, names = frames.points.split if frames.points else None, plane.class_names
    width, height, points = len(plane.x), len(plane.y), _points(frames.points)
    return Plane(plane.features, (left, right), (bottom, top), width, height, names, *scale, cells, points, split)


def _points(points: Points | None) -> list[list[float]]:
    """The rows to draw: their inputs and their target."""
    if points is None:
        return []
    step = max(1, -(-len(points.inputs) // MAX_POINTS))
    targets = points.targets.reshape(len(points.targets), -1)[:, 0]
    return [
        [*inputs, target]
        for inputs, target in zip(points.inputs[::step].tolist(), targets[::step].tolist(), strict=True)
    ]


def _fit_player(frames: Frames) -> Player:
    curves = {each.epoch: fitted_curve(each, FIT_WIDTH, None, frames.extent) for each in frames.networks(frames.epochs)}
    final = curves[frames.final.epoch]
    target = "probability" if final.class_names else listed(final.targets)
    points = _points(frames.points) if final.class_names is None else []
    split = frames.points.split if frames.points and points else None
    names = final.class_names or [f"prediction of {name}" for name in final.targets]
    view = Fit(final.feature, target, names, final.x, [each.outputs.T for each in curves.values()], points, split)
    return _player("Fitted curve", _fit_said(final), frames, view, None)


def _fit_said(curve: FittedCurve) -> str:
    low, high = figure(float(curve.outputs.min())), figure(float(curve.outputs.max()))
    return (
        f"For {curve.feature} from {figure(curve.x[0])} to {figure(curve.x[-1])} the outputs go from {low} to {high}."
    )


def losses(trained: TrainedRun) -> Chart | None:
    """The losses by epoch, with the epoch that a player shows."""
    curves = run_curves(trained.run)
    curve = curves.of("loss")
    if curve is None or not len(curve.epochs):
        return None
    series = [
        epoch_series(f"{each.split} loss", curve.epochs, each.values, dash, dash)
        for each in curve.series
        for dash in [SPLITS.index(each.split or SPLITS[0])]
    ]
    message = "The vertical line is at the epoch that is shown."
    return Chart("Losses", message, "epoch", "loss", series, marks_of(curves), curve.is_logarithmic)


def _is_small(network: Network) -> bool:
    """Whether all hidden layers have few units."""
    dense = [layer for layer in network.layers if isinstance(layer, Dense)]
    return len(dense) > 1 and all(layer.weights.shape[1] <= MAX_UNITS for layer in dense[:-1])


class _Outputs(Observer):
    """Collects the outputs of some layers over the chunks of a prediction."""

    def __init__(self, layers: Sequence[int]) -> None:
        self.chunks: dict[int, list[Array]] = {index: [] for index in layers}

    def after(self, operation: Operation, result: Any) -> None:
        """Copy the outputs of a layer."""
        if operation.layer in self.chunks:
            self.chunks[operation.layer].append(np.array(result, np.float64))

    def of(self, layer: int, rows: int) -> Array:
        """The outputs (N, M) of a layer, without the rows that fill the last chunk."""
        return np.concatenate(self.chunks[layer])[:rows]


def unit_views(frames: Frames) -> Units:
    """The output of each unit before a dense layer, and each output of the network, over the plane.

    There may be fewer views than frames; a frame has the views of the nearest epoch.
    """
    network, config = frames.final.network, frames.final.run.config
    dense = [index for index, layer in enumerate(network.layers) if isinstance(layer, Dense)]
    shown = [*(index - 1 for index in dense[1:]), len(network.layers) - 1]
    units = [network.widths[index + 1] for index in shown]
    some = np.array(_some(frames.epochs, UNIT_BYTES // (sum(units) * UNIT_SIDE**2), frames.final.epoch))
    views, weights = [], []
    for each in frames.networks(some.tolist()):
        views.append(_views(each, shown, frames.extent))
        weights.append(_weights(each.network, dense))
    nearest = [int(np.abs(some - epoch).argmin()) for epoch in frames.epochs]
    layers = [*(config.layers[index].type for index in shown[:-1]), "outputs"]
    outputs = frames.final.class_names or frames.final.targets
    return Units(UNIT_SIDE, axes(frames.final), outputs, layers, units, views, weights, nearest)


def _views(trained: TrainedRun, layers: Sequence[int], shown: Extent) -> str:
    """The views of all units, each from its lowest to its highest value, as base64."""
    x, y = (centers(*bounds, UNIT_SIDE) for bounds in zip(*shown, strict=True))
    inputs = np.column_stack([np.tile(x, UNIT_SIDE), np.repeat(y, UNIT_SIDE)])
    observer, network = _Outputs(layers), trained.network.inference or trained.network
    with network.without_replicas(), observed(forward_methods(network), observer):
        outputs_for(trained, inputs)
    values = np.concatenate([observer.of(index, len(inputs)).T for index in layers])
    low, high = values.min(axis=1, keepdims=True), values.max(axis=1, keepdims=True)
    spread = np.where(high > low, high - low, 1.0)
    return base64(np.rint((values - low) / spread * 255))


def _weights(network: Network, dense: Sequence[int]) -> list[list[float]]:
    """The weights of each dense layer, row-major, to three digits, which is more than a line's width can show."""
    layers = [network.layers[index] for index in dense]
    return [
        [float(f"{value:.3g}") for value in layer.weights.ravel().tolist()]
        for layer in layers
        if isinstance(layer, Dense)
    ]
