"""What worker processes keep of their parent, and when it exits, is killed or gets signals; it is a script here."""

import fcntl
import os
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress
from textwrap import dedent

import pytest

from nncli.processes import CAN_FORK
from tests.fault_injection.child_processes import environment

pytestmark = pytest.mark.skipif(not CAN_FORK, reason="needs fork")
BEGINNING = """
import fcntl, os, resource, signal, sys, threading, time
from nncli.processes import Barrier, WorkerProcesses, shared_integers
barrier, ids, parent = Barrier(3), shared_integers(3), os.getpid()
def note(member):
    ids[member] = os.getpid()
"""


@contextmanager
def started(script):
    """A script in a process of its own; all of its workers have ended after the context."""
    process = subprocess.Popen(
        [sys.executable, "-c", BEGINNING + dedent(script)],
        stdout=subprocess.PIPE,
        env=environment(),
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def result(script):
    """The exit code and the output of a script, when it has ended and its workers too, which hold its output open."""
    with started(script) as process:
        out, _ = process.communicate(timeout=60)
        return process.returncode, out


@pytest.mark.parametrize(("end", "code"), [("", 0), ("raise ValueError", 1), ("sys.exit(3)", 3)])
def test_workers_end_at_the_exit_of_the_interpreter(end, code):
    """Even in the middle of a long call of another thread."""
    script = f"""
        sys.stderr = None
        def sleep(member):
            note(member)
            time.sleep(3600)
        threading.Thread(target=WorkerProcesses(3, sleep, barrier).run, daemon=True).start()
        while not all(ids):
            time.sleep(0.01)
        {end}
    """
    assert result(script) == (code, b"")


@pytest.mark.parametrize("when", ["between two calls", "in a call", "in a barrier", "in the fork"])
def test_workers_end_with_a_killed_parent(when):
    """Wherever they are."""
    script = f"""
        when, kill = {when!r}, lambda: os.kill(parent, signal.SIGKILL)
        def compute(member):
            if when == "in a call":
                barrier.wait(member)
            if when != "between two calls" and member == 0:
                kill()
            time.sleep(0.2)
            if when == "in a barrier":
                barrier.wait(member)
        if when == "in the fork":
            os.register_at_fork(after_in_child=lambda: (kill(), time.sleep(0.5)))
        WorkerProcesses(3, compute, barrier).run()
        kill()
    """
    assert result(script) == (-signal.SIGKILL, b"")


def test_workers_hold_no_files_of_their_parent(tmp_path):
    """Even those with a number above the limit; a lock of the parent is free at once when it is killed."""
    script = """
        file = open("lock", "w")
        fcntl.flock(file, fcntl.LOCK_EX)
        fcntl.fcntl(file, fcntl.F_DUPFD, 150)
        resource.setrlimit(resource.RLIMIT_NOFILE, (100, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
        def compute(member):
            barrier.wait(member)
            if member == 0:
                os.kill(parent, signal.SIGKILL)
            time.sleep(3600)
        WorkerProcesses(3, compute, barrier).run()
    """.replace('"lock"', repr(str(tmp_path / "lock")))
    with started(script) as process:
        assert process.wait(60) == -signal.SIGKILL
        with (tmp_path / "lock").open() as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_signals_of_the_group_are_for_the_parent():
    """Workers get none, from the fork on; the parent is not deaf."""
    script = """
        seen, signals = [], (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1)
        def handle(signum, frame):
            if os.getpid() != parent:
                os._exit(9)
            seen.append(signum)
        def send():
            for each in signals:
                os.killpg(0, each)
        for each in signals:
            signal.signal(each, handle)
        os.register_at_fork(after_in_child=send)
        processes = WorkerProcesses(3, note, barrier)
        for _ in range(3):
            processes.run()
            workers = list(ids)
            send()
        processes.run()
        assert workers == list(ids)
        assert {*seen} == {*signals}
        assert not signal.pthread_sigmask(signal.SIG_BLOCK, ())
        print("done")
    """
    assert result(script) == (0, b"done\n")


def test_workers_run_no_finalizers_of_their_parent():
    """They collect their own garbage only."""
    script = """
        import gc
        class Cycle:
            def __init__(self):
                self.cycle, self.process = self, os.getpid()
            def __del__(self):
                if os.getpid() != parent:
                    ids[self.process != parent] += 1
        def collect(member):
            if member:
                Cycle()
                gc.collect()
        gc.disable()
        Cycle()
        processes = WorkerProcesses(2, collect, Barrier(2))
        processes.run()
        processes.run()
        print(*ids)
    """
    assert result(script) == (0, b"0 2 0\n")


def test_parent_keeps_its_blocked_signals():
    """The workers begin with all signals blocked, their parent has those of before."""
    script = """
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
        WorkerProcesses(2, lambda member: None, Barrier(2)).run()
        print(*signal.pthread_sigmask(signal.SIG_BLOCK, ()))
    """
    assert result(script) == (0, f"{int(signal.SIGUSR1)}\n".encode())
