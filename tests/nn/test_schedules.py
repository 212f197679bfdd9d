"""Learning rate schedules in a chain, with the decay of an optimizer, and after their end."""

import numpy as np
import pytest

from nncli.nn.optimizers.sgd import SGD
from nncli.nn.schedules import Cosine, Exponential, Step, Warmup, inverse_time
from tests.nn.reference_implementations import REFERENCES
from tests.nn.test_contracts import named

LONG_ARGUMENTS = {  # arguments with which a factor still changes after many thousands of updates
    "step": {"every": 997, "gamma": 0.97},
    "exponential": {"gamma": 0.99995},
    "cosine": {"updates": 60_000, "lowest": 0.05},
    "warmup": {"updates": 70_000},
}
UPDATES = [0, 1, 255, 256, 996, 997, 998, 4_985, 4_999, 5_000, 5_001, 9_999, 10_001, 32_768, 49_999, 59_999]


@pytest.mark.parametrize("entry", named("schedule"))
def test_long_schedule_matches_the_reference(entry):
    """The factor is that of the reference implementation for tens of thousands of updates."""
    schedule = entry.target(**LONG_ARGUMENTS[entry.name])
    factors = [schedule.factor(t) for t in UPDATES]
    expected = [REFERENCES["schedule", entry.name][0](schedule, t) for t in UPDATES]
    assert factors == pytest.approx(expected, rel=1e-10)
    assert len(set(factors[-3:])) == 3  # it still changes


def test_schedule_after_a_long_warmup_starts_at_its_update_0():
    """The schedule that follows counts updates from the end of the warm-up."""
    warmup = Warmup(20_000, Exponential(0.9999))
    assert [warmup.factor(20_000 + t) for t in (0, 1, 30_000)] == pytest.approx([1, 0.9999, 0.9999**30_000], rel=1e-12)


@pytest.mark.parametrize("entry", named("schedule"))
def test_optimizer_follows_its_schedule_after_any_number_of_updates(entry):
    """The update has the learning rate of the schedule at its number."""
    schedule, optimizer = entry.target(**LONG_ARGUMENTS[entry.name]), SGD(0.5, decay=1e-3)
    values, gradients = np.zeros(1), np.ones(1)
    optimizer.attach(values, gradients, schedule)
    for updates in UPDATES:
        optimizer.updates, values[0], optimizer.state["velocity"][0] = updates, 0, 0
        optimizer.step()
        expected = 0.5 / (1 + 1e-3 * updates) * schedule.factor(updates)
        assert (-values[0], optimizer.rate) == pytest.approx((expected, expected), rel=1e-13)


def test_inverse_time_decay_matches_the_formula():
    """After any number of updates."""
    for updates in (0, 1, 4_999, 5_000, 5_001, 10**6, 10**12):
        assert inverse_time(0.5, 1e-3, updates) == pytest.approx(0.5 / (1 + 1e-3 * updates), rel=1e-15)


def test_warmup_is_followed_by_another_schedule():
    """The next schedule starts at its update 0, also in a chain of three."""
    then = Warmup(2, Step(every=2, gamma=0.5))
    factors = [Warmup(4, then).factor(t) for t in range(11)]
    assert factors == [0.25, 0.5, 0.75, 1.0, 0.5, 1.0, 1.0, 1.0, 0.5, 0.5, 0.25]


def test_cosine_stays_at_its_lowest_factor():
    """After its last update the factor is constant."""
    cosine = Cosine(updates=10, lowest=0.125)
    assert cosine.factor(0) == 1
    assert cosine.factor(10) == cosine.factor(10_000) == 0.125


def test_cosine_without_updates_is_an_error():
    """A config has a default; a program has to give it."""
    with pytest.raises(ValueError, match="a cosine schedule needs updates"):
        Cosine().factor(0)


def test_exponential_may_underflow():
    """After millions of updates the factor is 0, which is no error."""
    assert Exponential(0.9).factor(10**7) == 0


def test_decay_and_schedule_multiply():
    """The learning rate is η / (1 + decay t) times the factor of the schedule."""
    optimizer, values, gradients = SGD(0.5, decay=0.25), np.zeros(1), np.ones(1)
    optimizer.attach(values, gradients, Step(every=1, gamma=0.5))
    for t in range(3):
        before = values[0]
        optimizer.step()
        assert before - values[0] == pytest.approx(0.5 / (1 + 0.25 * t) * 0.5**t, rel=1e-15)
        assert optimizer.rate == pytest.approx(0.5 / (1 + 0.25 * t) * 0.5**t, rel=1e-15)
