"""A decision boundary as lines of text: two pixels in a cell in color, a character for each class without."""

import math
from collections.abc import Iterator
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

import numpy as np
from rich.color import Color
from rich.style import Style
from rich.text import Text

from nncli.cli.render.format import figure
from nncli.config.diagnostics import sanitized_line
from nncli.report.colors import class_colors, strength, viridis

if TYPE_CHECKING:
    from nncli.nn.parameters import Array
    from nncli.report.boundary import Boundary

UPPER_HALF = "▀"
MARKERS = "●▲■◆✚★○△□◇"  # of the rows of each class in color, a second channel beside it
LETTERS = "abcdefghijklmnopqrstuvwxyz"  # of the rows of each class without color
TEXTURES = " .:-=+'\"~^"  # of the area of each class without color
RAMP = " .:-=+*#%@"  # of values without color, from the lowest to the highest
WEAKEST, STRONGEST = 0.15, 0.6  # of a class color in its area; rows have all of it
MARKER_LIGHT = 0.35  # of white in the color of a row, so that it stands out from the area of its own class
MIN_LINES, MAX_LINES = 8, 24
COLUMNS_PER_LINE = 4  # a cell is about twice as high as it is wide
MAX_LABEL = 9  # columns of the numbers on the y axis
LIGHTEST = 255
SHADES = 8  # steps of 255 that a color of an area is rounded to, so that few styles are needed

Rgb = tuple[int, int, int]


def grid_size(width: int, is_colored: bool, lines: int | None = None) -> tuple[int, int]:
    """The cells along x and y of a boundary that is drawn in ``width`` columns.

    Args:
        width: the columns of the terminal.
        is_colored: whether there are two pixels in a line.
        lines: the lines of the plot without labels; by default a third of the width, 24 at most.
    """
    lines = lines or min(max(width // 3, MIN_LINES), MAX_LINES)
    columns = min(max(width - MAX_LABEL - 1, 1), COLUMNS_PER_LINE * lines)
    return columns, lines * (2 if is_colored else 1)


def boundary_lines(view: "Boundary", is_colored: bool) -> list[Text]:
    """The plot with its axes and its legend as lines.

    Args:
        view: the boundary on a grid of ``grid_size`` cells.
        is_colored: whether there are colors; each line then has two rows of the grid.
    """
    rows = area_lines(view, is_colored)
    x, y = _bounds(view.x), _bounds(view.y)
    labels = {0: y[1], len(rows) // 2: (y[0] + y[1]) / 2, len(rows) - 1: y[0]}
    lines = []
    for index, row in enumerate(rows):
        label = axis_label(labels[index], y[1] - y[0]) if index in labels else ""
        lines.append(Text.assemble((f"{label:>{MAX_LABEL}} ", "dim"), row))
    lines.append(Text(f"{'':{MAX_LABEL + 1}}{_axis(x, len(view.x))}", style="dim"))
    names = [sanitized_line(name) for name in view.features]
    return [Text(f"{'':{MAX_LABEL + 1}}{names[1]} ↑  {names[0]} →", style="dim"), *lines, *_legend(view, is_colored)]


def area_lines(view: "Boundary", is_colored: bool) -> list[Text]:
    """The plot without axes; in color each line has two rows of the grid."""
    marks = _marks(view)
    return list(_colored_rows(_pixels(view), marks, view) if is_colored else _plain_rows(view, marks))


def _pixels(view: "Boundary") -> "Array":
    """The color (H, W, 3) of each cell of the grid, the lowest row first."""
    if view.class_names is None:
        return np.asarray(viridis(_fractions(view, view.outputs[..., 0])))
    share = WEAKEST + (STRONGEST - WEAKEST) * strength(view.outputs)
    colors: Array = class_colors(len(view.class_names))[view.classes] * share[..., np.newaxis]
    return colors


def _fractions(view: "Boundary", values: "Array") -> "Array":
    """Values from 0 to 1 on the scale of the values of the grid."""
    low, high = view.outputs[..., 0].min(), view.outputs[..., 0].max()
    return np.asarray(np.clip((values - low) / (high - low if high > low else 1.0), 0, 1))


def _marks(view: "Boundary") -> dict[tuple[int, int], int]:
    """The row of ``view.points`` that is drawn in each cell (y, x) of the grid; of several, the first one."""
    if view.points is None:
        return {}
    indices = []
    for axis, values in zip((view.x, view.y), view.points.inputs.T, strict=True):
        low, high = _bounds(axis)
        indices.append(np.floor((values - low) / (high - low) * len(axis)).astype(np.int64))
    marks: dict[tuple[int, int], int] = {}
    for row, (column, line) in enumerate(zip(*(each.tolist() for each in indices), strict=True)):
        if 0 <= column < len(view.x) and 0 <= line < len(view.y):
            marks.setdefault((line, column), row)
    return marks


def _colored_rows(pixels: "Array", marks: dict[tuple[int, int], int], view: "Boundary") -> Iterator[Text]:
    """Each line with two rows of pixels, upper ones first; a marker where a row of the data is."""
    rounded = np.minimum((pixels / SHADES).round().astype(np.int64) * SHADES, LIGHTEST)
    for upper in range(len(pixels) - 1, 0, -2):
        pairs = zip(map(tuple, rounded[upper].tolist()), map(tuple, rounded[upper - 1].tolist()), strict=True)
        cells = []
        for column, (above, below) in enumerate(pairs):
            row = marks.get((upper, column), marks.get((upper - 1, column)))
            marker, color = (UPPER_HALF, above) if row is None else _marker(view, row)
            cells.append((marker, _style(color, below)))
        line = Text()
        for style, run in groupby(cells, itemgetter(1)):
            line.append("".join(marker for marker, _ in run), style)
        yield line


def _marker(view: "Boundary", row: int) -> tuple[str, Rgb]:
    """The character and the color of a row of the data."""
    assert view.points is not None
    target = view.points.targets[row]
    if view.class_names is None:
        return MARKERS[0], _lightened(viridis(_fractions(view, target[0])))
    return MARKERS[int(target) % len(MARKERS)], _lightened(class_colors(len(view.class_names))[int(target)])


def _lightened(color: "Array") -> Rgb:
    red, green, blue = (color * (1 - MARKER_LIGHT) + LIGHTEST * MARKER_LIGHT).round().astype(np.int64).tolist()
    return red, green, blue


@lru_cache(maxsize=2**14)
def _style(color: Rgb, background: Rgb) -> Style:
    return Style(color=Color.from_rgb(*color), bgcolor=Color.from_rgb(*background))


def _plain_rows(view: "Boundary", marks: dict[tuple[int, int], int]) -> Iterator[Text]:
    """Each row of the grid as a line, the highest first: a texture for each class, and a letter for each row."""
    if view.class_names is None:
        fractions = _fractions(view, view.outputs[..., 0])
        areas, textures = np.rint(fractions * (len(RAMP) - 1)).astype(np.int64), RAMP
    else:
        areas, textures = view.classes % len(TEXTURES), TEXTURES
    for line in range(len(areas) - 1, -1, -1):
        cells = [textures[area] for area in areas[line].tolist()]
        for column in range(len(cells)):
            if (line, column) in marks:
                cells[column] = _letter(view, marks[line, column])
        yield Text("".join(cells))


def _letter(view: "Boundary", row: int) -> str:
    assert view.points is not None
    return "o" if view.class_names is None else LETTERS[int(view.points.targets[row]) % len(LETTERS)]


def _bounds(centers: "Array") -> tuple[float, float]:
    """The outer edges of cells with these centers."""
    half = (centers[-1] - centers[0]) / max(1, len(centers) - 1) / 2
    return float(centers[0] - half), float(centers[-1] + half)


def axis_label(value: float, span: float) -> str:
    """A value on an axis that is ``span`` long, with enough digits to distinguish its values.

    >>> axis_label(-0.004, 2.0), axis_label(1234.5, 2000.0), axis_label(3.2e-9, 1e-8)
    ('0.00', '1234', '3.2e-09')
    """
    decimals = max(0, 2 - math.floor(math.log10(span)))
    text = f"{round(value, decimals) + 0.0:.{decimals}f}"
    return text if len(text) < MAX_LABEL else f"{value:.2g}"


def _axis(bounds: tuple[float, float], width: int) -> str:
    """The lowest, the middle and the highest value, below their positions."""
    span = bounds[1] - bounds[0]
    low, middle, high = (axis_label(each, span) for each in (bounds[0], sum(bounds) / 2, bounds[1]))
    room = width - len(low) - len(high)
    return f"{low}{middle:^{room}}{high}" if room > len(middle) else f"{low} {high}"


def _legend(view: "Boundary", is_colored: bool) -> list[Text]:
    """The names of the classes with their markers, or the lowest and the highest value of the scale."""
    indent = Text(" " * (MAX_LABEL + 1))
    if view.class_names is None:
        low, high = (figure(float(bound(view.outputs[..., 0]))) for bound in (np.min, np.max))
        scale = _scale() if is_colored else Text(RAMP)
        return [Text.assemble(indent, f"{sanitized_line(view.targets[0])} {low} ", scale, f" {high}")]
    drawn = set() if view.points is None else set(view.points.targets.tolist())
    legend = Text()
    for label, name in enumerate(view.class_names):
        color = Style(color=Color.from_rgb(*class_colors(len(view.class_names))[label]))
        mark = MARKERS[label % len(MARKERS)] if is_colored else LETTERS[label % len(LETTERS)]
        area = "" if is_colored else f" on '{TEXTURES[label % len(TEXTURES)]}'"
        sign = mark if label in drawn or is_colored else "area"
        legend.append(f"{'   ' if label else ''}{sign}", color if is_colored else "")
        legend.append(f"{area} {sanitized_line(name)}")
    rows = "" if view.points is None else f"markers: {sanitized_line(view.points.split)} rows"
    certainty = "dark: uncertain" if is_colored else ""
    notes = Text("; ".join(filter(None, (rows, certainty))), style="dim")
    return [indent + legend, *([indent + notes] if notes else [])]


def _scale() -> Text:
    cells = (Text("█", Style(color=Color.from_rgb(*viridis(np.array(each / 9))))) for each in range(10))
    return Text().join(cells)
