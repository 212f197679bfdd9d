"""Diagrams: points, axes and legend."""

import pytest

from nncli.cli.render.console import Output
from nncli.cli.render.diagram import Axes, Line, logarithmic_ticks, print_diagram


def printed(capsys, lines, axes=None, width=60):
    out = Output()
    out.width = width
    print_diagram(out, lines, "title", axes)
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_diagram_fits_the_terminal(capsys, width):
    """No line is wider, and curve, title and legend are there."""
    text = printed(capsys, [Line("first", [0, 10], [1, 2]), Line("second", [0, 10], [2, 1])], width=width)
    assert max(map(len, text)) <= width
    assert text[0].strip() == "title"
    assert text[-1] == "a first   b second"
    assert sum(line.count("a") for line in text[1:-1]) > 3


def test_logarithmic_axis_is_straight_for_a_power(capsys):
    """A value that is divided by 10 at equal distances falls by the same number of lines."""
    text = printed(capsys, [Line("x", [0, 1, 2], [100, 10, 1], is_joined=False)], Axes(is_logarithmic=True))
    first, second, third = (index for index, line in enumerate(text[1:-2]) if "a" in line)
    assert abs((second - first) - (third - second)) <= 1
    assert any(line.strip().startswith("100┤") for line in text)


def test_ticks_are_round_numbers_with_both_ends():
    """Few of them, also over many decades."""
    assert logarithmic_ticks(0.1, 1) == [0.1, 0.2, 0.5, 1]
    assert logarithmic_ticks(1e-30, 1)[0] == 1e-30
    assert len(logarithmic_ticks(1e-30, 1)) <= 7


def test_marks_are_vertical_lines(capsys):
    """A line at the value, in the whole height."""
    text = printed(capsys, [Line("x", [0, 10], [1, 1])], Axes(marks=[5]))
    assert sum(line.count("│") for line in text) > sum(
        line.count("│") for line in printed(capsys, [Line("x", [0, 10], [1, 1])])
    )


def test_values_that_overflow_are_left_out(capsys):
    """As before a divergence."""
    text = printed(capsys, [Line("x", [0, 1], [1, 1.7e308]), Line("y", [0, 1], [1, 2])])
    assert text[-1] == "a x   b y"
    assert "a" not in "".join(text[1:-1])
    assert sum(line.count("b") for line in text[1:-1]) > 3
