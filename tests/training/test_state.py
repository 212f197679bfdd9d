"""The training state: captured and restored as a whole."""

import json

import numpy as np
import pytest

from nncli.experiment.assembly import assemble
from nncli.experiment.loading import load
from nncli.training.loop import Trainer
from nncli.training.state import TrainingState, require_matching_vectors

DROPOUT = "layers=[{type: dense, units: 8}, relu, {type: dropout, rate: 0.3}, {type: dense, units: 3}, softmax]"
STOPPING = "training.early_stopping={metric: loss, patience: 50}"
CHANGES = {
    "plain": (),
    "dropout in mini-batches": (DROPOUT, "training.batch_size=16"),
    "book": ("rng=nnfs", DROPOUT, "training.batch_size=16"),
    "book without dropout": ("rng=nnfs", "training.batch_size=16"),
    "book of two seeds": ("rng=nnfs", "seeds={data: 1, split: 1}", DROPOUT, "training.batch_size=16"),
    "seeds": ("seeds={order: 4, dropout: 5}", DROPOUT, "training.batch_size=16"),
    "early stopping": (STOPPING, "training.batch_size=16"),
}


@pytest.fixture
def prepare(workdir):
    """Assemble the small config with some values changed; ``updates`` is the number of updates to train."""

    def prepared(overrides, updates=None):
        trainer = Trainer(assemble(load(workdir / "config.yaml", overrides).config))
        trainer.stop = lambda: updates is not None and trainer.optimizer.updates >= updates
        return trainer

    return prepared


def copied(state):
    """A state that later steps do not change, and whose scalars went through JSON."""
    vectors = {name: vector.copy() for name, vector in state.vectors.items()}
    return TrainingState(**json.loads(json.dumps(state.scalars())), vectors=vectors)


@pytest.mark.slow
@pytest.mark.parametrize("overrides", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("updates", [0, 1, 6, 8])
def test_restored_state_continues_to_the_same_bits(prepare, overrides, updates):
    """Another trainer that restores it ends like the one that was not interrupted, with the same metrics."""
    uninterrupted = prepare(overrides)
    expected = [epoch for epoch in uninterrupted.epochs() if epoch.metrics]
    first, second = prepare(overrides, updates), prepare(overrides)
    logged = [epoch for epoch in first.epochs() if epoch.metrics]
    second.restore(copied(first.state()))
    logged += [epoch for epoch in second.epochs() if epoch.metrics]
    assert logged == expected
    assert np.array_equal(second.network.parameters.values, uninterrupted.network.parameters.values)


@pytest.mark.parametrize("overrides", CHANGES.values(), ids=CHANGES)
def test_state_is_restored_as_a_whole(prepare, overrides):
    """Capturing it again gives equal scalars and vectors."""
    trainer, other = prepare(overrides, 6), prepare(overrides)
    list(trainer.epochs())
    state = copied(trainer.state())
    other.restore(state)
    assert other.state().scalars() == state.scalars()
    assert state.updates == 6
    assert state.vectors.keys() == other.state().vectors.keys()
    assert all(np.array_equal(vector, state.vectors[name]) for name, vector in other.state().vectors.items())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epoch": 31}, "its epoch 31, batch 2 is not one of this training"),
        ({"batch": 4}, "its epoch 1, batch 4 is not one of this training"),
        ({"rng": None}, "the state of its random numbers is missing"),
        ({"rng": {}}, "not a state of the generator of dropout masks"),
        ({"best_epoch": 0, "best_value": 1.0}, "its vector 'best' is not one of this network and optimizer"),
        ({"vectors": {}}, "its vector 'values' is not one of this network and optimizer"),
    ],
)
def test_state_of_another_training_is_rejected(prepare, changes, message):
    """The message says which field does not belong to this training."""
    overrides = CHANGES["dropout in mini-batches"]
    trainer = prepare(overrides, 6)
    list(trainer.epochs())
    with pytest.raises(ValueError, match=message):
        prepare(overrides).restore(trainer.state().model_copy(changes))


@pytest.mark.parametrize("overrides", CHANGES.values(), ids=CHANGES)
def test_trainer_that_restores_its_first_state_trains_again(prepare, overrides):
    """To the same metrics and bits: nothing is left of the epoch in progress, or of the best epoch."""
    overrides = (*overrides, "training.epochs=4", "training.log_every=1")
    uninterrupted, trainer = prepare(overrides), prepare(overrides, 6)
    expected = [epoch for epoch in uninterrupted.epochs() if epoch.metrics]
    first = copied(trainer.state())
    list(trainer.epochs())
    trainer.restore(first)
    trainer.stop = lambda: False
    assert [epoch for epoch in trainer.epochs() if epoch.metrics] == expected
    assert np.array_equal(trainer.network.parameters.values, uninterrupted.network.parameters.values)


@pytest.mark.parametrize("updates", [6, 8])
def test_state_has_the_random_numbers_of_the_start_of_an_epoch_in_progress_only(prepare, updates):
    """Between two epochs they would be those of the last one."""
    trainer = prepare(CHANGES["book"], updates)
    list(trainer.epochs())
    assert (trainer.state().rng_at_epoch_start is None) is (trainer.batch == 0) is (updates == 8)


def test_random_numbers_that_are_not_needed_are_rejected(prepare):
    """Between two epochs seed and epoch determine the dropout masks."""
    trainer = prepare(CHANGES["dropout in mini-batches"], 6)
    list(trainer.epochs())
    with pytest.raises(ValueError, match="or does not belong to this training"):
        trainer.restore(trainer.state().model_copy({"batch": 0}))


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"values": np.zeros(4, np.float32)},
        {"values": np.zeros(3, np.float64)},
        {"values": np.zeros(3, np.float32), "more": np.zeros(3, np.float32)},
    ],
    ids=["missing", "other length", "other dtype", "one more"],
)
def test_vectors_that_differ_are_rejected(given):
    """In name, length or dtype."""
    with pytest.raises(ValueError, match="is not one of this network and optimizer"):
        require_matching_vectors({"values": np.zeros(3, np.float32)}, given)


def test_progress_names_the_batch_within_an_epoch():
    """Between epochs it names the epoch only."""
    assert TrainingState(epoch=3, batch=0, updates=3).progress == "epoch 3"
    assert TrainingState(epoch=3, batch=2, updates=14).progress == "epoch 3, batch 2"
