"""A boundary as text: its cells are read back and compared with the grid."""

import numpy as np
import pytest
from rich.text import Text

from nncli.cli.render.boundary import (
    LETTERS,
    MARKERS,
    MAX_LABEL,
    RAMP,
    TEXTURES,
    UPPER_HALF,
    boundary_lines,
    grid_size,
)
from nncli.report.boundary import Boundary, Points, centers
from nncli.report.colors import class_colors, viridis

INDENT = MAX_LABEL + 1
NAMES = ["0", "one", "\x1b[2J"]


def view(width, height, classes=3, points=((0.1, 0.1), (0.9, 0.6)), targets=(2, 0)):
    """A plane of random probabilities, or of values without classes."""
    outputs = np.random.default_rng(0).dirichlet(np.ones(classes or 1), (height, width))
    if not classes:
        outputs = np.linspace(-3, 5, height * width).reshape(height, width, 1)
    rows = Points("training", np.array(points), np.array(targets), np.arange(len(points)))
    names = NAMES[:classes] if classes else None
    axes = centers(0, 1, width), centers(0, 1, height)
    return Boundary(["x", "y\x1b[2J"], *axes, outputs, names, None, ["price"], rows, 7)


def cells(lines, height):
    """The plot without axes and legend, line by line."""
    return [line[INDENT:] for line in lines[1 : height + 1]]


def color(style, background=False):
    """Red, green and blue of a style."""
    return np.array((style.bgcolor if background else style.color).triplet)


@pytest.mark.parametrize("classes", [2, 3])
def test_textures_are_the_classes(classes):
    """Without colors each character is the class of its cell, or the class of the row that is there."""
    plane = view(12, 6, classes, targets=(1, 0))
    for line, row in zip(cells(boundary_lines(plane, False), 6), plane.classes[::-1], strict=True):
        for character, label in zip(line.plain, row, strict=True):
            assert character == TEXTURES[label] or character in LETTERS


def test_letters_are_the_rows():
    """A row is where its inputs are, with the letter of its own class."""
    plot = cells(boundary_lines(view(10, 5), False), 5)
    letters = {
        (column, line): c for line, text in enumerate(plot) for column, c in enumerate(text.plain) if c in LETTERS
    }
    assert letters == {(1, 4): "c", (9, 1): "a"}


def test_half_blocks_have_the_colors_of_two_cells():
    """The upper half is the upper cell: the hue of its class, darker the less certain it is."""
    plane = view(10, 8, points=((0.1, 0.1),), targets=(2,))
    plot = cells(boundary_lines(plane, True), 4)
    for line, text in enumerate(plot):
        for column, character in enumerate(text.plain):
            style = next(span.style for span in text.spans if span.start <= column < span.end)
            rows = 7 - 2 * line, 6 - 2 * line
            if character != UPPER_HALF:
                assert (character, column, line) == (MARKERS[2], 1, 3)
                continue
            for row, found in zip(rows, (color(style), color(style, background=True)), strict=True):
                probabilities = plane.outputs[row, column]
                certainty = (probabilities.max() * 3 - 1) / 2
                expected = class_colors(3)[probabilities.argmax()] * (0.15 + 0.45 * certainty)
                assert np.abs(found - expected).max() <= 4


def test_values_are_on_a_scale():
    """Of a regression a cell is a color of viridis, or a character, between the lowest and the highest value."""
    plane = view(5, 4, classes=0, points=((0.5, 0.5),), targets=((1.0,),))
    plain = boundary_lines(plane, False)
    assert cells(plain, 4)[-1].plain[0] == RAMP[0]
    assert cells(plain, 4)[0].plain[-1] == RAMP[-1]
    assert "price -3.000" in plain[-1].plain
    corner = cells(boundary_lines(plane, True), 2)[-1]
    assert np.abs(color(corner.spans[0].style, background=True) - viridis(np.array(0.0))).max() <= 4
    corner = cells(boundary_lines(plane, True), 2)[0]
    assert np.abs(color(corner.spans[-1].style) - viridis(np.array(1.0))).max() <= 4


@pytest.mark.parametrize("width", [20, 40, 60, 80, 120, 200])
@pytest.mark.parametrize("is_colored", [False, True])
def test_plot_fits_the_terminal(width, is_colored):
    """Lines are at most as wide as the terminal, and there are at most 24 of them beside labels and legend."""
    columns, rows = grid_size(width, is_colored)
    lines = boundary_lines(view(columns, rows), is_colored)
    plot = cells(lines, rows // (1 + is_colored))
    assert max(line.cell_len for line in plot) + INDENT <= width
    assert len(plot) <= 24
    assert len({line.cell_len for line in plot}) == 1


def test_number_of_lines_can_be_given():
    """For a display that has room for a few lines."""
    assert grid_size(80, True, lines=10) == (40, 20)


def test_axes_begin_at_the_left_and_at_the_bottom():
    """The edges of the plane, which are those of its outer cells, and what the colors mean."""
    plane = view(40, 10)
    lines = boundary_lines(plane._replace(x=centers(-2, 6, 40), y=centers(10, 30, 10)), False)
    assert lines[-3].plain.split() == ["-2.00", "2.00", "6.00"]
    assert [line.plain.split()[0] for line in (lines[1], lines[6], lines[10])] == ["30.0", "20.0", "10.0"]
    assert boundary_lines(view(40, 20), True)[-1].plain.strip() == "markers: training rows; dark: uncertain"


def test_names_cannot_control_the_terminal():
    """Features and classes are sanitized."""
    text = Text("\n").join(boundary_lines(view(40, 10), False)).plain
    assert "\x1b" not in text
    assert "y�[2J ↑  x →" in text
    assert "�[2J" in text.splitlines()[-2]


def test_more_classes_than_colors_have_markers_of_their_own():
    """Ten classes have seven colors, which repeat, and ten markers and textures."""
    assert len(set(MARKERS)) == len(set(TEXTURES)) == 10
    assert len({tuple(each) for each in class_colors(10).tolist()}) == 7
