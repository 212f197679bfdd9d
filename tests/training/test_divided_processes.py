"""The processes among which steps are divided: however training ends, none is left, and the state is complete."""

import gc
import multiprocessing
import os
import signal
import time
import weakref
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from unittest.mock import patch

import numpy as np
import pytest

from nncli.data.batches import Batches
from nncli.errors import WorkerError
from nncli.nn.optimizers.adam import Adam
from nncli.processes import CAN_FORK, WorkerProcesses
from nncli.training.loop import never
from tests.fault_injection.child_processes import children
from tests.training.divided import acting, arrays, kill, same_bits
from tests.training.test_state import CHANGES, DROPOUT, copied

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CAN_FORK, reason="processes are forked"),
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),
]

BATCHES = "training.batch_size=16"
PLACES = {"gradients": (Batches, "gather"), "update": (Adam, "step")}


@pytest.fixture(autouse=True)
def _no_process_is_left():
    """Every test ends with the processes that it began with."""
    before = children()
    yield
    assert children() == before


def fail():
    raise OSError(5, "the rows cannot be read")


def interrupt():
    os.kill(os.getpid(), signal.SIGINT)


def interrupt_parent():
    os.kill(os.getppid(), signal.SIGINT)
    time.sleep(0.05)  # the parent waits meanwhile


@pytest.mark.parametrize("processes", [2, 3])
@pytest.mark.parametrize("in_parent", [False, True], ids=["in a worker", "in the parent"])
@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_error_of_a_process_ends_training(divided, processes, in_parent, place):
    """It is raised as it is, whichever process it comes from, and the others do not wait for ever."""
    trainer = divided(processes, BATCHES)
    with acting(2, fail, *place, in_parent), pytest.raises(OSError, match="the rows cannot be read"):
        list(trainer.epochs())
    assert (trainer.optimizer.updates, trainer.batch) == (2, 2)


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_killed_worker_ends_training(divided, place):
    """As by the system, if there is too little memory: the error has the signal, and says what can be done.

    A resumed run keeps its number of threads.
    """
    trainer = divided(3, BATCHES)
    advice = (
        r"killed by signal 9, as the system does if memory is short; if it happens again, train a new run with fewer"
    )
    with acting(2, kill, *place), pytest.raises(WorkerError, match=advice):
        list(trainer.epochs())
    assert (trainer.optimizer.updates, trainer.batch) == (2, 2)


def test_no_step_follows_an_error(divided):
    """The processes would be at different places of a step, and compute something else."""
    trainer = divided(2, BATCHES)
    with acting(0, fail), trainer.divided(2):
        part = next(trainer.parts())
        with pytest.raises(OSError, match="the rows cannot be read"):
            trainer.train_batch(part)
        with pytest.raises(RuntimeError, match="have ended"):
            trainer.train_batch(part)
    assert same_bits(arrays(ended(trainer)), arrays(ended(divided(2, BATCHES))))


def test_worker_killed_between_two_steps_ends_training(divided):
    """It is noticed at the next step."""
    before, trainer = children(), divided(2, BATCHES)
    epochs = trainer.epochs()
    next(epochs), next(epochs)
    (worker,) = children() - before
    os.kill(worker, signal.SIGKILL)
    with pytest.raises(WorkerError, match="killed by signal 9"):
        list(epochs)
    assert trainer.optimizer.updates == 4


def is_continued(trainer, prepare):
    """Whether another training that restores the state of this one ends with the bits of an uninterrupted one."""
    continued = prepare()
    continued.restore(copied(trainer.state()))
    list(continued.epochs())
    return same_bits(arrays(continued), arrays(ended(prepare())))


def ended(trainer):
    """The trainer, trained to its end."""
    list(trainer.epochs())
    return trainer


ENDS = {
    "error of a worker": (fail, False, OSError),
    "error": (fail, True, OSError),
    "worker killed": (kill, False, WorkerError),
    "Ctrl-C": (interrupt, True, KeyboardInterrupt),
    "Ctrl-C while the parent waits": (interrupt_parent, False, KeyboardInterrupt),
}


@pytest.mark.parametrize(("act", "in_parent", "error"), ENDS.values(), ids=ENDS)
def test_step_that_fails_changes_nothing(divided, act, in_parent, error):
    """If it ends before the update, the state is that before the step, from which another training continues."""
    trainer = divided(2, BATCHES)
    with acting(6, act, in_parent=in_parent), pytest.raises(error):
        list(trainer.epochs())
    assert trainer.optimizer.updates == 6
    assert is_continued(trainer, partial(divided, 2, BATCHES))


@pytest.mark.parametrize("changes", CHANGES.values(), ids=CHANGES)
def test_generator_closed_early_leaves_the_state(divided, changes):
    """The state is that of the steps that were trained."""
    prepare = partial(divided, 2, *changes)
    trainer = prepare()
    epochs = trainer.epochs()
    next(epochs), next(epochs)
    epochs.close()
    assert trainer.optimizer.updates > 0
    assert is_continued(trainer, prepare)


@pytest.mark.parametrize("changes", [(BATCHES,), *list(CHANGES.values())[1:]])
@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_error_of_the_stop_callback_leaves_the_state(divided, changes, error):
    """It is raised between two steps; the same trainer can go on, and so can another one."""

    def stop():
        if trainer.optimizer.updates == 2:
            raise error

    prepare = partial(divided, 2, *changes)
    trainer = prepare(stop=stop)
    with pytest.raises(error):
        list(trainer.epochs())
    assert is_continued(trainer, prepare)
    trainer.stop = never
    assert same_bits(arrays(ended(trainer)), arrays(ended(prepare())))


def test_second_generator_continues_the_first_one(divided):
    """Also if the first one is suspended, with processes of its own; these end, and it goes on after the second one."""
    trainer, before = divided(2, BATCHES), children()
    first, second = trainer.epochs(), trainer.epochs()
    next(first), next(first)
    assert next(second).number == 1
    assert len(children() - before) == 1
    assert next(second).number == 2
    assert len(children() - before) == 1
    assert [epoch.number for epoch in first] == [3]
    assert list(second) == []
    assert same_bits(arrays(trainer), arrays(ended(divided(2, BATCHES))))


def test_end_of_an_earlier_division_does_not_end_a_later_one(divided):
    """The processes of a generator that goes on are left when one that began before it is closed."""
    trainer, before = divided(2, BATCHES), children()
    first, second = trainer.epochs(), trainer.epochs()
    next(first), next(second)
    workers = children() - before
    first.close()
    assert children() - before == workers
    assert len(workers) == 1
    assert list(second)[-1].number == 3


def test_memory_is_freed_at_the_end(divided):
    """As soon as training ends, without a search for reference cycles: the parts, and then the batches."""
    trainer = divided(2, BATCHES)
    epochs = trainer.epochs()
    next(epochs), next(epochs)
    parts = [weakref.ref(shard.network.parameters) for shard in trainer._parallel._shards]
    batches = weakref.ref(trainer._batches)
    gc.disable()
    try:
        epochs.close()
        assert [part() for part in parts] == [None, None]
        del epochs, trainer
        assert batches() is None
    finally:
        gc.enable()


def test_interrupt_while_processes_end_leaves_the_state(divided):
    """The state is that of the steps that were trained, also if Ctrl-C comes after the last of them."""
    end = WorkerProcesses.close

    def stop():
        if trainer.optimizer.updates == 2:
            raise ValueError

    def interrupted(processes):
        end(processes)
        raise KeyboardInterrupt

    trainer = divided(2, BATCHES, stop=stop)
    with patch.object(WorkerProcesses, "close", interrupted), pytest.raises(KeyboardInterrupt):
        list(trainer.epochs())
    assert is_continued(trainer, partial(divided, 2, BATCHES))


def test_order_of_the_rows_is_not_shared_after_the_end(divided):
    """A process that is forked later draws an order of its own."""
    batches = ended(divided(2, BATCHES))._batches
    before = batches._order.copy()
    in_a_forked_process(lambda: len(list(batches.epoch(np.random.default_rng(9)))))
    assert np.array_equal(batches._order, before)


def test_trainings_in_two_threads(divided):
    """At the same time: each has processes of its own, and ends with the bits that it has alone."""
    prepared = [partial(divided, 2, DROPOUT, BATCHES, f"seed={seed}", "training.epochs=20") for seed in (1, 2)]
    with ThreadPoolExecutor(2) as pool:
        found = [arrays(each) for each in pool.map(lambda prepare: ended(prepare()), prepared)]
    for arrays_of_one, prepare in zip(found, prepared, strict=True):
        assert same_bits(arrays_of_one, arrays(ended(prepare())))


def in_a_forked_process(function):
    """What a function returns in a daemonic process, which has no children of its own in multiprocessing."""
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=lambda: sender.send(function()), daemon=True)
    process.start()
    sender.close()
    result = receiver.recv()  # an EOFError if the process has failed
    process.join()
    return result


def test_training_in_a_daemonic_process(divided):
    """As that of a pool; its workers have ended when training ends."""
    prepare = partial(divided, 2, DROPOUT, BATCHES)
    found, left = in_a_forked_process(lambda: (arrays(ended(prepare())), children()))
    assert left == set()
    assert same_bits(found, arrays(ended(prepare())))


def test_fork_of_a_training_cannot_continue_it(divided):
    """It has none of the workers: its step is an error that leaves them to the parent, which trains to its end."""
    trainer = divided(2, BATCHES)
    epochs = trainer.epochs()
    next(epochs), next(epochs)

    def continue_it():
        with pytest.raises(RuntimeError, match="forked"):
            next(epochs)
        return arrays(trainer), arrays(ended(divided(2, BATCHES)))

    before = arrays(trainer)
    state, other = in_a_forked_process(continue_it)
    list(epochs)
    assert same_bits(state, before)
    assert same_bits(arrays(trainer), other)
    assert same_bits(arrays(trainer), arrays(ended(divided(2, BATCHES))))
