"""What the tests of divided steps have in common."""

import os
import signal
from contextlib import contextmanager
from itertools import count
from unittest.mock import patch

import numpy as np

from nncli.data.batches import Batches
from nncli.experiment.numerics import allow_non_finite


def trained(trainer):
    """Train to the end; everything that was computed, as arrays by name."""
    logged = [epoch.metrics for epoch in trainer.epochs() if epoch.metrics]
    return {"metrics": np.array([list(row.values()) for row in logged]), **arrays(trainer)}


def arrays(trainer):
    """Copies of the state and the gradients of a training, by name."""
    state = trainer.state()
    vectors = {**state.vectors, "gradients": trainer.network.parameters.gradients}
    return {"updates": np.array(state.updates), **{name: vector.copy() for name, vector in vectors.items()}}


def require_agreement(one, other, tolerance=1e-9):
    """Require that two trainings in float64 agree but for rounding: the largest difference by the largest value."""
    assert one.keys() == other.keys()
    for name, expected in one.items():
        scale = np.abs(expected).max(initial=np.finfo(float).tiny)
        np.testing.assert_allclose(other[name], expected, rtol=0, atol=tolerance * scale, err_msg=name)


def same_bits(one, other):
    """Whether two trainings have the same bits."""
    return one.keys() == other.keys() and all(one[name].tobytes() == other[name].tobytes() for name in one)


@allow_non_finite
def train_batches(trainer, processes, count=1):
    """Train some batches, each step divided among the processes."""
    with trainer.divided(processes):
        parts = trainer.parts()
        for _ in range(count):
            trainer.train_batch(next(parts))


@contextmanager
def acting(number, act, owner=Batches, name="gather", in_parent=False):
    """Call a function in each step of the workers, or of the parent, from a number on, counted from 0."""
    original, calls, parent = getattr(owner, name), count(), os.getpid()

    def method(*arguments):
        is_due = next(calls) >= number  # each process counts its own
        if is_due and (os.getpid() == parent) == in_parent:
            act()
        return original(*arguments)

    with patch.object(owner, name, method):
        yield


def kill():
    """End this process, as the system does if there is too little memory."""
    os.kill(os.getpid(), signal.SIGKILL)
