"""Schedules in a chain, with the decay of an optimizer, and at their ends."""

import numpy as np
import pytest

from nncli.nn.optimizers.sgd import SGD
from nncli.nn.schedules import Cosine, Exponential, Step, Warmup, inverse_time
from tests.nn.test_contracts import named
from tests.nn.witnesses import WITNESSES

LONG = {  # arguments with which a factor still changes after many thousands of updates
    "step": {"every": 997, "gamma": 0.97},
    "exponential": {"gamma": 0.99995},
    "cosine": {"updates": 60_000, "lowest": 0.05},
    "warmup": {"updates": 70_000},
}
UPDATES = [0, 1, 255, 256, 996, 997, 998, 4_985, 4_999, 5_000, 5_001, 9_999, 10_001, 32_768, 49_999, 59_999]


@pytest.mark.parametrize("entry", named("schedule"))
def test_a_long_schedule_is_the_formula_to_its_end(entry):
    """The factor follows the formula for tens of thousands of updates."""
    schedule = entry.target(**LONG[entry.name])
    factors = [schedule.factor(t) for t in UPDATES]
    expected = [WITNESSES["schedule", entry.name][0](schedule, t) for t in UPDATES]
    assert factors == pytest.approx(expected, rel=1e-10)
    assert len(set(factors[-3:])) == 3  # it has not come to rest


def test_a_warmup_hands_over_after_many_updates():
    """The schedule that follows counts its updates from the end of a long warm-up."""
    warmup = Warmup(20_000, Exponential(0.9999))
    assert [warmup.factor(20_000 + t) for t in (0, 1, 30_000)] == pytest.approx([1, 0.9999, 0.9999**30_000], rel=1e-12)


@pytest.mark.parametrize("entry", named("schedule"))
def test_a_step_follows_its_schedule_after_any_number_of_updates(entry):
    """An optimizer asks its schedule for the factor of the very update, and its step has that learning rate."""
    schedule, optimizer = entry.target(**LONG[entry.name]), SGD(0.5, decay=1e-3)
    values, gradients = np.zeros(1), np.ones(1)
    optimizer.attach(values, gradients, schedule)
    for updates in UPDATES:
        optimizer.updates, values[0], optimizer.state["velocity"][0] = updates, 0, 0
        optimizer.step()
        expected = 0.5 / (1 + 1e-3 * updates) * schedule.factor(updates)
        assert (-values[0], optimizer.rate) == pytest.approx((expected, expected), rel=1e-13)


def test_inverse_time_decay_goes_on_for_ever():
    """The learning rate falls by the formula after any number of updates."""
    for updates in (0, 1, 4_999, 5_000, 5_001, 10**6, 10**12):
        assert inverse_time(0.5, 1e-3, updates) == pytest.approx(0.5 / (1 + 1e-3 * updates), rel=1e-15)


def test_a_warmup_hands_over():
    """Behind the warm-up the next schedule begins at its own update 0, also through two hand-overs."""
    then = Warmup(2, Step(every=2, gamma=0.5))
    factors = [Warmup(4, then).factor(t) for t in range(11)]
    assert factors == [0.25, 0.5, 0.75, 1.0, 0.5, 1.0, 1.0, 1.0, 0.5, 0.5, 0.25]


def test_a_cosine_stays_at_its_end():
    """Behind its last update the factor is the lowest one."""
    cosine = Cosine(updates=10, lowest=0.125)
    assert cosine.factor(0) == 1
    assert cosine.factor(10) == cosine.factor(10_000) == 0.125


def test_a_cosine_without_an_end_is_refused():
    """A spec fills it in; a program that does not is told."""
    with pytest.raises(ValueError, match="needs to know when it ends"):
        Cosine().factor(0)


def test_a_factor_may_vanish():
    """After millions of updates an exponential factor is 0, and no error."""
    assert Exponential(0.9).factor(10**7) == 0


def test_decay_and_schedule_multiply():
    """The rate of an update is η / (1 + decay t) times the schedule's factor, and so is the step."""
    optimizer, values, gradients = SGD(0.5, decay=0.25), np.zeros(1), np.ones(1)
    optimizer.attach(values, gradients, Step(every=1, gamma=0.5))
    for t in range(3):
        before = values[0]
        optimizer.step()
        assert before - values[0] == pytest.approx(0.5 / (1 + 0.25 * t) * 0.5**t, rel=1e-15)
        assert optimizer.rate == pytest.approx(0.5 / (1 + 0.25 * t) * 0.5**t, rel=1e-15)
