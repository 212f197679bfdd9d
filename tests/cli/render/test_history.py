"""The metrics of a training: best values, thinned curves, and a validation loss that has risen."""

from itertools import pairwise

import pytest

from nncli.cli.render.history import POINTS, RECENT, Best, History


def history_of(values, name="validation_loss"):
    """The history of one metric, logged at every epoch."""
    history = History()
    for epoch, value in enumerate(values):
        history.add(epoch, {name: value})
    return history


@pytest.mark.parametrize(("name", "best"), [("loss", Best(1.0, 2)), ("validation_accuracy", Best(3.0, 0))])
def test_best_value_follows_the_direction_of_the_metric(name, best):
    """The lowest loss, the highest accuracy; of equal ones the first."""
    assert history_of([3.0, 2.0, 1.0, 1.0, 3.0], name).best == {name: best}


def test_validation_loss_has_risen_once_the_last_values_are_clearly_higher():
    """Neither a single outlier nor noise is a rise, and a loss that falls again ends it."""
    assert history_of([2.0, 1.0, *[1.2] * (RECENT - 1)]).risen_since is None
    assert history_of([2.0, 1.0, *[1.2] * RECENT]).risen_since == 1
    assert history_of([2.0, 1.0, *[1.02] * RECENT]).risen_since is None
    assert history_of([2.0, 1.0, *[1.2] * RECENT, 0.9]).risen_since is None
    assert history_of([1.0, *[2.0] * 10], "loss").risen_since is None


@pytest.mark.parametrize("count", [1, 2, 2 * POINTS + 1, 9 * POINTS])
def test_curve_is_thinned_evenly(count):
    """The first and the last epoch are in it, each with its own value, and it is bounded."""
    epochs, values = history_of(list(map(float, range(count)))).curve("validation_loss")
    assert (epochs[0], epochs[-1]) == (0, count - 1)
    assert values == list(map(float, epochs))
    assert len(epochs) <= 2 * POINTS + 1
    assert len({later - earlier for earlier, later in pairwise(epochs[:-1])}) <= 1
