"""Shared memory, the barrier of processes, and their files; see ``test_worker_processes`` for the workers."""

import errno
import os
import time
from contextlib import closing, nullcontext
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile

import numpy as np
import pytest

from nncli import processes
from nncli.processes import CAN_FORK, Barrier, WorkerProcesses, shared_integers, shared_zeros

pytestmark = pytest.mark.skipif(not CAN_FORK, reason="needs fork")
NEVER = 10**9
PHASES = {
    "all": {},
    "reads": {"READS": NEVER},
    "yields": {"READS": 0, "YIELD_SECONDS": NEVER},
    "pauses": {"READS": 0, "YIELD_SECONDS": 0},
}


def in_fork(function):
    """Call a function in a forked process, and wait for its end."""
    process = os.fork()
    if not process:
        function()
        os._exit(0)
    assert os.waitpid(process, 0)[1] == 0


class Stopped(Exception):  # noqa: N818
    """A wait was stopped."""


def stop():
    """The check of a barrier that stops the wait."""
    raise Stopped


@pytest.mark.parametrize("shape", [(), (5,), (3, 4), (2, 3, 4), (1025, 513), (0,), (0, 7), (7, 0)])
@pytest.mark.parametrize("order", [{}, {"order": "C"}, {"order": "F"}])
@pytest.mark.parametrize("dtype", [np.float32, np.dtype(np.float64), np.int64, bool])
def test_shared_zeros_have_shape_dtype_and_order(shape, order, dtype):
    """They are like those of NumPy."""
    found, expected = shared_zeros(shape, dtype, **order), np.zeros(shape, dtype, **order)
    np.testing.assert_array_equal(found, expected, strict=True)
    assert found.strides == expected.strides or not found.size
    assert found.flags.writeable
    assert found.flags.aligned


@pytest.mark.parametrize("allocate", [lambda: shared_zeros((3,), np.int64), lambda: shared_integers(3)])
def test_memory_is_shared_with_a_forked_process(allocate):
    """Each process sees what the other one writes, and two allocations do not overlap."""
    first, second = allocate(), allocate()
    first[0] = 2**62

    def change():
        assert first[0] == 2**62
        first[2] = -5

    in_fork(change)
    assert list(first) == [2**62, 0, -5]
    assert list(second) == [0, 0, 0]


def test_too_much_shared_memory_is_a_memory_error():
    """As for other arrays, so that its handlers find it."""
    with pytest.raises(MemoryError, match=f"^{2**60} bytes"):
        shared_zeros((2**57,), np.float64)


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("number", [2, 4])
def test_members_see_what_others_wrote_before_a_barrier(number, phase, monkeypatch):
    """In each phase of the wait alone, also if they are more than cores."""
    for name, value in PHASES[phase].items():
        monkeypatch.setattr(processes, name, value)
    barrier, written = Barrier(number), shared_zeros((number, 100), np.int64)

    def exchange(member, first, last):
        for each in range(first, last):
            written[member] = each
            barrier.wait(member)
            assert (written == each).all()
            barrier.wait(member)

    with closing(WorkerProcesses(number, exchange, barrier)) as group:
        for first in range(1, 101, 10):
            group.run(first, first + 10)
    assert (written == 100).all()


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("late", range(3))
def test_nobody_passes_a_barrier_before_all_have_arrived(late, phase, monkeypatch):
    """Whichever member is late."""
    for name, value in PHASES[phase].items():
        monkeypatch.setattr(processes, name, value)
    barrier, arrived = Barrier(3), shared_integers(3)

    def arrive(member):
        if member == late:
            time.sleep(0.02)
        arrived[member] += 1
        expected = arrived[member]
        barrier.wait(member)
        assert min(arrived) == expected

    with closing(WorkerProcesses(3, arrive, barrier)) as group:
        for _ in range(3):
            group.run()


@pytest.mark.parametrize("is_reset", [False, True])
def test_reset_forgets_who_has_arrived(is_reset):
    """The next wait is for all members again, and not only for those that have not been there."""
    barrier = Barrier(2)
    barrier.check = stop
    with pytest.raises(Stopped):
        barrier.wait(1)
    if is_reset:
        barrier.reset()
    with pytest.raises(Stopped) if is_reset else nullcontext():
        barrier.wait(0)


def test_reset_repairs_an_interrupted_wait():
    """A signal handler may raise an exception wherever it waits, also in the middle of its fence."""
    barrier = Barrier(1)
    barrier._fence.release()
    with pytest.raises(RuntimeError):
        barrier.wait(0)
    barrier.reset()
    barrier.wait(0)


def test_yields_end_when_others_keep_the_core(monkeypatch):
    """A wait does not go through all of them, after which it would call the check much later."""
    yields, barrier = [], Barrier(2)
    monkeypatch.setattr(os, "sched_yield", lambda: yields.append(time.sleep(2 * processes.YIELD_SECONDS)))
    barrier.check = stop
    with pytest.raises(Stopped):
        barrier.wait(0)
    assert len(yields) == 1


def test_long_waits_call_the_check_between_pauses(monkeypatch):
    """The pauses grow up to a limit; an exception of the check ends the wait."""
    pauses, barrier = [], Barrier(2)
    monkeypatch.setattr(time, "sleep", pauses.append)
    barrier.check = lambda: stop() if len(pauses) == 20 else None
    with pytest.raises(Stopped):
        barrier.wait(0)
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (processes.FIRST_PAUSE, processes.LONGEST_PAUSE)


@pytest.mark.parametrize("error", [None, FileNotFoundError, partial(OSError, errno.EMFILE)])
def test_workers_close_the_files_of_the_parent(monkeypatch, error):
    """Also without /proc, and if the parent has as many open files as it may have."""
    is_closed = shared_integers(1)

    def look(member):
        if member:
            with pytest.raises(OSError, match="Bad file descriptor"):
                os.fstat(descriptor)
            is_closed[0] = 1

    def fail(path):
        raise error("not readable")

    if error:
        monkeypatch.setattr(Path, "iterdir", fail)
    with TemporaryFile() as file, closing(WorkerProcesses(2, look, Barrier(2))) as group:
        descriptor = file.fileno()
        group.run()
    assert is_closed[0]
