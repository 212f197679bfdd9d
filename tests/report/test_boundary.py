"""The boundary of two inputs, and the fitted curve of one, are what ``predict`` returns."""

import numpy as np
import pytest

import nncli
from nncli.report.boundary import Extent, axes, boundary, centers, extent, fitted_curve, points_of
from tests.examples import BINARY, SINE
from tests.report.conftest import PRODUCT, TABLE


def plane_of(run, width=7, height=5):
    points = points_of(run)
    return boundary(run, width, height, points, extent(run, points))


def grid(view):
    """The inputs (H W, 2) of the cells, row by row."""
    return np.array([[x, y] for y in view.y for x in view.x])


def test_cells_of_sampled_data_are_predictions(trained):
    """Each cell has the probabilities that ``predict_proba`` gives for its center."""
    run = trained()
    view = plane_of(run)
    expected = nncli.load(run.run.path).predict_proba(grid(view)).reshape(5, 7, 3)
    assert np.array_equal(view.outputs, expected)
    assert np.array_equal(view.classes, expected.argmax(axis=2))
    assert (view.features, view.threshold, view.epoch) == (["x", "y"], None, 30)


def test_cells_of_a_table_are_in_its_units(trained):
    """The axes have the units of the columns, and each cell is the prediction for such a row."""
    run = trained(*TABLE)
    view = plane_of(run)
    rows = {"length": grid(view)[:, 0], "depth": grid(view)[:, 1]}
    loaded = nncli.load(run.run.path)
    assert np.array_equal(view.outputs.reshape(-1, 3), loaded.predict_proba(rows))
    assert np.array_equal(np.array(view.class_names)[view.classes.ravel()], loaded.predict(rows))
    assert view.x.min() > 300
    assert view.y.max() < 0
    assert view.points.inputs[:, 0].mean() == pytest.approx(1000, rel=0.1)


def test_cells_of_a_regression_are_in_the_unit_of_the_target(trained):
    """Each cell has the value that ``predict`` gives."""
    run = trained(*PRODUCT)
    view = plane_of(run)
    rows = {"length": grid(view)[:, 0], "depth": grid(view)[:, 1]}
    assert np.array_equal(view.outputs.ravel(), nncli.load(run.run.path).predict(rows))
    assert (view.class_names, view.targets) == (None, ["product"])


def test_threshold_of_a_single_output_decides_its_classes(trained):
    """A cell is of class 1 where its output is above the threshold of the config."""
    run = trained(*BINARY, "metrics=[{type: accuracy, threshold: 0.6}]")
    view = plane_of(run)
    output = nncli.load(run.run.path).predict(grid(view)).reshape(5, 7)
    assert np.array_equal(view.outputs[..., 1], output)
    assert np.array_equal(view.classes, output > 0.6)
    assert view.threshold == 0.6


def test_points_are_the_rows_of_the_split(trained):
    """Inputs and targets are those of the data, row by row."""
    run = trained()
    points = points_of(run, "validation")
    data = run.experiment.data["validation"]
    assert np.array_equal(points.inputs, data.inputs)
    assert np.array_equal(points.targets, data.targets)


def test_points_with_a_missing_input_are_left_out(trained, workdir):
    """Either of both inputs; the others keep their targets and their indices."""
    run = trained("data={type: table, path: table.csv, target: kind, ignore: [product]}", "validation=null")
    lines = (workdir / "table.csv").read_text(encoding="utf-8").splitlines()
    for place, column in ((3, 0), (8, 1)):
        cells = lines[place].split(",")
        lines[place] = ",".join(["" if index == column else cell for index, cell in enumerate(cells)])
    (workdir / "table.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    number = "{type: number, missing: mean}"
    columns = f"columns: {{length: {number}, depth: {number}}}"
    table = f"data={{type: table, path: table.csv, target: kind, {columns}, ignore: [product]}}"
    run = trained(table, "validation={fraction: 0.3}")
    points, rows = points_of(run), [line.split(",") for line in lines[1:]]
    raw = run.raw("training")
    for index, inputs, target in zip(points.rows, points.inputs.tolist(), points.targets, strict=True):
        row = rows[raw.line(index) - 2]
        assert [*map(str, inputs), run.class_names[target]] == row[:3]
    numbers = {raw.line(index) for index in range(len(raw))} - {4, 9}
    assert {raw.line(index) for index in points.rows.tolist()} == numbers


def test_many_points_are_thinned_evenly(trained, monkeypatch):
    """Of more rows than can be drawn, some at equal distances, with their indices."""
    monkeypatch.setattr("nncli.report.boundary.MAX_POINTS", 25)
    run = trained()
    points = points_of(run)
    assert points.rows.tolist() == list(range(0, 60, 3))
    assert np.array_equal(points.inputs, run.experiment.data["training"].inputs[::3])


def test_integers_are_predicted_as_integers(trained, workdir):
    """Cells of an array of bytes are rounded to bytes, which the network was trained on."""
    rng = np.random.default_rng(0)
    inputs = rng.integers(0, 256, (60, 2), np.uint8)
    np.savez(workdir / "bytes.npz", inputs=inputs, targets=(inputs[:, 0] > 99).astype(np.int64) + (inputs[:, 1] > 99))
    run = trained("data={type: arrays, path: bytes.npz}", "validation={fraction: 0.3}")
    view = plane_of(run, 30, 30)
    rounded = np.clip(np.rint(grid(view)), 0, 255)
    assert view.x.min() < -1
    assert np.array_equal(view.outputs.reshape(-1, 3), nncli.load(run.run.path).predict_proba(rounded))


def test_plane_needs_one_or_two_numbers(trained):
    """A category has no axis."""
    assert axes(trained()) == ["x", "y"]
    assert axes(trained(*SINE)) == ["x"]
    assert axes(trained(TABLE[0].replace("depth: number", "depth: category"), *TABLE[1:])) == []


def test_extent_without_rows_is_that_of_training(trained):
    """A run whose file is lost still has the range of its columns; one on sampled data does not."""
    run = trained(*TABLE)
    low, high = run.raw("training").values("length").min(), run.raw("training").values("length").max()
    found = extent(run, None)
    assert found.low[0] == pytest.approx(low - 0.05 * (high - low))
    assert found.high[0] == pytest.approx(high + 0.05 * (high - low))
    assert extent(trained(), None) is None


def test_fitted_curve_is_what_predict_returns(trained):
    """Values of the only input, and the outputs for them."""
    run = trained(*SINE)
    points = points_of(run)
    curve = fitted_curve(run, 9, points, extent(run, points))
    assert np.array_equal(curve.outputs, nncli.load(run.run.path).predict(curve.x[:, np.newaxis]))
    assert (curve.feature, curve.targets, curve.class_names, curve.epoch) == ("x", ["y"], None, 30)


def test_centers_are_in_the_middle_of_equal_cells():
    """From edge to edge."""
    assert centers(0, 10, 5).tolist() == [1, 3, 5, 7, 9]
    assert Extent(np.zeros(2), np.ones(2)).high.tolist() == [1, 1]
