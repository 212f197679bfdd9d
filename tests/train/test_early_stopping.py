"""Early stopping: which state counts as the best, when it is over, and which weights are left."""

import numpy as np
import pytest

from nncli.config.model import EarlyStoppingConfig
from nncli.experiment.assembly import assemble
from nncli.experiment.loading import load
from nncli.train.early_stopping import EarlyStopping
from nncli.train.loop import Trainer
from tests.examples import NORMALIZED, SINE

LOWER, HIGHER = "validation_loss", "validation_accuracy"


def observed(section, values, every=1):
    """A stopping that has seen one value after another, and the epoch at which it was due first."""
    stopping, ended = EarlyStopping(section), None
    for index, value in enumerate(values):
        stopping.observe(index * every, {section.metric: value}, np.full(3, float(index)))
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
def test_the_best_is_better_by_more_than_min_delta(metric, values, min_delta, best):
    """Losses get better downwards and accuracies upwards; what is equal, or hardly better, does not count."""
    stopping, _ = observed(EarlyStoppingConfig(metric=metric, min_delta=min_delta), values)
    assert (stopping.best.epoch, stopping.best.value) == (best, values[best])
    assert np.array_equal(stopping.best.values, np.full(3, float(best)))


@pytest.mark.parametrize(
    ("patience", "every", "ended"), [(1, 1, 2), (2, 1, 3), (3, 1, 4), (4, 1, None), (10, 10, 20), (20, 10, 30)]
)
def test_patience_counts_epochs_since_the_best_one(patience, every, ended):
    """Training is due to end as soon as that many epochs have passed, not that many rows of metrics."""
    section = EarlyStoppingConfig(metric=LOWER, patience=patience)
    assert observed(section, [3.0, 1.0, 2.0, 2.0, 2.0], every)[1] == ended


def test_without_a_section_nothing_stops():
    """No early stopping: never due, no best, nothing copied."""
    stopping = EarlyStopping(None)
    stopping.observe(0, {}, np.zeros(3))
    assert stopping.best is None
    assert not stopping.is_due(10**9)


def test_the_best_weights_are_a_copy():
    """What the optimizer does to the weights later does not reach those that were kept."""
    stopping, values = EarlyStopping(EarlyStoppingConfig(metric="loss")), np.zeros(3)
    stopping.observe(0, {"loss": 1.0}, values)
    values += 1
    assert not stopping.best.values.any()


@pytest.mark.parametrize("metric", ["validation_loss", "accuracy"])
def test_training_puts_the_best_weights_back(workdir, metric):
    """The network ends as it was at the best epoch, and ``keep_best`` says which one that was."""
    stopping = f"training.early_stopping={{metric: {metric}, patience: 40}}"
    wild = "optimizer={type: sgd, learning_rate: 5}"
    spec = load(workdir / "config.yaml", (stopping, wild, "training.log_every=1", "training.epochs=200")).config
    training = Trainer(assemble(spec))
    states = [(epoch.metrics[metric], training.network.parameters.values.copy()) for epoch in training.epochs()]
    values = [value for value, _ in states]
    best = values.index(max(values) if metric == "accuracy" else min(values))
    assert len(states) < 201
    assert training.keep_best() == best == training.epoch - 40
    assert np.array_equal(training.network.parameters.values, states[best][1])


def test_the_best_weights_are_put_back_after_the_last_epoch_too(workdir):
    """A training that patience did not end keeps its best state all the same."""
    spec = load(
        workdir / "config.yaml", ("training.early_stopping={metric: loss, min_delta: 100, patience: 31}",)
    ).config
    training = Trainer(assemble(spec))
    first = training.network.parameters.values.copy()
    list(training.epochs())
    assert (training.epoch, training.keep_best()) == (30, 0)
    assert np.array_equal(training.network.parameters.values, first)


def test_without_early_stopping_the_last_epoch_is_kept(workdir):
    """The kept epoch is the last one where nothing watches."""
    training = Trainer(assemble(load(workdir / "config.yaml").config))
    list(training.epochs())
    assert training.keep_best() == 30


def test_training_ends_where_metrics_are_measured(workdir):
    """Patience that runs out between two rows is looked at with the next one, which shows the last state."""
    stopping = "training.early_stopping={metric: loss, min_delta: 100, patience: 15}"
    training = Trainer(assemble(load(workdir / "config.yaml", (stopping, "training.epochs=90")).config))
    *_, last = training.epochs()
    assert training.is_done
    assert (last.number, training.epoch, training.keep_best()) == (20, 20, 0)
    assert last.metrics is not None


def test_the_best_r2_is_the_highest(workdir):
    """A regression that is watched by R² ends with the weights of the epoch in which it was highest."""
    wild = (
        "training.early_stopping={metric: validation_r2, patience: 50}",
        "optimizer.learning_rate=1",
    )
    spec = load(workdir / "config.yaml", (*SINE, *wild, "training.log_every=1", "training.epochs=300")).config
    training = Trainer(assemble(spec))
    states = [
        (epoch.metrics["validation_r2"], training.network.parameters.values.copy()) for epoch in training.epochs()
    ]
    values = [value for value, _ in states]
    best = training.keep_best()
    assert values[best] == max(values)
    assert best < training.epoch
    assert np.array_equal(training.network.parameters.values, states[best][1])


def test_running_statistics_are_put_back_with_the_weights(workdir):
    """The best epoch's means and variances belong to its weights: both are the bits that were measured then."""
    stopping = "training.early_stopping={metric: validation_loss, patience: 20}"
    wild = ("optimizer.learning_rate=0.5", "training.log_every=1", "training.epochs=200")
    training = Trainer(assemble(load(workdir / "config.yaml", (*NORMALIZED, stopping, *wild)).config))
    layer = training.network.layers[1]
    states = [(layer.running_mean.copy(), layer.running_variance.copy()) for _ in training.epochs()]
    best = training.keep_best()
    assert best == training.epoch - 20
    for kept, last, then in zip((layer.running_mean, layer.running_variance), states[-1], states[best], strict=True):
        assert np.array_equal(kept, then)
        assert not np.array_equal(kept, last)
