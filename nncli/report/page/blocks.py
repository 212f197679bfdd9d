"""What a report is made of, as plain data: sections of blocks, each with a title and a message.

The script of the page has one function for each kind of block, which draws it and lists its data as a table.
"""

import math
from base64 import b64encode
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from nncli.config.diagnostics import sanitized_line
from nncli.nn.parameters import Array

FEW = 12  # logged epochs
MAX_EPOCHS = 2000  # whose values are drawn, and listed


class Column(NamedTuple):
    """A column of a table: its name, and whether its cells are text, numbers, bars from 0, or lines of code."""

    name: str
    kind: str = "text"


class Text(NamedTuple):
    """Sentences; each of the second kind is a warning."""

    title: str
    sentences: Sequence[str]
    warnings: Sequence[str] = ()


class Table(NamedTuple):
    """A table; a cell is None if there is no value."""

    title: str
    message: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Any]]


class Series(NamedTuple):
    """Points of a chart.

    Args:
        name: what the points are.
        x: their positions.
        y: their values; not finite where there is none.
        style: line, points, marked (both) or bars, whose x are the edges: one more than there are values.
        color: the index of the color.
        dash: the index of the dash of a line, or of the shape of points.
    """

    name: str
    x: Any
    y: Any
    style: str = "line"
    color: int = 0
    dash: int = 0


class Mark(NamedTuple):
    """A vertical line in a chart, with its label."""

    x: float
    label: str


class Chart(NamedTuple):
    """Series over one axis, with linear and logarithmic scale, hover and zoom.

    Args:
        title: what is shown.
        message: what it shows, as text.
        x: the name of the horizontal axis.
        y: the name of the vertical axis.
        series: the series.
        marks: vertical lines.
        is_logarithmic: whether the scale is logarithmic at first; that needs positive values.
        diagonal: whether y = x is drawn.
        unit: whether both axes are from 0 to 1.
    """

    title: str
    message: str
    x: str
    y: str
    series: Sequence[Series]
    marks: Sequence[Mark] = ()
    is_logarithmic: bool = False
    diagonal: bool = False
    unit: bool = False


class Matrix(NamedTuple):
    """A confusion matrix: how many rows of each class (down) are predicted as each class (across)."""

    title: str
    message: str
    names: Sequence[str]
    counts: Any


class Plane(NamedTuple):
    """The outputs of a network over a plane, at each frame of a player.

    A byte of a classifier is ``class × levels + level``, where the level is the probability of the class from 1/C to 1;
    a byte of a regression is the value from ``low`` to ``high``. Rows of cells begin at the bottom.

    Args:
        features: the names of both inputs.
        x: the lower and the upper end to the right.
        y: the lower and the upper end upwards.
        width: the number of cells to the right.
        height: the number of cells upwards.
        names: the classes; None for a regression.
        levels: the number of levels of a class.
        low: the value of byte 0.
        high: the value of byte 255.
        frames: the cells of each frame, as base64.
        points: the rows: x, y, and the class or the value.
        split: the split of the rows.
    """

    features: Sequence[str]
    x: Sequence[float]
    y: Sequence[float]
    width: int
    height: int
    names: Sequence[str] | None
    levels: int
    low: float
    high: float
    frames: Sequence[str]
    points: Sequence[Sequence[float]]
    split: str | None


class Fit(NamedTuple):
    """The outputs of a network for the values of its single input, at each frame of a player.

    Args:
        feature: the name of the input.
        target: the name of what is predicted.
        names: the name of each output.
        x: the values of the input.
        frames: the outputs (M, W) of each frame.
        points: the rows: x and y.
        split: the split of the rows.
    """

    feature: str
    target: str
    names: Sequence[str]
    x: Any
    frames: Sequence[Any]
    points: Sequence[Sequence[float]]
    split: str | None


class Units(NamedTuple):
    """The outputs of the units of a network over a plane, at some epochs.

    Args:
        size: the number of cells of a view in both directions.
        inputs: the names of the inputs.
        outputs: the names of the outputs.
        layers: the name of each layer, from the first hidden one to the outputs.
        units: the number of units of each layer.
        frames: the views of each epoch, unit by unit, as base64; of each unit from its lowest to its highest value.
        weights: the weights of each epoch from each layer to the next one, row-major, as lists of numbers.
        nearest: for each frame of a player, the index of the nearest of these epochs.
    """

    size: int
    inputs: Sequence[str]
    outputs: Sequence[str]
    layers: Sequence[str]
    units: Sequence[int]
    frames: Sequence[str]
    weights: Sequence[Sequence[Sequence[float]]]
    nearest: Sequence[int]


class Player(NamedTuple):
    """A network at several epochs, one frame each, next to its losses.

    Args:
        title: what is shown.
        message: what it shows, as text.
        epochs: the epochs of the frames.
        start: the index of the frame with the final weights, which is shown first.
        view: what is drawn.
        units: the output of each unit; None if the network is too large.
        losses: a chart of the losses; None if there are none.
    """

    title: str
    message: str
    epochs: Sequence[int]
    start: int
    view: Plane | Fit
    units: Units | None
    losses: Chart | None


class Image(NamedTuple):
    """An image of bytes, as base64: gray or RGB, or diverging from the middle of the range."""

    width: int
    height: int
    form: str
    pixels: str
    caption: str


class Images(NamedTuple):
    """Images with their captions, and what is known of each of them as the rows of a table."""

    title: str
    message: str
    images: Sequence[Image]
    columns: Sequence[Column]
    rows: Sequence[Sequence[Any]]


class Commands(NamedTuple):
    """Commands to copy."""

    title: str
    message: str
    lines: Sequence[str]


Block = Text | Table | Chart | Matrix | Player | Images | Commands


class Section(NamedTuple):
    """A part of a report, with a heading."""

    name: str
    title: str
    blocks: Sequence[Block]


class Report(NamedTuple):
    """A report: its title, what it is of, its sections, and the version that made it."""

    title: str
    subtitle: str
    sections: Sequence[Section]
    version: str


def epoch_series(name: str, epochs: Array, values: Array, color: int, dash: int) -> Series:
    """Values by epoch, with points if they are few.

    Of more than ``MAX_EPOCHS`` epochs those at equal distances are taken, and the last one.
    """
    step = max(1, -(-len(epochs) // MAX_EPOCHS))
    chosen = sorted({*range(0, len(epochs), step), *range(len(epochs))[-1:]})
    return Series(name, epochs[chosen], values[chosen], "line" if len(epochs) > FEW else "marked", color, dash)


def base64(values: Array) -> str:
    """Bytes as base64."""
    return b64encode(np.ascontiguousarray(values, np.uint8).tobytes()).decode()


def as_json(value: Any) -> Any:
    """A block as JSON values; each block has its kind.

    Numbers that are not finite become null, and control characters in texts become �.
    """
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        kind = type(value).__name__.lower()
        return {"kind": kind, **{name: as_json(each) for name, each in value._asdict().items()}}
    if isinstance(value, np.ndarray | np.generic):
        return as_json(value.tolist())
    if isinstance(value, list | tuple):
        return [as_json(each) for each in value]
    if isinstance(value, str):
        return sanitized_line(value)
    return None if isinstance(value, float) and not math.isfinite(value) else value
