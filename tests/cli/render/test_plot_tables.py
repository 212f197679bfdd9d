"""Plots that are tables: every number and bar beside the data it stands for."""

import re

import numpy as np
import pytest

from nncli.cli.render.console import Output
from nncli.cli.render.plot_tables import (
    _shade,
    heights,
    show_calibration,
    show_confusion,
    show_units,
    show_weights,
)
from nncli.report.calibration import Calibration
from nncli.report.confusion import Confusion
from nncli.report.units import LayerUnits
from nncli.report.weights import WeightHistogram

YES, NO = True, False


@pytest.fixture
def printed(capsys, terminal_width):
    """The text that a function prints of some data in a terminal of 100 columns, or of another width."""

    def text(show, data, width=100):
        terminal_width(width)
        show(Output(), data)
        return capsys.readouterr().out

    return text


def row(text, name):
    """The cells of the line that begins with a name."""
    (line,) = [line for line in text.splitlines() if line.split()[:1] == [name]]
    return line.split()


def test_confusion_has_actual_classes_down(printed):
    """Counts, the recall of each class, the correct rows, and the most frequent mistake."""
    text = printed(
        show_confusion, Confusion("test", ["cat", "dog", "owl"], np.array([[5, 1, 0], [0, 4, 0], [3, 0, 2]]))
    )
    assert text.startswith("actual ↓ predicted →")
    assert row(text, "cat") == ["cat", "5", "1", "0", "83.3%"]
    assert row(text, "dog") == ["dog", "0", "4", "0", "100.0%"]
    assert row(text, "owl") == ["owl", "3", "0", "2", "40.0%"]
    assert "11 of 15 rows correct (73.3%); most often owl is predicted as cat: 3 rows" in text


def test_shade_is_blue_if_right_and_orange_if_wrong():
    """Lighter for more rows, and none without."""
    assert _shade(1, True) == "bold #ffffff on #0072b2"
    assert _shade(1, False) == "bold #ffffff on #d55e00"
    assert _shade(1 / 3, True) == f"bold #ffffff on #00{57:02x}{89:02x}"
    assert _shade(0, False) == "dim"


@pytest.mark.parametrize(("width", "bar"), [(100, 30), (60, 15)])
def test_calibration_has_a_bar_for_the_accuracy(printed, width, bar):
    """With a mark at the confidence; in half of the width in a narrow terminal."""
    nan = np.nan
    rows, confidence, accuracy = np.array([0, 10]), np.array([nan, 0.9]), np.array([nan, 0.4])
    text = printed(show_calibration, Calibration("test", np.array([0, 0.5, 1]), rows, confidence, accuracy, 0.5), width)
    cells = row(text, "50-100%")
    assert cells[1:4] == ["10", "90.0%", "40.0%"]
    assert cells[4].count("█") == 0.4 * bar
    assert (len(cells[4]), cells[4].index("│")) == (bar, int(0.9 * bar))
    assert "0-50%" not in re.sub("50-100%", "", text)
    assert "expected calibration error 0.500; on average 50.0% overconfident" in text
    careful = Calibration("test", np.array([0, 0.5, 1]), rows, accuracy, confidence, 0.5)
    assert "on average 50.0% underconfident" in printed(show_calibration, careful)


def test_histogram_is_as_high_as_its_counts():
    """The highest is a whole block, and none a dot."""
    assert heights(np.array([0, 1, 7, 4]), True) == "·▂█▅"
    assert heights(np.array([0, 6, 3]), False) == "_#="


def test_weights_are_described_by_array(printed):
    """Lowest and highest value, mean, deviation, and the part that is 0."""
    counts, edges = np.array([3] * 15 + [1] * 15), np.linspace(-1.5, 2, 31)
    text = printed(show_weights, [WeightHistogram("w", "dense", (4, 3), counts, edges, 0.25, 0.75, 0.5)], 120)
    cells = row(text, "w")
    assert cells[1:2] + cells[3:] == ["4×3", "-1.50", "2.00", "0.250", "0.750", "50%", "dense"]
    assert cells[2] == "█" * 15 + "▃" * 15


def test_units_are_dead_or_saturated_or_active(printed):
    """How many by layer, and a character for each: a cross if it is dead, else higher the more often it is active."""
    dead, saturated = np.array([NO, YES, NO, NO]), np.array([NO, NO, YES, YES])
    text = printed(show_units, [LayerUnits(1, "tanh", dead, saturated, np.array([1.0, 0.0, 0.0, 0.5]))])
    cells = row(text, "layers.1")
    assert cells == ["layers.1", "tanh", "4", "1", "(25%)", "2", "(50%)", "38%"]
    assert "\n  █✕▁▅\n" in text
