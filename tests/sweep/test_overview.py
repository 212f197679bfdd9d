"""The state of a group while its trials are trained: counts, the best so far, and the time left."""

import pytest

from nncli.sweep import overview as module
from nncli.sweep.overview import Overview
from nncli.sweep.progress import Progress
from tests.sweep.groups import group_in


@pytest.fixture
def clock(monkeypatch):
    """The time in seconds, which a test sets."""
    times = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: times[0])
    return times


def finished(number, value, **changes):
    """A trial that has ended with this metric."""
    return Progress(number, "finished", ("optimizer.type=adam", f"seed={number}"), 1.0, value, **changes)


def test_trials_are_counted_by_their_last_state(tmp_path):
    """Also if several workers report the end of one."""
    overview = Overview(group_in(tmp_path))
    assert not overview.take(Progress(0, "running"))
    assert not overview.take(Progress(1, "running", part=0.5))
    assert overview.take(finished(0, 1.0))
    assert not overview.take(finished(0, 1.0, is_new=False))
    assert overview.trained == 1
    assert overview.take(Progress(2, "failed"))
    assert overview.take(finished(3, 2.0, is_new=False))
    assert (overview.total, overview.ended, overview.trained, overview.done) == (6, 3, 2, 3.5)
    assert {state: count for state, count in overview.counts.items() if count} == {
        "finished": 2,
        "failed": 1,
        "running": 1,
    }
    assert [each.number for each in overview.running] == [1]


def test_a_trial_that_another_worker_saw_first_was_trained_now(tmp_path):
    """The reports of two workers arrive in any order; the end is one."""
    overview = Overview(group_in(tmp_path))
    assert overview.take(finished(0, 1.0, is_new=False))
    assert overview.trained == 0
    assert not overview.take(finished(0, 1.0))
    assert (overview.ended, overview.trained) == (1, 1)


def test_the_curve_has_no_corner_twice(tmp_path):
    """If each trial is better than the one before."""
    overview = Overview(group_in(tmp_path))
    for number, value in enumerate([3.0, 2.0, 1.0]):
        overview.take(finished(number, value))
    assert overview.curve == ([1, 2, 3], [3.0, 2.0, 1.0])


@pytest.mark.parametrize(
    ("metric", "ranks", "values"),
    [
        ("validation_loss", ([1, 2, 3, 5], [3.0, 3.0, 1.0, 1.0]), 1.0),
        ("validation_accuracy", ([1, 3, 4, 5], [3.0, 3.0, 4.0, 4.0]), 4.0),
    ],
)
def test_the_best_follows_the_direction_of_the_metric(tmp_path, metric, ranks, values):
    """Its curve is a line with a step at each better trial."""
    overview = Overview(group_in(tmp_path, metric=metric))
    for number, value in enumerate([3.0, 3.0, 1.0, 4.0, 2.0]):
        overview.take(finished(number, value))
    assert overview.best.value == values
    assert overview.curve == ranks
    assert overview.best_overrides == ("optimizer.type=adam",)


def test_without_axes_the_seed_distinguishes(tmp_path):
    """As in a group of seeds."""
    overview = Overview(group_in(tmp_path, axes=[]))
    overview.take(Progress(1, "finished", ("seeds.weights=1", "seeds.order=1"), 1.0, 0.5))
    assert overview.best_overrides == ("seeds.weights=1",)


def test_the_time_left_follows_from_what_was_trained_now(tmp_path, clock):
    """Two and a half of six trials in ten seconds: the others take as long each."""
    overview = Overview(group_in(tmp_path))
    assert overview.seconds_left is None
    overview.take(finished(5, 1.0, is_new=False))
    clock[0] += 10
    assert overview.seconds_left is None
    overview.take(finished(0, 1.0))
    overview.take(finished(1, 1.0))
    overview.take(Progress(2, "running", part=0.5))
    assert overview.seconds_left == pytest.approx((6 - 3.5) / 2.5 * 10)
    halving = Overview(group_in(tmp_path, "halving", method="halving"))
    clock[0] += 10
    halving.take(finished(0, 1.0))
    assert halving.seconds_left is None  # its trials go on
