"""How worker processes end: by themselves, by ``close``, by an error or a signal, or with their object."""

import errno
import gc
import os
import signal
import time
from contextlib import closing, suppress
from functools import partial
from pathlib import Path

import pytest

from nncli.errors import WorkerError
from nncli.processes import CAN_FORK, Barrier, WorkerProcesses, shared_integers
from tests.fault_injection.child_processes import children

pytestmark = pytest.mark.skipif(not CAN_FORK, reason="needs fork")


class Group:
    """Three members that note their process ids, and wait for each other before and after a function."""

    def __init__(self, function=lambda member: None):
        self.ids, self.last = shared_integers(3), shared_integers(3)
        self.barrier, self.function = Barrier(3), function
        self.processes = WorkerProcesses(3, self.compute, self.barrier)
        self.run, self.close = self.processes.run, self.processes.close

    def compute(self, member, call=0):
        """Compute the part of a member."""
        self.ids[member] = os.getpid()
        self.barrier.wait(member)
        self.function(member)
        self.barrier.wait(member)
        self.last[member] = call

    def require_all(self):
        """Run once, and require that all members have done it."""
        call = max(self.last) + 1
        self.run(call)
        assert list(self.last) == [call, call, call]

    @property
    def workers(self):
        """The process ids of the workers."""
        return list(self.ids)[1:]


def are_running(workers):
    """Which of these child processes have not been waited for."""
    return [Path(f"/proc/{each}").exists() for each in workers]


def descriptors():
    """The open files of this process."""
    return {each.name: each.readlink() for each in Path("/proc/self/fd").iterdir() if each.exists()}


def test_close_ends_the_workers():
    """Neither processes nor open files remain; it may be called twice, and a call after it starts again."""
    before, ended = descriptors(), set()
    with closing(Group()) as group:
        group.close()
        for _ in range(3):
            group.run()
            assert are_running(group.workers) == [True, True]
            assert ended.isdisjoint(group.workers)
            assert descriptors() == before
            group.close()
            group.close()
            assert are_running(group.workers) == [False, False]
            ended.update(group.workers)


def test_workers_end_with_the_last_reference():
    """At once if the object is in no cycle, else when it is collected."""
    ids, group = shared_integers(3), Group()

    def note(member):
        ids[member] = os.getpid()

    alone = WorkerProcesses(3, note, Barrier(3))
    alone.run()
    group.run()
    gc.disable()
    try:
        del alone
        assert are_running(list(ids)[1:]) == [False, False]
    finally:
        gc.enable()
    workers = group.workers
    del group
    gc.collect()
    assert are_running(workers) == [False, False]


def end_by(signum):
    """End this process by a signal."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signum})
    os.kill(os.getpid(), signum)


ENDS = {
    "SIGKILL": (partial(end_by, signal.SIGKILL), "was killed by signal 9, as the system does if memory is short"),
    "other signal": (partial(end_by, signal.SIGUSR2), f"was killed by signal {signal.SIGUSR2:d}"),
    "exit": (partial(os._exit, 3), "has ended"),
}


@pytest.mark.parametrize("end", ENDS)
def test_the_end_of_a_worker_is_an_error(end):
    """With the signal that ended it, if any; the others end as well, and the next call starts again."""
    is_due, (function, text) = shared_integers(1), ENDS[end]

    def act(member):
        if is_due[0] and member == 1:
            function()

    with closing(Group(act)) as group:
        for _ in range(3):
            is_due[0] = 0
            group.require_all()
            is_due[0] = 1
            with pytest.raises(WorkerError, match=f"^a worker process {text}$"):
                group.run()
            assert are_running(group.workers) == [False, False]


def test_a_worker_that_is_killed_between_two_calls_is_an_error():
    """At the next one; that after it starts again."""
    with closing(Group()) as group:
        for killed in (0, 1):
            group.require_all()
            os.kill(group.workers[killed], signal.SIGKILL)
            with pytest.raises(WorkerError, match="killed by signal 9"):
                group.run()
            assert are_running(group.workers) == [False, False]


def test_children_that_other_code_waits_for():
    """The end of a worker is an error all the same, and close ends the others."""
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        with closing(Group()) as group:
            group.run()
            os.kill(group.workers[0], signal.SIGKILL)
            with pytest.raises(WorkerError, match=r"has ended$"):
                group.run()
            assert are_running(group.workers) == [False, False]
            group.run()
            os.kill(group.workers[0], signal.SIGKILL)
            while are_running(group.workers)[0]:
                time.sleep(0.01)
            group.close()
            assert are_running(group.workers) == [False, False]
    finally:
        signal.signal(signal.SIGCHLD, before)


def test_an_error_of_the_parent_ends_the_workers():
    """They wait for it in a barrier then; the next call starts again, and nobody is a step behind."""
    is_wrong = True

    def fail(member):
        if is_wrong and member == 0:
            raise ValueError("of the parent")

    with closing(Group(fail)) as group:
        for _ in range(3):
            is_wrong = True
            with pytest.raises(ValueError, match="of the parent"):
                group.run()
            assert are_running(group.workers) == [False, False]
            is_wrong = False
            for _ in range(3):
                group.require_all()


def test_an_interrupted_close_is_made_good(monkeypatch):
    """The next call ends the workers that an error has left."""
    is_wrong, others = False, children()

    def fail(member):
        if is_wrong and member == 0:
            raise ValueError("of the parent")

    def interrupt(group):
        raise KeyboardInterrupt

    with closing(Group(fail)) as group:
        group.run()
        monkeypatch.setattr(WorkerProcesses, "close", interrupt)
        is_wrong = True
        with pytest.raises(KeyboardInterrupt):
            group.run()
        monkeypatch.undo()
        is_wrong = False
        group.require_all()
        assert children() - others == {*group.workers}


@pytest.mark.parametrize("name", ["start", "run"])
def test_a_failed_fork_ends_the_workers_before(name, monkeypatch):
    """No process and no open file remains, and the next call starts again."""
    fork, forks, before = os.fork, [], descriptors()

    def fail():
        if len(forks) == 1:
            raise BlockingIOError(errno.EAGAIN, "no more processes")
        forks.append(fork())
        return forks[-1]

    with closing(Group()) as group:
        monkeypatch.setattr(os, "fork", fail)
        with pytest.raises(WorkerError, match="cannot start: no more processes; use fewer threads"):
            getattr(group.processes, name)()
        assert are_running(forks) == [False]
        assert descriptors() == before
        monkeypatch.undo()
        group.run()


@pytest.mark.slow
@pytest.mark.parametrize("interrupts", [1, 2])
def test_interrupted_calls_do_not_disturb_the_next(interrupts):
    """Wherever a signal handler raises an exception, also while the workers end: all members do the next call."""
    left, others = 0, children()

    def interrupt(signum, frame):
        nonlocal left
        if left:
            left -= 1
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    gc.disable()  # an exception in a finalizer is lost
    try:
        with closing(Group()) as group:
            for each in range(100):
                with suppress(KeyboardInterrupt):
                    try:
                        left = interrupts
                        signal.setitimer(signal.ITIMER_REAL, 1e-4 * (1 + each), 1e-3)
                        while True:
                            group.run()
                    finally:
                        while left:
                            time.sleep(0.001)
                group.require_all()
                assert children() - others == {*group.workers}
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        gc.enable()


@pytest.mark.parametrize("name", ["start", "run"])
@pytest.mark.parametrize("is_started", [False, True])
def test_a_process_that_the_user_forks_cannot_use_them(is_started, name):
    """Nor does its end disturb them."""
    group = Group()
    if is_started:
        group.run()
    before, process = group.workers, os.fork()
    if not process:
        code = 1
        try:
            getattr(group.processes, name)()
        except RuntimeError:
            group.close()
            group = None
            gc.collect()
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(process, 0)[1] == 0
    group.run()
    if is_started:
        assert group.workers == before
    group.close()
