"""Curves over the epochs in a few lines of text, cheap enough to draw often: braille in color, else letters."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rich.text import Text

from nncli.cli.render.format import figure

DECADE = 10  # ratio of the largest to the smallest value from which a scale is logarithmic
DOTS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])  # of a braille character, by row and column
BRAILLE, BLANK = 0x2800, ord(" ")
DIGITS = 3  # of the values at the axis


class Curve(NamedTuple):
    """A curve.

    Args:
        label: its name, written at its end; the first letter draws it without colors.
        style: its color.
        epochs: N epochs, increasing.
        values: N finite values.
    """

    label: str
    style: str
    epochs: Sequence[int]
    values: Sequence[float]


class Axis(NamedTuple):
    """The vertical axis: its ends, and whether its scale is logarithmic."""

    low: float
    high: float
    is_logarithmic: bool

    def heights(self, values: NDArray[Any]) -> NDArray[Any]:
        """Where values are between the ends, from 0 to 1; a constant is in the middle."""
        low, high, values = np.float64(self.low), np.float64(self.high), np.asarray(values, np.float64)
        if self.is_logarithmic:
            low, high, values = np.log(low), np.log(high), np.log(np.maximum(values, self.low))
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            heights = (values - low) / (high - low)
        return np.clip(np.nan_to_num(heights, nan=0.5), 0, 1)


def axis_of(curves: Sequence[Curve]) -> Axis:
    """The axis of all values; logarithmic if the positive ones span a decade and none is negative."""
    values = np.concatenate([np.asarray(curve.values, np.float64) for curve in curves])
    low, high, positive = float(values.min()), float(values.max()), values[values > 0]
    smallest = float(positive.min()) if positive.size else high
    is_logarithmic = low >= 0 and smallest > 0 and high / smallest >= DECADE
    return Axis(smallest if is_logarithmic else low, high, is_logarithmic)


def diagram(
    curves: Sequence[Curve], name: str, width: int, height: int, *, is_colored: bool, unit: str = "epoch"
) -> list[Text]:
    """The lines of a diagram: ``height`` lines of curves, and one with the first and the last epoch.

    Args:
        curves: those to draw, each with at least one point; the first is on top.
        name: what is drawn, written beside the axis.
        width: columns of a line.
        height: lines of the curves, at least 2.
        is_colored: whether the terminal shows colors.
        unit: what is counted from left to right.
    """
    axis = axis_of(curves)
    left = _axis_labels(axis, name, height)
    gutter = max(map(len, left)) + 1
    columns = width - gutter - max(len(curve.label) for curve in curves) - 1
    ends = min(curve.epochs[0] for curve in curves), max(curve.epochs[-1] for curve in curves)
    lines = [Text.assemble((f"{label:>{gutter - 1}} ", "dim")) for label in left]
    canvas = _Canvas(columns, height, is_colored)
    for curve in reversed(curves):
        canvas.draw(curve, axis, ends)
    for line, drawn, label in zip(lines, canvas.lines(), _end_labels(curves, axis, height), strict=True):
        line.append_text(drawn).append_text(label)
    first, last = map(str, ends)
    room = max(0, columns - len(first))
    lines.append(
        Text(f"{'':{gutter}}{first}{f' {unit} {last}' if room > len(last) + len(unit) + 1 else last:>{room}}", "dim")
    )
    return lines


def _axis_labels(axis: Axis, name: str, height: int) -> list[str]:
    """The text beside each line: the ends of the axis, and between them the name and the kind of scale."""
    labels = [""] * height
    labels[0], labels[-1] = figure(axis.high, DIGITS), figure(axis.low, DIGITS)
    if height > 2:
        labels[height // 2 - (height > 3)] = name if height > 3 or not axis.is_logarithmic else f"log {name}"
    if height > 3 and axis.is_logarithmic:
        labels[height // 2] = "(log)"
    return labels


def _end_labels(curves: Sequence[Curve], axis: Axis, height: int) -> list[Text]:
    """The name of each curve, in the line in which it ends, or in the nearest one that is free."""
    labels = [Text() for _ in range(height)]
    for curve in curves:
        line = round(float(1 - axis.heights(np.array(curve.values[-1:]))[0]) * (height - 1))
        nearest = sorted(range(height), key=lambda index, line=line: abs(index - line))  # type: ignore[misc]
        free = next((index for index in nearest if not labels[index]), None)
        if free is not None:
            labels[free] = Text(f" {curve.label}", curve.style)
    return labels


class _Canvas:
    """The dots of curves: 2 × 4 in each character in color, else one letter per character.

    Args:
        columns: characters per line.
        height: lines.
        is_colored: whether the terminal shows colors.
    """

    def __init__(self, columns: int, height: int, is_colored: bool) -> None:
        self._across, self._down = (2, 4) if is_colored else (1, 1)
        self._shape = height, columns
        self._characters = np.zeros(self._shape, np.int64)
        self._styles = np.zeros(self._shape, object)  # 0 where nothing is drawn

    def draw(self, curve: Curve, axis: Axis, ends: tuple[int, int]) -> None:
        """Draw a curve as connected dots, over those that are there."""
        height, columns = self._shape
        rows, count = height * self._down, columns * self._across
        span = max(1, ends[1] - ends[0])
        first, last = (round((epoch - ends[0]) / span * (count - 1)) for epoch in (curve.epochs[0], curve.epochs[-1]))
        at = np.linspace(curve.epochs[0], curve.epochs[-1], last - first + 1)
        heights = np.interp(at, curve.epochs, axis.heights(np.array(curve.values)))
        levels = np.rint((1 - heights) * (rows - 1))
        before = np.concatenate([levels[:1], levels[:-1]])
        row = np.arange(rows)[:, np.newaxis]
        dots = np.zeros((rows, count), bool)
        dots[:, first : last + 1] = (np.minimum(levels, before + 1) <= row) & (row <= np.maximum(levels, before - 1))
        blocks = dots.reshape(height, self._down, columns, self._across)
        is_drawn = blocks.any(axis=(1, 3))
        if self._down == 1:
            self._characters[is_drawn] = ord(curve.label[0])
        else:
            self._characters[is_drawn] |= BRAILLE | np.einsum("hrcd,rd->hc", blocks, DOTS)[is_drawn]
        self._styles[is_drawn] = curve.style

    def lines(self) -> Iterator[Text]:
        """The lines, with runs of one color as one span each."""
        for characters, styles in zip(self._characters.tolist(), self._styles.tolist(), strict=True):
            cells = zip(characters, styles, strict=True)
            line = Text()
            for style, run in groupby(cells, itemgetter(1)):
                line.append("".join(chr(character or BLANK) for character, _ in run), style or "")
            yield line
