"""Plots as files: what matplotlib is given to draw is the data."""

import numpy as np
import pytest

from nncli.cli.render import figure_diagrams as diagrams
from nncli.cli.render.figure_planes import draw_boundary, draw_confusion
from nncli.report.boundary import Boundary, Points, centers
from nncli.report.calibration import Calibration
from nncli.report.colors import class_colors
from nncli.report.confusion import Confusion
from nncli.report.curves import Curve, RunCurves, Series
from nncli.report.gradients import Gradients, LayerHealth
from nncli.report.residuals import Residuals
from nncli.report.units import LayerUnits

pytestmark = pytest.mark.slow
figure = pytest.importorskip("matplotlib.figure")


def axes_of(draw, data):
    """The axes that a function draws."""
    part = figure.Figure()
    draw(part, data)
    return part.axes


def plane(outputs, names, points=None):
    height, width, _ = outputs.shape
    axes = centers(0, 10, width), centers(0, 4, height)
    return Boundary(["wide", "high\x1b"], *axes, outputs, names, None, ["price"], points, 5)


def test_area_has_the_color_of_its_class_and_the_lowest_row_below():
    """Strong where the network is certain, with the rows of each class at their inputs."""
    outputs = np.zeros((2, 3, 2))
    outputs[..., 0] = [[1, 1, 1], [0, 0.5, 1]]
    outputs[..., 1] = 1 - outputs[..., 0]
    points = Points("test", np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([0, 1]), np.arange(2))
    axes = axes_of(draw_boundary, plane(outputs, ["no", "yes"], points))[0]
    (image,) = axes.get_images()
    assert image.origin == "lower"
    assert image.get_extent() == pytest.approx([0, 10, 0, 4])
    colors = np.asarray(image.get_array(), float)
    first, second = class_colors(2)
    np.testing.assert_allclose(colors[0, 0], 0.75 * first + 0.25 * 255, atol=0.51)
    np.testing.assert_allclose(colors[1, 0], 0.75 * second + 0.25 * 255, atol=0.51)
    assert colors[1, 1].min() > 230
    drawn = {
        each.get_label(): each.get_offsets().tolist() for each in axes.collections if each.get_label() in {"no", "yes"}
    }
    assert drawn == {"no": [[1, 2]], "yes": [[3, 4]]}
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("wide", "high�")


def test_values_and_rows_have_one_scale():
    """From the lowest to the highest value of the plane."""
    outputs = np.arange(6.0).reshape(2, 3, 1)
    points = Points("test", np.array([[1.0, 2.0]]), np.array([[9.0]]), np.arange(1))
    axes = axes_of(draw_boundary, plane(outputs, None, points))[0]
    np.testing.assert_array_equal(axes.get_images()[0].get_array(), outputs[..., 0])
    (rows,) = axes.collections
    assert (rows.get_clim(), rows.get_array().tolist(), rows.get_offsets().tolist()) == ((0, 5), [9], [[1, 2]])


def test_matrix_has_actual_classes_down():
    """Each count in its cell; the shade is the part of the row."""
    axes = axes_of(draw_confusion, Confusion("test", ["cat", "dog"], np.array([[6, 2], [0, 5]])))[0]
    texts = {text.get_position(): text.get_text() for text in axes.texts}
    assert texts == {(0, 0): "6", (1, 0): "2", (0, 1): "0", (1, 1): "5"}
    np.testing.assert_allclose(axes.get_images()[0].get_array(), [[0.75, 0.25], [0, 1]])
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("predicted class (test)", "actual class")


@pytest.mark.parametrize(("kept", "marks"), [(10, ["kept: 10"]), (20, [])])
def test_curves_have_their_scale_and_the_kept_epoch(kept, marks):
    """A logarithmic axis where the curve has one; the mark only if training went on."""
    values = np.array([100.0, 10.0, 1.0])
    for is_logarithmic in (True, False):
        curve = Curve("loss", False, np.array([0, 10, 20]), [Series("loss", "training", values)], is_logarithmic, 20)
        (axes,) = axes_of(diagrams.draw_curves, [RunCurves("run", kept, None, [curve])])
        assert axes.get_yscale() == ("log" if is_logarithmic else "linear")
        assert axes.get_lines()[0].get_ydata().tolist() == values.tolist()
        assert [text.get_text().strip() for text in axes.texts] == marks


def test_calibration_is_accuracy_by_confidence():
    """Bars with their numbers of rows, of bins that have any; a point at the mean confidence."""
    rows, nan = np.array([0, 10]), np.nan
    data = Calibration("test", np.array([0, 0.5, 1]), rows, np.array([nan, 0.9]), np.array([nan, 0.4]), 0.5)
    (axes,) = axes_of(diagrams.draw_calibration, data)
    (bar,) = axes.patches
    assert (bar.get_x() + bar.get_width() / 2, bar.get_height()) == (0.75, 0.4)
    assert axes.get_lines()[1].get_xydata().tolist() == [[0.9, 0.4]]
    assert [text.get_text() for text in axes.texts] == ["10"]


def test_residuals_are_drawn_by_their_predictions():
    """The histogram beside them has the same axis."""
    data = Residuals(
        "test",
        "a\x1b",
        np.array([1.0, 2.0]),
        np.array([3.0, 5.0]),
        -2.5,
        0.5,
        np.array([1, 4]),
        np.array([-3.0, -2, 1]),
    )
    axes, side = axes_of(diagrams.draw_residuals, [data])
    assert axes.get_lines()[1].get_xydata().tolist() == [[3, -2], [5, -3]]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("prediction of a�", "residual = target − prediction")
    assert [(bar.get_y(), bar.get_height(), bar.get_width()) for bar in side.patches] == [(-3, 1, 1), (-2, 3, 4)]


def test_gradients_are_above_updates():
    """A line for each layer that has them."""
    gradients, ratios = np.array([1.0, 2.0]), np.array([0.5, 0.25])
    layers = [LayerHealth(0, "dense", gradients, None, None, ratios, None), LayerHealth(1, "relu", *[None] * 5)]
    first, second = axes_of(diagrams.draw_gradients, Gradients("run", np.array([0, 10]), layers))
    assert (first.get_ylabel(), second.get_ylabel()) == ("norm of the gradient", "update / weights")
    assert [line.get_ydata().tolist() for line in first.get_lines()] == [[1, 2]]
    assert [line.get_ydata().tolist() for line in second.get_lines()] == [[0.5, 0.25]]


def test_units_are_named_by_what_they_are():
    """Dead ones, saturated ones and the others, each at its place."""
    dead, saturated = np.array([False, True, False]), np.array([False, False, True])
    (axes,) = axes_of(diagrams.draw_units, [LayerUnits(1, "tanh", dead, saturated, np.array([0.5, 0.0, 1.0]))])
    labels = {bars.get_label(): [round(bar.get_x() + bar.get_width() / 2) for bar in bars] for bars in axes.containers}
    assert labels == {"other (1)": [0], "saturated (1)": [2], "dead (1)": [1]}
