"""Workers of a group on this machine: processes that run the same loop and report to this one."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from threading import Thread
from traceback import format_exc
from typing import Any, NamedTuple

from nncli.errors import InterruptionError, NncliError
from nncli.runner.signals import stop_on_signals
from nncli.runner.single_thread import SINGLE_THREAD_ENV
from nncli.store.group_files import read_group
from nncli.sweep.error_report import ErrorReport
from nncli.sweep.plan import Plan
from nncli.sweep.progress import Progress, Report
from nncli.sweep.worker import Ending, work

SPAWN = multiprocessing.get_context("spawn")
INTERVAL = 0.1  # seconds between two polls of the request to stop


class _Worker(NamedTuple):
    """A process that works, and the connection to it: it sends what it reports, and stops when it receives anything."""

    process: SpawnProcess
    connection: Connection


def work_locally(plan: Plan, jobs: int, stop: Callable[[], bool], report: Report) -> Ending:
    """Train the trials of a group with a number of processes on this machine; with one, in this process.

    A worker stops after a checkpoint when this process ends, however it ends.

    Args:
        plan: the plan of the group.
        jobs: the number of workers.
        stop: polled; if it returns True, each worker stops after a checkpoint.
        report: called when a trial begins, while it trains, and when it ends.

    Raises:
        InterruptionError: signals have ended all workers.
        NncliError: as for ``work``, in any worker; the others stop after a checkpoint.
    """
    if jobs == 1:
        return work(plan, stop, report)
    with _started(plan.directory, jobs) as workers:
        return _Supervision(workers, stop, report).ending()


class _Supervision:
    """Takes what workers report, until all have ended; after the first error, the others are stopped.

    Args:
        workers: the workers.
        stop: polled.
        report: takes what they report.
    """

    def __init__(self, workers: Sequence[_Worker], stop: Callable[[], bool], report: Report) -> None:
        self._workers, self._stop, self._report = list(workers), stop, report
        self._endings: list[Ending] = []
        self._errors: list[ErrorReport] = []
        self._exit_codes: list[int] = []
        self._is_stopped = False

    def ending(self) -> Ending:
        """Why the workers have ended: finished if one says so, since it has seen that all trials have ended."""
        while self._workers:
            for ready in wait([each.connection for each in self._workers], INTERVAL):
                self._receive(next(each for each in self._workers if each.connection is ready))
            if self._stop() or self._errors:
                self._stop_all()
        if self._errors:
            raise self._errors[0].error()
        for ending in (Ending.FINISHED, Ending.TOO_MANY_FAILURES):
            if ending in self._endings:
                return ending
        if self._stop():
            return Ending.STOPPED
        code = min(self._exit_codes)
        if code > 0:
            raise RuntimeError(f"all workers ended with exit code {code} before they began")
        signum = signal.Signals(-code or signal.SIGTERM)
        raise InterruptionError(f"all workers were ended by {signum.name}", signum)

    def _receive(self, worker: _Worker) -> None:
        """Take one message; at the end of the connection, the worker has ended."""
        try:
            message: Any = worker.connection.recv()
        except (EOFError, OSError):
            worker.process.join()
            self._workers.remove(worker)
            self._exit_codes.append(worker.process.exitcode or 0)
            return
        if isinstance(message, Progress):
            self._report(message)
        elif isinstance(message, ErrorReport):
            self._errors.append(message)
        else:
            self._endings.append(message)

    def _stop_all(self) -> None:
        """Request each worker to stop after a checkpoint."""
        if not self._is_stopped:
            self._is_stopped = True
            for worker in self._workers:
                with suppress(OSError):  # it has ended
                    worker.connection.send(None)


@contextmanager
def _started(group: Path, jobs: int) -> Iterator[list[_Worker]]:
    """Start workers; those that still run when the block ends, as after a second Ctrl-C, are killed."""
    workers: list[_Worker] = []
    try:
        with _environment(), _blocked_signals():
            for _ in range(jobs):
                ours, theirs = SPAWN.Pipe()
                process = SPAWN.Process(target=run_worker, args=(group, theirs), daemon=True)
                process.start()
                theirs.close()
                workers.append(_Worker(process, ours))
        yield workers
    finally:
        for worker in workers:
            worker.process.kill()
            worker.process.join()
            worker.connection.close()


@contextmanager
def _environment() -> Iterator[None]:
    """Start processes whose BLAS has one thread, which is read when NumPy is imported."""
    before = {name: os.environ.get(name) for name in SINGLE_THREAD_ENV}
    os.environ.update(SINGLE_THREAD_ENV)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def _blocked_signals() -> Iterator[None]:
    """Start processes that block Ctrl-C, which a terminal sends to all of them, and which this process passes on."""
    resource_tracker.ensure_running()  # the first process would start it, which unblocks the signals
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def run_worker(group: Path, connection: Connection) -> None:
    """The main function of a worker process: work, and send what is reported, then how it ended.

    SIGTERM ends it after a checkpoint.
    """
    with stop_on_signals() as request:
        parent = _Parent(connection)
        stop: Callable[[], bool] = lambda: parent.has_asked or request.signum is not None  # noqa: E731
        try:
            parent.send(work(Plan(read_group(group), group), stop, parent.send))
        except NncliError as error:
            parent.send(ErrorReport(error.exit_code, str(error)))
        except Exception:
            parent.send(ErrorReport(1, format_exc()))


class _Parent:
    """The process that has started this one.

    Args:
        connection: takes messages to it; it sends nothing but the request to stop, and closes it when it ends.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.has_asked = False
        Thread(target=self._watch, daemon=True).start()

    def send(self, message: Any) -> None:
        """Send a message, unless the parent has ended."""
        with suppress(OSError):
            self._connection.send(message)

    def _watch(self) -> None:
        """Wait for the request to stop, or for the end of the parent."""
        with suppress(EOFError, OSError):
            self._connection.recv()
        self.has_asked = True
