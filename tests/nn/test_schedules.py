"""Schedules in a chain, with the decay of an optimizer, and at their ends."""

import numpy as np
import pytest

from nncli.nn.optimizers.sgd import SGD
from nncli.nn.schedules import Cosine, Exponential, Step, Warmup


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
