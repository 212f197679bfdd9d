"""The plane of two inputs, and a confusion matrix, drawn on parts of a figure of matplotlib."""

from typing import TYPE_CHECKING, Any

import numpy as np

from nncli.cli.render.figure_diagrams import DARK, LONGEST, TALL, color_of, label_of
from nncli.report.colors import class_colors, strength

if TYPE_CHECKING:
    from nncli.report.boundary import Boundary, Points
    from nncli.report.confusion import Confusion

MARKERS = "o^sDPX*v<>"  # of the rows of each class, a second channel beside the color
STRONGEST = 0.75  # of a class color in its area, where the network is certain
LARGE = 0.6  # of viridis from which on black can be read on it, else white
COLUMNS = 3  # of a legend at most; more classes have none
ROWS = 20  # of a legend, and classes up to which a confusion matrix shows zeros
FONT, POINTS = 9, 160  # of a font at most, and of the fonts of all rows of a matrix together
SHORT = 3  # characters of a name that need not be turned


def draw_boundary(part: Any, data: "Boundary") -> float:
    """The areas of the classes, pale where the network is uncertain, with a line between them; or the values."""
    axes = part.subplots()
    (left, right), (bottom, top) = (_edges(values) for values in (data.x, data.y))
    placed: dict[str, Any] = {"origin": "lower", "extent": (left, right, bottom, top), "aspect": "auto"}
    if data.class_names is None:
        image = axes.imshow(data.outputs[..., 0], cmap="viridis", **placed)
        part.colorbar(image, label=label_of(data.targets[0]))
    else:
        share = (STRONGEST * (0.1 + 0.9 * strength(data.outputs)))[..., np.newaxis]
        colors = class_colors(len(data.class_names))[data.classes] * share + 255 * (1 - share)
        axes.imshow(colors.round().astype(np.uint8), **placed)
        for label in np.unique(data.classes).tolist():
            axes.contour(data.x, data.y, (data.classes == label).astype(float), [0.5], colors=DARK, linewidths=0.7)
    if data.points is not None:
        _draw_points(axes, data, data.points)
    axes.set(xlabel=label_of(data.features[0]), ylabel=label_of(data.features[1]))
    return TALL


def _edges(centers: Any) -> tuple[float, float]:
    half = (centers[1] - centers[0]) / 2
    return centers[0] - half, centers[-1] + half


def _draw_points(axes: Any, data: "Boundary", points: "Points") -> None:
    """The rows: a marker for each class, or a color for each value."""
    if data.class_names is None:
        values = data.outputs[..., 0]
        scale = {"vmin": values.min(), "vmax": values.max(), "edgecolors": "white", "linewidths": 0.5}
        axes.scatter(*points.inputs.T, c=points.targets[:, 0], s=14, **scale)
        return
    columns = -(-len(data.class_names) // ROWS)  # of the legend
    for label, name in enumerate(data.class_names):
        rows, marker = points.inputs[points.targets == label], MARKERS[label % len(MARKERS)]
        style = {"color": color_of(label), "edgecolors": DARK, "linewidths": 0.4}
        axes.scatter(*rows.T, s=16, marker=marker, label=label_of(name, LONGEST // columns), **style)
    if columns <= COLUMNS:
        axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1), title=points.split, ncols=columns)


def draw_confusion(part: Any, data: "Confusion") -> float:
    """The matrix with its counts; the shade is the fraction of the rows of the actual class."""
    axes, names = part.subplots(), [label_of(name) for name in data.class_names]
    fractions = data.matrix / np.maximum(1, data.matrix.sum(axis=1, keepdims=True))
    image = axes.imshow(fractions, cmap="viridis", vmin=0, vmax=1)
    turned = {"rotation": 45, "ha": "right"} if max(map(len, names)) > SHORT else {}
    size = min(FONT, POINTS / len(names))
    axes.set_xticks(range(len(names)), names, fontsize=size, **turned)
    axes.set_yticks(range(len(names)), names, fontsize=size)
    for (actual, predicted), count in np.ndenumerate(data.matrix):
        color = "black" if fractions[actual, predicted] > LARGE else "white"
        if count or len(names) <= ROWS:
            axes.text(predicted, actual, str(count), ha="center", va="center", color=color, fontsize=size)
    axes.set(xlabel=f"predicted class ({data.split})", ylabel="actual class")
    part.colorbar(image, label="fraction of the actual class")
    return TALL
