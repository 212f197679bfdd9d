"""Divergence in a step that processes divide: found as on one process, in the same array at the same place."""

from itertools import islice

import numpy as np
import pytest

from nncli.errors import DivergedError
from nncli.experiment.numerics import allow_non_finite
from nncli.nn import microbatching
from nncli.nn.layers.dropout import Dropout
from nncli.processes import CAN_FORK
from nncli.store.checkpoint import unpack
from tests.examples import DENSE_8, NORMALIZED
from tests.fault_injection.child_processes import children
from tests.training.divided import arrays

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not CAN_FORK, reason="processes are forked")]

EXACT = "dtype=float64"
BATCHES = "training.batch_size=16"
MOST_STEPS = 8  # that a change needs to have an effect
DROPPED = f"layers=[{DENSE_8}, linear, {{type: dropout, rate: 0.5}}, {{type: dense, units: 3}}, softmax]"
ODD = DROPPED.replace("units: 8", "units: 7")


def parts_of_epochs(trainer):
    """The batches of this epoch and of all that follow."""
    while True:
        yield from trainer.parts()
        trainer.epoch, trainer.batch = trainer.epoch + 1, 0


@allow_non_finite
def diverged(trainer, processes, change, updates=0):
    """The error of a training after a change, and copies of its state before and after the step that diverged.

    Args:
        trainer: the training.
        processes: the number of processes.
        change: a function of the trainer and its parameters by name, which changes some of them.
        updates: the updates before the change.
    """
    with trainer.divided(processes):
        parts = parts_of_epochs(trainer)
        for _ in range(updates):
            trainer.train_batch(next(parts))
        change(trainer, trainer.network.parameters.views(trainer.state().vectors["values"]))
        if trainer._parallel:
            trainer._parallel.load()
        for part in islice(parts, MOST_STEPS):
            before = arrays(trainer)
            try:
                trainer.train_batch(part)
            except DivergedError as error:
                return error, before, arrays(trainer)
    return pytest.fail("training has not diverged")


def spoil_inputs(trainer, parameters):
    trainer._batches.inputs[47, 1] = trainer.rows_of("training").inputs[47, 1] = np.nan


def spoil_targets(trainer, parameters):
    trainer._batches.targets[5, 2] = trainer.rows_of("training").encoded[5, 2] = np.inf


def spoil_weights(trainer, parameters):
    parameters["layers.0.weights"][1, 6] = np.nan


def spoil_state(trainer, parameters):
    trainer.optimizer.state["squares"][-1] = np.inf
    spoil_weights(trainer, parameters)  # a state alone changes no gradient


def enlarge_outputs(trainer, parameters):
    parameters["layers.0.weights"][...] = 1e200
    parameters["layers.2.weights"][...] = -1e200


def enlarge_biases(trainer, parameters):
    parameters["layers.0.biases"][...] = 1e308  # twice as large where dropout keeps them; their sum overflows


def change_nothing(trainer, parameters):
    pass


STEEP = ("optimizer={type: adagrad, learning_rate: 1e-200}", "regularization.l2=1e160")
FAST = ("optimizer={type: sgd, learning_rate: 1e308}", "regularization.l2=100")
# what is changed, and the changes of the config
CASES = {
    "inputs": (spoil_inputs, "row 47, column 1 of the training set's inputs is nan", ()),
    "targets": (spoil_targets, "row 5, column 2 of the training set's targets is inf", ()),
    "weights": (spoil_weights, "layers.0.weights is no longer finite (nan at [1, 6])", ()),
    "state of the optimizer": (spoil_state, "the optimizer's squares of layers.2.biases is no longer finite", ()),
    "outputs": (enlarge_outputs, "the outputs of layers[2] (dense) are no longer finite (-inf at ", ()),
    "outputs of dropout": (
        enlarge_biases,
        "the outputs of layers[2] (dropout) are no longer finite (inf at ",
        (DROPPED,),
    ),
    "learning rate": (
        change_nothing,
        "the learning rate of the last update, 1e+10 times weight_decay 1e+300, gives a factor that is not finite",
        ("optimizer={type: adamw, learning_rate: 1e10, weight_decay: 1e300}",),
    ),
    "weights after a large update": (  # the learning rate without the warmup would give a factor that is not finite
        change_nothing,
        "the outputs of layers[2] (dense) are no longer finite",
        ("optimizer={type: adamw, learning_rate: 1e10, weight_decay: 1e299}", "schedule={type: warmup, updates: 1000}"),
    ),
    "gradient of a penalty": (change_nothing, "the gradient of the penalty on layers.0.", ("regularization.l2=1e308",)),
    "running statistics": (enlarge_biases, "layers.1.running_mean is no longer finite (inf", NORMALIZED[:1]),
}


def location(error):
    """The attributes that say where a value was found."""
    return error.epoch, error.batch, error.layer, error.array, error.index


@pytest.mark.parametrize("processes", [2, 3])
@pytest.mark.parametrize("batches", [(), (BATCHES,)], ids=["full batch", "mini-batches"])
@pytest.mark.parametrize(("change", "text", "changes"), CASES.values(), ids=CASES)
def test_value_is_found_as_on_one_process(divided, change, text, changes, batches, processes):
    """In the same step, with the same message, and with the attributes that say where."""
    one, other = (diverged(divided(each, *changes, EXACT, *batches), each, change)[0] for each in (1, processes))
    assert text in str(one)
    assert str(other) == str(one)
    assert location(other) == location(one)


@pytest.mark.parametrize("name", ["weights", "outputs", "outputs of dropout", "state of the optimizer"])
@pytest.mark.parametrize("updates", [1, 5])
def test_parameters_are_those_before_the_step(divided, name, updates):
    """The error leaves weights and optimizer state as they were, with the values that led to it."""
    change, _, changes = CASES[name]
    results = [diverged(divided(each, *changes, EXACT, BATCHES), each, change, updates) for each in (1, 2)]
    for _, before, after in results:
        assert before["updates"] == after["updates"] == updates
        for vector in before.keys() - {"gradients"}:
            np.testing.assert_array_equal(before[vector], after[vector])
    (one, *_), (two, *_) = results
    assert location(one) == location(two)


@pytest.mark.parametrize("rng", ["derived", "nnfs"])
@pytest.mark.parametrize("size", ["null", 16])
@pytest.mark.parametrize("activations", [10**6, 3], ids=["whole batches", "micro-batches"])
@pytest.mark.parametrize("updates", [0, 5, 103])
def test_replay_has_the_masks_of_the_failing_step(divided, monkeypatch, rng, size, activations, updates):
    """The search draws the dropout masks of that step again, whichever generator they come from."""
    monkeypatch.setattr(microbatching, "MICRO_BATCH_BYTES", 1)
    monkeypatch.setattr(microbatching, "MIN_ACTIVATIONS_PER_PARAMETER", activations)  # fewer rows for a part of them
    trainer, masks, fill = divided(2, ODD, EXACT, f"rng={rng}", f"training.batch_size={size}"), [], Dropout.fill

    def recorded(layer, mask):
        fill(layer, mask)
        if trainer.optimizer.updates == updates:
            masks.append(mask.copy())

    monkeypatch.setattr(Dropout, "fill", recorded)
    error, *_ = diverged(trainer, 2, enlarge_biases, updates)
    assert CASES["outputs of dropout"][1] in str(error)
    last = 60 if size == "null" else min(16, 60 - updates % 4 * 16)
    passes = len(trainer.network.micro_batches(last))
    assert len(masks) >= 2 * passes >= (2 if activations > 3 else 6)
    np.testing.assert_array_equal(np.concatenate(masks[:passes]), np.concatenate(masks[-passes:]))


@pytest.mark.parametrize(
    ("changes", "text", "updates"),
    [
        pytest.param(STEEP, "epoch 0: the optimizer's squares of layers.0.weights is no longer", 1, id="at once"),
        pytest.param(FAST, "epoch 1: the optimizer's velocity of layers.0.weights is no longer", 1, id="a step later"),
    ],
)
def test_state_that_overflows_in_an_update_is_found(divided, changes, text, updates):
    """At once if the squares of the gradients overflow, else by the next step, whose gradients are not finite."""
    for processes in (1, 2):
        error, _, after = diverged(divided(processes, *changes, EXACT), processes, change_nothing)
        assert text in str(error)
        assert after["updates"] == updates
        assert not all(np.isfinite(each).all() for each in (after["values"], after.get("squares", 0)))


@pytest.mark.parametrize("kind", ["norm", "value"])
def test_clipping_hides_no_divergence(divided, kind):
    """A gradient that is not finite is reported, and not clipped to a finite one."""
    changes = (f"clipping={{type: {kind}, limit: 1}}", EXACT)
    one, two = (diverged(divided(each, *changes), each, enlarge_outputs)[0] for each in (1, 2))
    assert "the outputs of layers[2] (dense) are no longer finite" in str(one)
    assert str(two) == str(one)


@pytest.mark.parametrize("batch_size", ["null", 16])
def test_command_ends_as_on_one_process(divided, run_cli, workdir, batch_size):
    """With the same message and exit code; checkpoints are finite, and no process is left."""
    divided(1)  # from here on steps are divided however short they are
    before, errors = children(), []
    for threads in (1, 2):
        changes = (f"training.threads={threads}", f"training.batch_size={batch_size}", "optimizer.learning_rate=1e30")
        result = run_cli("train", "config.yaml", *changes, "training.checkpoint_seconds=0", "-q", "--name", threads)
        assert result.code == 7
        errors.append(result.err.replace(f"runs/{threads}/", ""))
        for path in (workdir / "runs" / str(threads) / "checkpoints").iterdir():
            assert all(np.isfinite(each).all() for each in unpack(path.read_bytes()).state.vectors.values())
    assert children() == before
    assert errors[0] == errors[1]
