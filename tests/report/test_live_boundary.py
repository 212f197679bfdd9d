"""The boundary of a network while it trains: its outputs, and that training is not changed by it."""

import time

import numpy as np
import pytest

from nncli.experiment.assembly import assemble
from nncli.experiment.loading import load
from nncli.report.live_boundary import LiveBoundary, has_plane
from nncli.training.loop import Trainer
from tests.examples import BINARY
from tests.report.conftest import PRODUCT, table

STOCHASTIC = (
    "layers=[{type: dense, units: 8}, batch_normalization, relu, {type: dropout, rate: 0.3}, {type: dense, units: 3}, "
    "softmax]"
)
EARLY = "training.early_stopping={metric: validation_loss, patience: 5}"


def trained(workdir, *overrides, is_watched):
    """A trainer after its training, with a boundary at whatever it yields, for the weights before, or without."""
    trainer = Trainer(assemble(load(workdir / "config.yaml", overrides).config))
    boundary = LiveBoundary(trainer.experiment) if is_watched else None
    rows = []
    for epoch in trainer.epochs():
        rows.append(epoch.metrics)
        if boundary:
            boundary.view(6, 8)
            boundary.update(epoch.number, is_last=True)
    return trainer, rows


@pytest.mark.parametrize("batch_size", [60, 7])
@pytest.mark.parametrize("rng", ["derived", "nnfs"])
def test_training_is_the_same_with_a_boundary(workdir, batch_size, rng):
    """Weights, optimizer, running statistics, dropout masks, best weights and metrics are, also within epochs."""
    overrides = (STOCHASTIC, EARLY, f"training.batch_size={batch_size}", f"rng={rng}", "training.log_every=1")
    (with_boundary, rows), (without, expected) = (
        trained(workdir, *overrides, is_watched=is_watched) for is_watched in (True, False)
    )
    assert rows == expected
    state, expected_state = with_boundary.state(), without.state()
    assert state.scalars() == expected_state.scalars()
    assert state.vectors.keys() == expected_state.vectors.keys()
    assert "best" in state.vectors
    for name, vector in state.vectors.items():
        np.testing.assert_array_equal(vector, expected_state.vectors[name])


def test_boundary_is_what_the_network_predicts(workdir):
    """The outputs of each cell are those of the trained network at its center; the rows are of the training set."""
    trainer, _ = trained(workdir, is_watched=False)
    boundary = LiveBoundary(trainer.experiment)
    boundary.update(30, is_last=True)
    view = boundary.view(5, 4)
    assert view.epoch == 30
    assert view.outputs.shape == (4, 5, 3)
    for line, column in ((0, 0), (3, 4), (1, 2)):
        expected = trainer.network.predict(np.array([[view.x[column], view.y[line]]]))[0]
        np.testing.assert_allclose(view.outputs[line, column], expected, rtol=1e-5)
    training = trainer.experiment.data["training"]
    np.testing.assert_array_equal(view.points.inputs, training.inputs[view.points.rows])
    np.testing.assert_array_equal(view.points.targets, training.targets[view.points.rows])
    assert view.x[0] < training.inputs[:, 0].min() + np.diff(view.x)[0]


def test_boundary_is_that_of_the_newest_weights(workdir, monkeypatch):
    """They are copied at most ten times a second, and drawn after a pause; the final ones in any case."""
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    boundary = LiveBoundary(assemble(load(workdir / "config.yaml").config))
    assert boundary.view(4, 4).epoch == 0
    now = 0.05
    boundary.update(1)
    assert boundary.view(4, 4).epoch == 0
    now = 0.15
    boundary.update(2)
    number = boundary.shown
    assert boundary.view(4, 4).epoch == 2
    boundary._due, now = 5.0, 4.0
    boundary.update(4)
    assert (boundary.shown, boundary.view(4, 4).epoch) == (number, 2)
    boundary.update(5, is_last=True)
    assert boundary.shown > number
    assert boundary.view(4, 4).epoch == 5


def test_view_is_of_the_copied_weights_and_of_the_size_that_is_asked_for(workdir):
    """Weights that change after the copy are not drawn, and a view of another size is computed anew."""
    trainer, _ = trained(workdir, is_watched=False)
    boundary = LiveBoundary(trainer.experiment)
    boundary.update(30, is_last=True)
    expected = trainer.network.predict(np.array([[boundary.view(5, 4).x[1], boundary.view(5, 4).y[2]]]))[0]
    trainer.network.parameters.values[...] = 0
    assert boundary.view(6, 3).outputs.shape == (3, 6, 3)
    np.testing.assert_allclose(boundary.view(5, 4).outputs[2, 1], expected, rtol=1e-5)


def test_next_boundary_waits_twenty_times_as_long_as_one_takes(workdir, monkeypatch):
    """So that drawing takes a twentieth of the time at most: after half a second, for ten seconds."""
    now, computed = 0.0, LiveBoundary._computed

    def slow(*arguments):
        nonlocal now
        now += 0.5
        return computed(*arguments)

    monkeypatch.setattr(time, "monotonic", lambda: now)
    monkeypatch.setattr(LiveBoundary, "_computed", slow)
    boundary = LiveBoundary(assemble(load(workdir / "config.yaml").config))
    found = [boundary.view(4, 4).epoch]
    for epoch, moment in ((1, 2.0), (2, 10.4), (3, 10.6)):
        now = moment
        boundary.update(epoch)
        found.append(boundary.view(4, 4).epoch)
    assert found == [0, 0, 0, 3]


def test_class_of_a_single_output_follows_from_the_threshold_of_the_config(workdir):
    """As ``predict`` and the boundary of a run have it; 0.5 by default."""
    for metric, threshold in (("accuracy", 0.5), ("{type: accuracy, threshold: 0.7}", 0.7)):
        trainer, _ = trained(workdir, *BINARY, f"metrics=[{metric}]", is_watched=False)
        boundary = LiveBoundary(trainer.experiment)
        boundary.update(30, is_last=True)
        view = boundary.view(9, 9)
        assert view.threshold == threshold
        np.testing.assert_array_equal(view.classes, view.outputs[..., 1] > threshold)


def test_values_are_in_the_unit_of_the_target(workdir):
    """Areas in the thousands, which the network is trained on as numbers around 0."""
    (workdir / "areas.csv").write_text(table(), encoding="utf-8")
    data = PRODUCT[0].replace("table.csv", "areas.csv")
    trainer, _ = trained(workdir, data, *PRODUCT[1:], is_watched=False)
    boundary = LiveBoundary(trainer.experiment)
    boundary.update(30, is_last=True)
    view, targets = boundary.view(3, 2), trainer.experiment.data["training"].targets
    encoded = trainer.network.predict(np.array([[view.x[2], view.y[1]]]))[0]
    np.testing.assert_allclose(view.outputs[1, 2], targets.mean() + targets.std() * encoded, rtol=1e-5)


def test_only_two_numbers_are_a_plane(workdir):
    """Not one input, and not the two columns of a category."""
    assert has_plane(assemble(load(workdir / "config.yaml").config))
    (workdir / "rows.csv").write_text("kind,class\n" + "a,x\nb,y\na,y\nb,x\n" * 5, encoding="utf-8")
    data = "data={type: table, path: rows.csv, target: class}"
    overrides = (data, "validation={fraction: 0.2}", "layers.2.units=2")
    assert not has_plane(assemble(load(workdir / "config.yaml", overrides).config))
