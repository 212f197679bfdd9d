"""Norms of gradients, updates and weights by layer, and dead units, at logged epochs."""

import math

import numpy as np
import pytest

from nncli.experiment.assembly import assemble
from nncli.experiment.loading import load
from nncli.training.health import DEAD, health_columns
from nncli.training.loop import Trainer
from tests.examples import NORMALIZED
from tests.prediction_threads import slow_down

DROPOUT = "layers=[{type: dense, units: 8}, relu, {type: dropout, rate: 0.3}, {type: dense, units: 3}, softmax]"


@pytest.fixture
def training(workdir):
    """Create the training of the small config with some values changed."""
    return lambda *overrides: Trainer(assemble(load(workdir / "config.yaml", overrides).config))


def rows(trainer):
    """The observed values by logged epoch."""
    health = trainer.observe_health()
    return {epoch.number: health.row() for epoch in trainer.epochs() if epoch.metrics is not None}


def norm(arrays):
    return math.sqrt(sum(float((array.astype(np.float64) ** 2).sum()) for array in arrays))


@pytest.mark.parametrize(
    "overrides", [(), NORMALIZED, (DROPOUT, "training.batch_size=7", "clipping={type: norm, limit: 0.01}")]
)
def test_norms_are_those_of_the_last_step(training, monkeypatch, overrides):
    """Recomputed from the vectors before and after each step, array by array."""
    trainer = training(*overrides)
    parameters, step, steps = trainer.network.parameters, Trainer.step, []

    def recorded(self, *batch):
        before = parameters.trainable.copy()
        step(self, *batch)
        steps.append((parameters.gradients.copy(), parameters.trainable - before, parameters.trainable.copy()))

    monkeypatch.setattr(Trainer, "step", recorded)
    trainer.observe_health()
    checked = 0
    for epoch in trainer.epochs():
        if epoch.metrics is None:
            continue
        row = trainer.health.row()
        for index in {int(name.split(".")[1]) for name in row if name.endswith("weight_norm")}:
            if not steps:
                assert math.isnan(row[f"layers.{index}.gradient_norm"])
                assert math.isnan(row[f"layers.{index}.update_norm"])
                continue
            views = [parameters.views(vector) for vector in steps[-1]]
            for name, arrays in zip(("gradient_norm", "update_norm", "weight_norm"), views, strict=True):
                expected = norm(array for key, array in arrays.items() if key.startswith(f"layers.{index}."))
                assert row[f"layers.{index}.{name}"] == pytest.approx(expected, rel=1e-5), (epoch.number, name)
                checked += 1
    assert checked >= 18


def test_dead_units_are_those_with_one_output(training):
    """Units whose bias keeps them below 0 for all rows, and one that is constant above 0."""
    trainer = training("training.epochs=1")
    views = trainer.network.parameters.views(trainer.network.parameters.values)
    views["layers.0.biases"][:3] = -100
    views["layers.0.weights"][:, 3] = 0
    views["layers.0.biases"][3] = 1
    assert rows(trainer)[0][f"layers.1.{DEAD}"] == 4 / 8


def test_dead_units_are_those_of_all_rows(training):
    """Also if several threads predict: a unit that is alive in the last rows only is not dead."""
    trainer = training("training.epochs=1", "training.threads=2")
    network = trainer.network
    network.micro_batch_rows = 20  # so that each thread has some chunks of rows
    slow_down(network)
    trainer.experiment.data["training"].inputs[:] = np.repeat([[-1.0], [1.0]], [50, 10], axis=0)
    views = network.parameters.views(network.parameters.values)
    views["layers.0.weights"][:], views["layers.0.biases"][:] = 1, 0
    assert rows(trainer)[0][f"layers.1.{DEAD}"] == 0


def test_dead_units_are_those_of_the_training_set(training):
    """Also if the validation set has rows for which they are alive."""
    trainer = training("training.epochs=1")
    trainer.experiment.data["training"].inputs[:] = -1
    trainer.experiment.data["validation"].inputs[:1] = 1
    views = trainer.network.parameters.views(trainer.network.parameters.values)
    views["layers.0.weights"][:], views["layers.0.biases"][:] = 1, 0
    assert rows(trainer)[0][f"layers.1.{DEAD}"] == 1


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dead_units_of_data_from_a_file(workdir, training, dtype):
    """It is evaluated by a network of its own, in blocks of rows."""
    rows_of_table = "".join(f"{index},{index % 7},{'xyz'[index % 3]}\n" for index in range(700))
    (workdir / "data.csv").write_text(f"a,b,target\n{rows_of_table}", encoding="utf-8")
    table = "data={type: table, path: data.csv, target: target}"
    trainer = training(table, "validation=null", f"dtype={dtype}", "training.epochs=1")
    views = trainer.network.parameters.views(trainer.network.parameters.values)
    views["layers.0.biases"][:2] = -100
    assert rows(trainer)[0][f"layers.1.{DEAD}"] == 2 / 8


def test_columns_are_those_of_trainable_and_of_hidden_activation_layers(training):
    """Dropout has none, nor the outputs of the network."""
    network = training(DROPOUT).network
    columns = health_columns(network.layers, network.widths[0])
    assert {name.split(".")[1] for name in columns} == {"0", "1", "3"}
    assert [name for name in columns if name.endswith(DEAD)] == [f"layers.1.{DEAD}"]
    assert set(rows(training(DROPOUT))[10]) == set(columns)


@pytest.mark.parametrize("overrides", [(), NORMALIZED, (DROPOUT, "training.batch_size=7")])
def test_training_keeps_every_bit(training, overrides):
    """Weights and metrics of an observed training."""
    one, other = training(*overrides), training(*overrides)
    rows(one)
    metrics = [epoch.metrics for epoch in other.epochs() if epoch.metrics is not None]
    again = training(*overrides)
    again.observe_health()
    assert [epoch.metrics for epoch in again.epochs() if epoch.metrics is not None] == metrics
    assert one.network.parameters.values.tobytes() == other.network.parameters.values.tobytes()


def test_methods_of_the_layers_are_restored(training):
    """Steps that are not observed have no overhead."""
    trainer = training()
    rows(trainer)
    assert not any("forward" in vars(layer) for layer in trainer.network.layers)


def test_norm_that_is_too_large_is_not_a_number(training):
    """Its square exceeds the largest float32."""
    trainer = training()
    trainer.network.parameters.trainable[...] = 1e25
    health = trainer.observe_health()
    assert math.isnan(health.row()["layers.0.weight_norm"])


def test_units_that_die_while_training_are_dead_from_then_on(training):
    """Each logged epoch has the units that are dead at it, whatever their outputs were before."""
    trainer = training()
    health, parameters, found = trainer.observe_health(), trainer.network.parameters, []
    for epoch in trainer.epochs():
        if epoch.metrics is not None:
            found.append(health.row()[f"layers.1.{DEAD}"])
            parameters.views(parameters.values)["layers.0.biases"][:5] = -100
    assert found == [0, 5 / 8, 5 / 8, 5 / 8]


def test_step_is_observed_once(training):
    """A row without a step of its own has no gradients, and no updates."""
    trainer = training()
    rows(trainer)
    row = trainer.health.row()
    assert math.isnan(row["layers.0.gradient_norm"])
    assert math.isnan(row["layers.0.update_norm"])
    assert row["layers.0.weight_norm"] > 0
