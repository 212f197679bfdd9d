"""Plots in the terminal: the lines that are drawn, and what is said below them."""

import numpy as np
import pytest

from nncli.cli.render import plot
from nncli.cli.render.console import Output
from nncli.report.boundary import FittedCurve, Points
from nncli.report.curves import Curve, Overlay, RunCurves, Series
from nncli.report.gradients import Gradients, LayerHealth
from nncli.report.residuals import Residuals

EPOCHS = np.array([0, 10, 20])


@pytest.fixture
def drawn(monkeypatch, capsys):
    """The diagrams that a function draws, as (lines, title, axes), and the text that it prints."""

    def diagrams(show, *data):
        found = []
        monkeypatch.setattr(plot, "print_diagram", lambda _, lines, title, axes: found.append((lines, title, axes)))
        show(*data)
        return found, capsys.readouterr().out

    return diagrams


def curves(kept, diverged=None, higher=True):
    series = [
        Series("s", "training", np.array([1.0, 2.0, 3.0])),
        Series("v_s", "validation", np.array([4.0, 6.0, 5.0])),
    ]
    return RunCurves("run", kept, diverged, [Curve("s", higher, EPOCHS, series, False, 10)])


def test_best_value_is_that_of_the_last_split(drawn):
    """The kept epoch is marked if training went on after it."""
    (((lines, title, axes),), text) = drawn(plot._show_curves, Output(), curves(10))
    assert [(line.label, list(line.x), list(line.y)) for line in lines] == [
        ("s", [0, 10, 20], [1, 2, 3]),
        ("v_s", [0, 10, 20], [4, 6, 5]),
    ]
    assert (title, axes.marks) == ("s by epoch", [10])
    assert text == "best v_s ↑ 6.000 at epoch 10; weights kept of epoch 10 (line)\n"
    (((_, _, axes),), text) = drawn(plot._show_curves, Output(), curves(20))
    assert (list(axes.marks), text.strip()) == ([], "best v_s ↑ 6.000 at epoch 10; weights kept of epoch 20")
    assert drawn(plot._show_curves, Output(), curves(None, diverged=21))[1].endswith("; diverged at epoch 21\n")


def test_norms_are_drawn_where_they_are_positive(drawn):
    """By layer: the gradients, then the updates relative to the weights."""
    gradients, ratios = np.array([np.nan, 0.0, 2.0]), np.array([np.nan, 0.5, 0.25])
    layers = [LayerHealth(0, "dense", gradients, None, None, ratios, None), LayerHealth(1, "relu", *[None] * 5)]
    (first, second), _ = drawn(plot._show_gradients, Output(), Gradients("run", EPOCHS, layers))
    assert [(line.label, list(line.x), list(line.y)) for line in first[0]] == [("layers.0 dense", [20], [2])]
    assert [(line.label, list(line.x), list(line.y)) for line in second[0]] == [
        ("layers.0 dense", [10, 20], [0.5, 0.25])
    ]
    assert (first[1], second[1]) == ("norm of the gradient by epoch", "update / weights by epoch")
    assert first[2].is_logarithmic


def test_residuals_are_drawn_by_their_predictions(drawn):
    """With their histogram from its lowest to its highest edge, mean and standard deviation."""
    data = Residuals(
        "test", "price", np.array([1.0, 2.0]), np.array([3.0, 5.0]), -2.5, 0.5, np.array([1, 4]), np.array([-3, -2, 1])
    )
    (((lines, title, axes),), text) = drawn(plot._show_residuals, Output(), [data])
    assert (list(lines[0].x), list(lines[0].y)) == ([3, 5], [-2, -3])
    assert (title, axes.zero, axes.counts) == ("residual of price by its prediction", True, False)
    assert text == "rows: -3.00 ▃█ 1.00\nmean -2.50, standard deviation 0.500\n"


def test_fitted_curve_is_over_the_rows_of_a_regression(drawn):
    """A classifier has a probability for each class, and no rows."""
    x, points = np.array([0.0, 1.0]), Points("test", np.array([[0.5]]), np.array([[7.0]]), np.array([0]))
    (((lines, title, _),), _) = drawn(
        plot._show_fit, Output(), FittedCurve("size", x, np.array([[2.0], [3.0]]), None, ["price"], points, 5)
    )
    assert [(line.label, list(line.x), list(line.y), line.is_joined) for line in lines] == [
        ("price of the rows", [0.5], [7], False),
        ("price", [0, 1], [2, 3], True),
    ]
    assert title == "price by size"
    outputs = np.array([[0.25, 0.75], [1.0, 0.0]])
    data = FittedCurve("size", x, outputs, ["no", "\x1b[2J"], ["kind"], points, 5)
    (((lines, _, _),), _) = drawn(plot._show_fit, Output(), data)
    assert [(line.label, list(line.y)) for line in lines] == [
        ("P of class no", [0.25, 1]),
        ("P of class �[2J", [0.75, 0]),
    ]


def test_overlaid_runs_keep_their_scale_and_harmless_names(drawn):
    """Control characters in the name of a run are not printed."""
    overlay = Overlay("loss", ["a\x1b[2J"], [EPOCHS], [np.array([100.0, 10.0, 1.0])], True)
    (((lines, title, axes),), _) = drawn(plot.PlotPrinter().show_overlays, [overlay], 1)
    assert (lines[0].label, title, axes.is_logarithmic) == ("a�[2J", "loss by epoch", True)
