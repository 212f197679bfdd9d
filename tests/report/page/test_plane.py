"""Players: frames, bytes of planes, and views of units, beside direct computations."""

from base64 import b64decode

import numpy as np
import pytest

from nncli.experiment.assembly import build_network
from nncli.inference.predictor import Predictor
from nncli.report.boundary import Boundary, Points
from nncli.report.page import plane
from nncli.report.page.plane import class_bytes, player, value_bytes
from nncli.report.trained_run import TrainedRun
from nncli.store.run_reader import Run
from nncli.threads import ThreadPool
from tests.prediction_threads import slow_down
from tests.report.conftest import PRODUCT, table


@pytest.fixture
def made(runs):
    """A run with three classes, and its player."""
    run = Run(runs / "classes")
    return run, player(TrainedRun(run), list(run.snapshots), "training")


def grid(low, high, count):
    return low + (np.arange(count) + 0.5) * (high - low) / count


def test_frames_are_those_of_the_snapshots(made):
    """Each logged epoch has a frame, and the one of the final weights is shown first."""
    run, shown = made
    assert shown.epochs == list(run.snapshots) == [0, 10, 20, 30]
    assert shown.epochs[shown.start] == run.evaluation.epoch
    assert len(shown.view.frames) == 4


def test_bytes_are_classes_and_probabilities():
    """``class × levels + level``, from 1/C to 1, to half a level."""
    outputs = np.random.default_rng(0).dirichlet(np.ones(3), (20, 30))
    shown = Boundary(["x", "y"], np.arange(30), np.arange(20), outputs, ["a", "b", "c"], None, ["t"], None, 0)
    found = class_bytes(shown, 85)
    np.testing.assert_array_equal(found // 85, outputs.argmax(axis=2))
    probability = 1 / 3 + 2 / 3 * (found % 85) / 84
    np.testing.assert_allclose(probability, outputs.max(axis=2), atol=1 / 3 / 84 + 1e-9)


def test_threshold_decides_the_class_of_a_single_output():
    """A cell whose class 1 is not above the threshold, or at it, is of class 0, however improbable that is."""
    outputs = np.array([[[0.4, 0.6], [0.1, 0.9], [0.2, 0.8]]])
    shown = Boundary(["x", "y"], np.arange(3), np.arange(1), outputs, ["no", "yes"], 0.8, ["t"], None, 0)
    assert (class_bytes(shown, 128) // 128).tolist() == [[0, 1, 0]]


def test_bytes_of_values_go_from_the_lowest_to_the_highest():
    """Values beyond are cut off; a constant is not divided by 0."""
    assert value_bytes(np.array([-2.0, -1.0, 0.0, 1.0, 5.0]), -1, 1).tolist() == [0, 0, 128, 255, 255]
    assert value_bytes(np.array([3.0]), 3, 3).tolist() == [0]


def test_at_most_so_many_frames_and_always_the_final_one(monkeypatch):
    """At equal distances, the first one among them."""
    assert plane._some(range(0, 1000, 10), 5, 995) == [0, 330, 660, 990, 995]
    assert plane._some([0, 10], 5, 5) == [0, 5, 10]
    assert plane._some(range(100), 0, 7) == [7]


def test_players_of_a_page_share_its_bytes(made, monkeypatch):
    """Two players have half of the frames each, the final one among them."""
    run, shown = made
    monkeypatch.setattr(plane, "PLANE_BYTES", 4 * plane.SIDE**2)
    shared = player(TrainedRun(run), list(run.snapshots), "training", players=2)
    assert shared.epochs == [0, 30]
    assert shared.view.frames == [shown.view.frames[0], shown.view.frames[3]]


def test_views_of_units_are_the_outputs_of_the_layers(made):
    """Hidden units and outputs at each point, from 0 for the lowest to 255 for the highest value of each unit."""
    run, shown = made
    units, frame = shown.units, 2
    assert (units.units, units.layers) == ([8, 3], ["relu", "outputs"])
    (left, right), (bottom, top) = shown.view.x, shown.view.y
    x, y = grid(left, right, units.size), grid(bottom, top, units.size)
    inputs = np.column_stack([np.tile(x, units.size), np.repeat(y, units.size)]).astype(np.float32)
    network = build_network(run.config, 2)
    run.load_weights(network.parameters, shown.epochs[frame])
    hidden = np.maximum(inputs @ network.layers[0].weights + network.layers[0].biases, 0)
    values = np.concatenate([hidden.T, Predictor(run, shown.epochs[frame]).predict(inputs).T])
    low, high = values.min(axis=1, keepdims=True), values.max(axis=1, keepdims=True)
    expected = (values - low) / np.where(high > low, high - low, 1) * 255
    found = np.frombuffer(b64decode(units.frames[units.nearest[frame]]), np.uint8).reshape(11, -1)
    np.testing.assert_allclose(found, expected, atol=0.51)
    weights = units.weights[units.nearest[frame]]
    np.testing.assert_allclose(weights[0], network.layers[0].weights.ravel(), rtol=6e-3)


def test_views_of_units_have_the_outputs_of_all_chunks(made):
    """Also if the run predicts on two threads, the second of which would take the chunks after the first."""
    run, shown = made
    trained, final = TrainedRun(run), shown.epochs[shown.start]
    network = trained.network.inference or trained.network
    network.use_threads(ThreadPool(2))
    network.micro_batch_rows = 100
    slow_down(network)
    assert player(trained, [final], "training").units.frames == [shown.units.frames[shown.units.nearest[shown.start]]]


def test_curve_of_one_input_is_what_the_network_predicts(runs):
    """At each frame, in the unit of the target."""
    run = Run(runs / "fit")
    shown = player(TrainedRun(run), list(run.snapshots), "training")
    for epoch, frame in zip(shown.epochs, shown.view.frames, strict=True):
        expected = Predictor(run, epoch).predict(shown.view.x[:, np.newaxis])
        np.testing.assert_array_equal(frame, expected.T)


def test_plane_of_values_has_all_rows_on_its_scale(workdir, run_cli):
    """From the lowest to the highest of the final predictions and the targets; the message is of the predictions."""
    (workdir / "areas.csv").write_text(table(), encoding="utf-8")
    result = run_cli("train", "config.yaml", PRODUCT[0].replace("table.csv", "areas.csv"), *PRODUCT[1:], "-q")
    trained = TrainedRun(Run(workdir / result.out.strip()))
    shown = player(trained, list(trained.run.snapshots), "training")
    final = plane.boundary(
        trained, plane.SIDE, plane.SIDE, None, plane.extent(trained, plane.points_of(trained))
    ).outputs
    targets = trained.experiment.data["training"].targets
    assert (shown.view.low, shown.view.high) == (min(final.min(), targets.min()), max(final.max(), targets.max()))
    assert shown.message.startswith(f"The prediction goes from {final.min():.4g} to {final.max():.4g}.")
    assert [row[2] for row in shown.view.points] == targets[:, 0].tolist()


def test_share_of_the_plane_is_that_of_its_cells(made):
    """Of each class, in percent."""
    _, shown = made
    classes = np.frombuffer(b64decode(shown.view.frames[shown.start]), np.uint8) // shown.view.levels
    shares = [f"class {name} {100 * np.mean(classes == index):.1f}%" for index, name in enumerate("012")]
    assert shown.message.startswith(f"Share of the plane: {shares[0]}, {shares[1]} and {shares[2]};")


def test_of_many_rows_some_are_drawn_with_their_own_targets(monkeypatch):
    """At equal distances."""
    monkeypatch.setattr(plane, "MAX_POINTS", 3)
    inputs = np.arange(10.0).reshape(5, 2)
    points = Points("training", inputs, np.array([0, 1, 2, 3, 4]), np.arange(5))
    assert plane._points(points) == [[0, 1, 0], [4, 5, 2], [8, 9, 4]]


def test_final_weights_are_shown_first_though_others_follow(runs):
    """Those that early stopping has kept are before the last snapshot."""
    trained = TrainedRun(Run(runs / "classes"), 20)
    shown = player(trained, [0, 10, 20, 30], "training")
    assert (shown.epochs, shown.start) == ([0, 10, 20, 30], 2)


def test_more_than_two_inputs_have_no_player(runs):
    """Their plane cannot be drawn; the table of the tests has a category besides."""
    assert player(TrainedRun(Run(runs / "table")), [], "training") is None


def test_run_without_data_has_a_plane_only_if_its_range_is_known(runs):
    """A sampled data set records no range."""
    assert player(TrainedRun(Run(runs / "classes")), [], None) is None
