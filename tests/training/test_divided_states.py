"""The state of a training whose steps are divided: stored and restored at any batch, and observed."""

from math import isinf, sqrt

import numpy as np
import pytest

from nncli.experiment.numerics import allow_non_finite
from nncli.processes import CAN_FORK
from tests.examples import NORMALIZED, SINE
from tests.training.divided import arrays, require_agreement, same_bits, train_batches, trained
from tests.training.test_state import CHANGES, copied

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not CAN_FORK, reason="processes are forked")]

DROPPED = CHANGES["dropout in mini-batches"]
OF_DIVIDED = {
    **CHANGES,
    "dropout in a full batch": DROPPED[:1],
    "book in a full batch": ("rng=nnfs", *DROPPED[:1]),
    "running statistics": NORMALIZED,
    "schedule": ("schedule=cosine", "optimizer={type: sgd, momentum: 0.9}", "training.batch_size=16"),
}
# the gradient of the penalty is about 1e160, and its square is not finite; an update changes weights by a fifth
STEEP = ("regularization.l2=1e160", "optimizer={type: sgd, learning_rate: 1e-161}", "dtype=float64")


def stopped_after(divided, processes, overrides, updates):
    """A training that was stopped after some updates, and the metrics that it has logged."""
    trainer = divided(processes, *overrides, stop=lambda: trainer.optimizer.updates >= updates)
    return trainer, [epoch for epoch in trainer.epochs() if epoch.metrics]


@pytest.mark.parametrize("overrides", OF_DIVIDED.values(), ids=OF_DIVIDED)
@pytest.mark.parametrize("updates", [0, 1, 6, 8])
def test_restored_state_continues_to_the_same_bits(divided, overrides, updates):
    """Another trainer that restores it ends like the one that was not interrupted, with the same metrics."""
    overrides = (*overrides, "training.epochs=12")
    uninterrupted, second = divided(2, *overrides), divided(2, *overrides)
    expected = [epoch for epoch in uninterrupted.epochs() if epoch.metrics]
    first, logged = stopped_after(divided, 2, overrides, updates)
    assert first.optimizer.updates == updates
    second.restore(copied(first.state()))
    logged += [epoch for epoch in second.epochs() if epoch.metrics]
    assert logged == expected
    assert same_bits(arrays(second), arrays(uninterrupted))


@pytest.mark.parametrize("overrides", OF_DIVIDED.values(), ids=OF_DIVIDED)
@pytest.mark.parametrize("updates", [1, 6])
def test_state_of_processes_continues_on_another_number(divided, overrides, updates):
    """What two have begun, one and three continue, as if there had always been one."""
    overrides = (*overrides, "training.epochs=12", "dtype=float64")
    expected = trained(divided(1, *overrides))
    state = copied(stopped_after(divided, 2, overrides, updates)[0].state())
    for processes in (1, 3):
        trainer = divided(processes, *overrides)
        trainer.restore(state)
        list(trainer.epochs())
        require_agreement(expected, {**arrays(trainer), "metrics": expected["metrics"]})


@pytest.mark.parametrize("overrides", OF_DIVIDED.values(), ids=OF_DIVIDED)
@pytest.mark.parametrize("updates", [1, 6])
def test_state_agrees_with_that_of_one_process(divided, overrides, updates):
    """Also within an epoch: counters and random numbers are equal, vectors but for rounding."""
    one, two = (stopped_after(divided, each, (*overrides, "dtype=float64"), updates)[0] for each in (1, 2))
    scalars, others = one.state().scalars(), two.state().scalars()
    assert scalars.pop("best_value") == pytest.approx(others.pop("best_value"))
    assert scalars == others
    require_agreement(arrays(one), arrays(two))


def test_state_is_restored_while_steps_are_divided(divided):
    """The processes continue from the restored state, with its random numbers, and not from their own."""
    trainer = divided(2, *DROPPED, "dtype=float64")
    with trainer.divided(2):
        first = trainer.parts()
        trainer.train_batch(next(first))
        state = copied(trainer.state())
        trainer.train_batch(next(first))
        expected = arrays(trainer)
        trainer.restore(state)
        assert not same_bits(arrays(trainer), expected)
        trainer.train_batch(next(trainer._batches_in_progress))
        assert same_bits(arrays(trainer), expected)


def test_state_between_two_steps_is_the_newest(divided):
    """Each time it is asked for, although the processes have copies of their own."""
    one, two = (divided(each, "dtype=float64", "training.batch_size=16") for each in (1, 2))
    with one.divided(1), two.divided(2):
        for part, _ in zip(one.parts(), two.parts(), strict=True):
            one.train_batch(part)
            two.train_batch(part)
            require_agreement(arrays(one), arrays(two))


def test_weights_set_between_two_divisions_are_trained(divided):
    """Processes begin with the weights that the network has then, and leave theirs in it."""
    one, two = (divided(each, "dtype=float64") for each in (1, 2))
    for trainer, processes in ((one, 1), (two, 2)):
        train_batches(trainer, processes)
        trainer.network.parameters.values[...] *= 2
        trainer.batch = 0
        train_batches(trainer, processes)
    require_agreement(arrays(one), arrays(two))


@allow_non_finite
def test_state_is_the_newest_if_squares_overflow(divided):
    """A step whose gradients are searched before its update also ends with the updated weights."""
    one, two = (divided(each, *STEEP) for each in (1, 2))
    results = trained(one), trained(two)
    gradients = one.network.parameters.gradients
    assert isinf(gradients.dot(gradients))
    require_agreement(*results)


@pytest.mark.parametrize("clipping", ["null", "{type: norm, limit: 1e150}"])
@allow_non_finite
def test_sum_of_squares_may_overflow_although_no_term_does(divided, clipping):
    """The squares of the gradients of each process are finite, their sum is not; training goes on."""
    weights = divided(1, "dtype=float64").network.parameters.trainable
    l2 = 1.55e154 / sqrt(weights.dot(weights)) / 2  # the norm of the gradient 2 λ w is 1.55e154
    changes = (f"regularization.l2={l2!r}", f"optimizer={{type: sgd, learning_rate: {0.01 / l2!r}}}")
    changes = (*changes, f"clipping={clipping}", "dtype=float64", "training.epochs=1")
    two = divided(2, *changes)
    with two.divided(2):
        two.train_batch(next(two.parts()))
        squares = two._parallel._squares[:, :1]
        assert np.isfinite(squares).all()
        assert isinf(squares.sum())
    require_agreement(trained(divided(1, *changes)), trained(divided(2, *changes)))


@allow_non_finite
def test_norm_of_float32_gradients_is_computed_in_float64(divided):
    """Their squares overflow float32, but the gradients are clipped as on one process."""
    changes = ("regularization.l2=1e25", "clipping={type: norm, limit: 0.01}", "optimizer=sgd", "training.epochs=1")
    one, two = (divided(each, *changes) for each in (1, 2))
    require_agreement(trained(one), trained(two), tolerance=1e-3)


@pytest.mark.parametrize("overrides", [*OF_DIVIDED.values(), SINE], ids=[*OF_DIVIDED, "regression"])
def test_health_is_that_of_one_process(divided, overrides):
    """Norms of gradients, updates and weights by layer, and dead units, at every second epoch."""
    rows = []
    for processes in (1, 2):
        trainer = divided(processes, *overrides, "dtype=float64", "training.log_every=2", "training.epochs=5")
        health = trainer.observe_health()
        rows.append([health.row() for epoch in trainer.epochs() if epoch.metrics])
    assert len(rows[0]) == 4
    for one, two in zip(*rows, strict=True):
        assert two == pytest.approx(one, rel=1e-9, nan_ok=True)


@pytest.mark.parametrize("overrides", [DROPPED, NORMALIZED])
def test_observation_changes_no_bit(divided, overrides):
    """Weights, state and metrics of an observed training."""
    observed = divided(2, *overrides)
    observed.observe_health()
    assert same_bits(trained(observed), trained(divided(2, *overrides)))
