"""The metrics of a training: best values, thinned curves, and a validation loss that has risen."""

from contextlib import contextmanager
from itertools import pairwise

import pytest

from nncli.report.live_history import POINTS, RECENT, Best, History, history_of
from nncli.runner.resume import resume
from nncli.store.run_reader import Run
from tests.examples import train_config


def logged(values, name="validation_loss"):
    """The history of one metric, logged at every epoch."""
    history = History()
    for epoch, value in enumerate(values):
        history.add(epoch, {name: value})
    return history


@pytest.mark.parametrize(("name", "best"), [("loss", Best(1.0, 2)), ("validation_accuracy", Best(3.0, 0))])
def test_best_value_follows_the_direction_of_the_metric(name, best):
    """The lowest loss, the highest accuracy; of equal ones the first."""
    assert logged([3.0, 2.0, 1.0, 1.0, 3.0], name).best == {name: best}


def test_validation_loss_has_risen_once_the_last_values_are_clearly_higher():
    """Neither a single outlier nor noise is a rise, and a loss that falls again ends it."""
    assert logged([2.0, 1.0, *[1.2] * (RECENT - 1)]).risen_since is None
    assert logged([2.0, 1.0, *[1.2] * RECENT]).risen_since == 1
    assert logged([2.0, 1.0, *[1.02] * RECENT]).risen_since is None
    assert [logged([1.0, *[1.2] * count]).risen_since for count in (4, 5)] == [None, 0]
    assert logged([2.0, 1.0, *[1.2] * RECENT, 0.9]).risen_since is None
    assert logged([1.0, *[2.0] * 10], "loss").risen_since is None


@pytest.mark.parametrize("count", [1, 2, 2 * POINTS + 1, 9 * POINTS])
def test_curve_is_thinned_evenly(count):
    """The first and the last epoch are in it, each with its own value, and it is bounded."""
    epochs, values = logged(list(map(float, range(count)))).curve("validation_loss")
    assert (epochs[0], epochs[-1]) == (0, count - 1)
    assert values == list(map(float, epochs))
    assert len(epochs) <= 2 * POINTS + 1
    assert len({later - earlier for earlier, later in pairwise(epochs[:-1])}) <= 1


def test_history_of_a_resumed_training_is_that_of_its_run(workdir):
    """Its panel begins with the curves and the best values of metrics.csv."""
    histories = []

    @contextmanager
    def observer(writer):
        histories.append(history_of(writer))
        yield lambda epoch: None

    train_config(workdir / "config.yaml", runs=workdir / "runs", observer=observer)
    resume(workdir / "runs" / "config", ("training.epochs=40",), observer=observer)
    new, resumed = histories
    assert (new.count, new.latest) == (0, {})
    assert (resumed.count, resumed.epoch) == (4, 30)
    metrics = Run(workdir / "runs" / "config").metrics
    assert resumed.curve("validation_loss") == ([0, 10, 20, 30], metrics.column("validation_loss").tolist()[:4])
    assert resumed.best["loss"].value == metrics.column("loss")[:4].min()
