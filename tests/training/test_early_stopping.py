"""Early stopping: which epoch is the best, when training ends, and which weights are kept."""

import numpy as np
import pytest

from nncli.config.model import EarlyStoppingConfig
from nncli.experiment.assembly import assemble
from nncli.experiment.loading import load
from nncli.training.early_stopping import EarlyStopping
from nncli.training.loop import Trainer
from tests.examples import NORMALIZED, SINE

LOWER, HIGHER = "validation_loss", "validation_accuracy"


def observed(config, values, every=1):
    """Early stopping after these values of the metric, and the first epoch at which it was due."""
    stopping, ended = EarlyStopping(config), None
    for index, value in enumerate(values):
        stopping.observe(index * every, {config.metric: value}, np.full(3, float(index)))
        if ended is None and stopping.is_due(index * every):
            ended = index * every
    return stopping, ended


@pytest.mark.parametrize(
    ("metric", "values", "min_delta", "best"),
    [
        (LOWER, [3.0, 2.0, 1.0, 2.0], 0.0, 2),
        (LOWER, [1.0, 2.0, 3.0], 0.0, 0),
        (LOWER, [3.0, 1.0, 1.0], 0.0, 1),
        (LOWER, [3.0, 2.5, 2.5], 0.5, 0),
        (LOWER, [3.0, 2.5, 2.25], 0.25, 1),
        (LOWER, [3.0, 2.9, 2.8, 2.0], 0.5, 3),
        (HIGHER, [0.1, 0.5, 0.3], 0.0, 1),
        (HIGHER, [0.9, 0.5, 0.3], 0.0, 0),
        (HIGHER, [0.5, 0.5, 0.75], 0.25, 0),
        (HIGHER, [0.5, 0.5, 1.0], 0.25, 2),
        ("accuracy", [0.2, 0.4, 0.1], 0.0, 1),
        ("loss", [0.2, 0.4, 0.1], 0.0, 2),
        ("validation_r2", [-3.0, 0.5, 0.4], 0.0, 1),
        ("validation_mean_absolute_error", [0.3, 0.1, 0.2], 0.0, 1),
        ("validation_auc", [0.5, 0.7, 0.6], 0.0, 1),
    ],
)
def test_best_epoch_improves_by_more_than_min_delta(metric, values, min_delta, best):
    """Losses improve downwards and accuracies upwards; equal or hardly better values do not count."""
    stopping, _ = observed(EarlyStoppingConfig(metric=metric, min_delta=min_delta), values)
    assert (stopping.best.epoch, stopping.best.value) == (best, values[best])
    assert np.array_equal(stopping.best.values, np.full(3, float(best)))


@pytest.mark.parametrize(
    ("patience", "every", "ended"), [(1, 1, 2), (2, 1, 3), (3, 1, 4), (4, 1, None), (10, 10, 20), (20, 10, 30)]
)
def test_patience_counts_epochs_since_the_best_one(patience, every, ended):
    """Training is due to end after that many epochs, not rows of metrics."""
    config = EarlyStoppingConfig(metric=LOWER, patience=patience)
    assert observed(config, [3.0, 1.0, 2.0, 2.0, 2.0], every)[1] == ended


def test_without_a_config_early_stopping_is_never_due():
    """There is no best epoch, and nothing is copied."""
    stopping = EarlyStopping(None)
    stopping.observe(0, {}, np.zeros(3))
    assert stopping.best is None
    assert not stopping.is_due(10**9)


def test_best_weights_are_a_copy():
    """Later updates do not change them."""
    stopping, values = EarlyStopping(EarlyStoppingConfig(metric="loss")), np.zeros(3)
    stopping.observe(0, {"loss": 1.0}, values)
    values += 1
    assert not stopping.best.values.any()


@pytest.mark.parametrize("metric", ["validation_loss", "accuracy"])
def test_keep_best_restores_the_best_weights(workdir, metric):
    """The network ends with the weights of the best epoch, which ``keep_best`` returns."""
    stopping = f"training.early_stopping={{metric: {metric}, patience: 40}}"
    unstable = "optimizer={type: sgd, learning_rate: 5}"
    config = load(workdir / "config.yaml", (stopping, unstable, "training.log_every=1", "training.epochs=200")).config
    training = Trainer(assemble(config))
    states = [(epoch.metrics[metric], training.network.parameters.values.copy()) for epoch in training.epochs()]
    values = [value for value, _ in states]
    best = values.index(max(values) if metric == "accuracy" else min(values))
    assert len(states) < 201
    assert training.keep_best() == best == training.epoch - 40
    assert np.array_equal(training.network.parameters.values, states[best][1])


def test_keep_best_restores_weights_after_the_last_epoch(workdir):
    """Also if patience did not end the training."""
    config = load(
        workdir / "config.yaml", ("training.early_stopping={metric: loss, min_delta: 100, patience: 31}",)
    ).config
    training = Trainer(assemble(config))
    first = training.network.parameters.values.copy()
    list(training.epochs())
    assert (training.epoch, training.keep_best()) == (30, 0)
    assert np.array_equal(training.network.parameters.values, first)


def test_keep_best_without_early_stopping_is_the_last_epoch(workdir):
    """The weights stay as they are."""
    training = Trainer(assemble(load(workdir / "config.yaml").config))
    list(training.epochs())
    assert training.keep_best() == 30


def test_early_stopping_ends_at_a_logged_epoch(workdir):
    """Patience that runs out between two rows takes effect at the next one, which is of the last state."""
    stopping = "training.early_stopping={metric: loss, min_delta: 100, patience: 15}"
    training = Trainer(assemble(load(workdir / "config.yaml", (stopping, "training.epochs=90")).config))
    *_, last = training.epochs()
    assert training.is_done
    assert (last.number, training.epoch, training.keep_best()) == (20, 20, 0)
    assert last.metrics is not None


def test_best_r2_is_the_highest(workdir):
    """A regression monitored by R² ends with the weights of the epoch in which it was highest."""
    unstable = (
        "training.early_stopping={metric: validation_r2, patience: 50}",
        "optimizer.learning_rate=1",
    )
    config = load(workdir / "config.yaml", (*SINE, *unstable, "training.log_every=1", "training.epochs=300")).config
    training = Trainer(assemble(config))
    states = [
        (epoch.metrics["validation_r2"], training.network.parameters.values.copy()) for epoch in training.epochs()
    ]
    values = [value for value, _ in states]
    best = training.keep_best()
    assert values[best] == max(values)
    assert best < training.epoch
    assert np.array_equal(training.network.parameters.values, states[best][1])


def test_keep_best_restores_running_statistics(workdir):
    """Means and variances of the best epoch belong to its weights, bit by bit."""
    stopping = "training.early_stopping={metric: validation_loss, patience: 20}"
    unstable = ("optimizer.learning_rate=0.5", "training.log_every=1", "training.epochs=200")
    training = Trainer(assemble(load(workdir / "config.yaml", (*NORMALIZED, stopping, *unstable)).config))
    layer = training.network.layers[1]
    states = [(layer.running_mean.copy(), layer.running_variance.copy()) for _ in training.epochs()]
    best = training.keep_best()
    assert best == training.epoch - 20
    for kept, last, then in zip((layer.running_mean, layer.running_variance), states[-1], states[best], strict=True):
        assert np.array_equal(kept, then)
        assert not np.array_equal(kept, last)


WITHOUT_GAIN = ("training.early_stopping={metric: loss, min_delta: 100, patience: 15}", "training.log_every=10")


def test_training_ends_at_a_logged_epoch(workdir):
    """The last row of metrics is that of the final weights, also if patience runs out between two rows."""
    trainer = Trainer(assemble(load(workdir / "config.yaml", WITHOUT_GAIN).config))
    trainer._span = 1  # look at every epoch
    seen = [(epoch.number, epoch.metrics is not None) for epoch in trainer.epochs()]
    assert seen == [(number, number in {0, 10, 20}) for number in range(21)]


def test_training_does_not_end_within_an_epoch(workdir):
    """Patience that is reduced then ends it at the next row."""
    changes = ("training.batch_size=16", *WITHOUT_GAIN)
    trainer = Trainer(assemble(load(workdir / "config.yaml", changes).config))
    trainer.stop = lambda: trainer.optimizer.updates >= 2
    list(trainer.epochs())
    trainer.stopping.is_due = lambda epoch: True
    assert (trainer.is_logged, trainer.batch, trainer.is_done) == (True, 2, False)
    trainer.stop = lambda: False
    *_, last = trainer.epochs()
    assert (last.number, last.metrics is not None, trainer.is_done) == (10, True, True)


@pytest.mark.parametrize("epochs", [11, 12, 19])
@pytest.mark.parametrize("changes", [WITHOUT_GAIN[1:], (*WITHOUT_GAIN[1:], "training.early_stopping={metric: loss}")])
def test_row_of_the_last_epoch_is_extra_if_there_are_more_epochs(workdir, epochs, changes):
    """It is dropped once, if it is off the interval and the weights of its epoch are not kept."""
    trainer = Trainer(assemble(load(workdir / "config.yaml", (*changes, f"training.epochs={epochs}")).config))
    list(trainer.epochs())
    best = trainer.stopping.best
    assert not trainer.drop_extra_row()
    for more, kept, expected in ((0, None, False), (20, epochs, False), (20, 10, True), (20, 10, False)):
        trainer.settings = trainer.settings.model_copy({"epochs": epochs + more})
        if best and kept is not None:
            trainer.stopping.best = best._replace(epoch=kept)
        if best or kept != epochs:
            assert trainer.drop_extra_row() is expected
    assert not trainer.is_logged


def test_row_on_the_interval_is_not_extra(workdir):
    """It would be logged with more epochs too."""
    trainer = Trainer(assemble(load(workdir / "config.yaml", ("training.epochs=20", WITHOUT_GAIN[1])).config))
    list(trainer.epochs())
    trainer.settings = trainer.settings.model_copy({"epochs": 40})
    assert not trainer.drop_extra_row()
    assert trainer.is_logged
