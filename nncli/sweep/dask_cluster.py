"""The trials of a group on an existing Dask cluster, whose workers see the directory of the group."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from queue import Empty, Queue
from secrets import token_hex
from typing import Any

from nncli.errors import CommandLineError, MissingExtraError, StorageError
from nncli.store import atomic_write
from nncli.store.group_files import FailureRecord, write_failure
from nncli.sweep.dask_task import Ended, perform, request_stop, seen_by
from nncli.sweep.error_report import ErrorReport
from nncli.sweep.execution import Execution
from nncli.sweep.outcomes import GroupOutcomes
from nncli.sweep.plan import Plan
from nncli.sweep.progress import Progress, Report
from nncli.sweep.search import stages
from nncli.sweep.trials import Task
from nncli.sweep.worker import UNSUCCESSFUL, Ending
from nncli.version import __version__

SCHEME = "dask://"
TIMEOUT = 5.0  # seconds to connect to a scheduler
INTERVAL = 0.1  # seconds between two polls of the request to stop
PATIENCE = 10.0  # seconds that a scheduler may be gone
GRACE = 60.0  # seconds to wait for the checkpoints of stopped trials
KILLED = "KilledWorker"  # the error of a task whose workers were lost, after several attempts of the scheduler
LOST = "the workers that trained it were lost again and again; it may need more memory than they have"
RETRY_INTERVAL = 1.0  # seconds after which a trial of another process is tried again
MAX_LOSSES = 3  # times that the scheduler gives up a trial, each after its own attempts


def address_of(engine: str) -> str:
    """The address of the scheduler that the option ``--engine`` names.

    Raises:
        CommandLineError: it names none.
    """
    host, _, port = engine.removeprefix(SCHEME).rpartition(":")
    if not engine.startswith(SCHEME) or not host or not port.isdecimal():
        raise CommandLineError(f"--engine {engine}: write the scheduler of a Dask cluster: dask://HOST:PORT")
    return f"tcp://{host}:{port}"


def work_on_cluster(plan: Plan, engine: str, stop: Callable[[], bool], report: Report) -> Ending:
    """Train the trials of a group on a Dask cluster.

    Args:
        plan: the plan of the group; its directory is the same on all machines of the cluster.
        engine: ``dask://HOST:PORT``.
        stop: polled; if it returns True, the trials on the cluster stop after a checkpoint.
        report: called when a trial begins, while it trains, and when it ends.

    Raises:
        CommandLineError: the engine is no address.
        MissingExtraError: the package ``distributed`` is not installed.
        StorageError: the scheduler cannot be reached, or a worker does not see the directory of the group.
        NncliError: as for ``work``, on any worker.
    """
    with _connected(address_of(engine), engine) as client:
        cluster = _Cluster(client, plan, stop, report)
        cluster.require_group()
        for tasks in stages(plan, GroupOutcomes(plan.directory, plan.record)):
            ending = cluster.stage(tasks)
            if ending is not Ending.FINISHED:
                return ending
    atomic_write.remove_orphaned_staging(plan.directory)
    return Ending.FINISHED


class _Cluster:
    """Submits tasks, and takes what workers report about them.

    Args:
        client: the connection to the scheduler.
        plan: the plan of the group.
        stop: polled.
        report: takes what is reported.
    """

    def __init__(self, client: Any, plan: Plan, stop: Callable[[], bool], report: Report) -> None:
        self._client, self._plan, self._stop, self._report = client, plan, stop, report
        self._group = str(plan.directory.resolve())
        self._messages: Queue[Progress | Ended] = Queue()
        self._token = token_hex(8)  # names the progress of these tasks, and the request to stop them
        self._futures: dict[int, Any] = {}  # by the number of the trial
        self._later: list[tuple[float, Task]] = []  # those of other processes, and when they are tried again
        self._running: set[int] = set()
        self._failures: set[int] = set()
        self._losses = Counter[int]()
        self._here = Execution(plan, stop, self._counted)
        client.subscribe_topic(self._token, lambda event: self._messages.put(Progress(*event[1])))

    def require_group(self) -> None:
        """Require that each worker has this version of nncli, and sees the directory.

        Raises:
            StorageError: one does not.
        """
        try:
            seen = self._client.run(seen_by, self._group)
        except ImportError as error:
            raise StorageError(f"a worker of the cluster cannot import nncli: {error}; install it there") from None
        for worker, (version, sees_group) in seen.items():
            if version != __version__:
                raise StorageError(f"the worker {worker} has nncli {version}, and this is {__version__}; install one")
            if not sees_group:
                shared = "use a directory that all machines of the cluster share: --runs-dir DIRECTORY"
                raise StorageError(f"the worker {worker} does not see {self._group}; {shared}")

    def stage(self, tasks: Sequence[Task]) -> Ending:
        """Perform the tasks of a stage."""
        for task in tasks:
            if not self._here.ended(task):
                self._submit(task)
        while self._futures or self._later:
            with suppress(Empty):
                self._take(self._messages.get(timeout=INTERVAL))
            if self._stop():
                return self._stopped()
            self._require_connection()
            if self._has_too_many_failures():
                self._cancel_waiting()
            self._submit_due()
        return Ending.TOO_MANY_FAILURES if self._has_too_many_failures() else Ending.FINISHED

    def _submit(self, task: Task) -> None:
        future = self._client.submit(perform, self._group, task, self._token, pure=False)
        self._futures[task.trial.number] = future
        future.add_done_callback(lambda done: self._messages.put(_end_of(done, task)))

    def _submit_due(self) -> None:
        """Submit the tasks that another process trained some time ago, and may have left."""
        now = time.monotonic()
        due = [task for at, task in self._later if at <= now]
        self._later = [(at, task) for at, task in self._later if at > now]
        for task in due:
            if not self._here.ended(task):
                self._submit(task)

    def _take(self, message: Progress | Ended) -> None:
        """Report a progress; after the end of a task, submit it again if the trial has not ended.

        Raises:
            NncliError: the worker cannot train the trial.
        """
        if isinstance(message, Progress):
            if message.number in self._futures:
                self._counted(message)
        elif self._futures.pop(message.task.trial.number, None) is None:
            return  # it was canceled
        elif message.error:
            raise message.error.error()
        elif message.is_lost:
            self._lost(message.task)
        elif message.progress:
            self._counted(message.progress)
        else:
            self._later.append((time.monotonic() + RETRY_INTERVAL, message.task))

    def _lost(self, task: Task) -> None:
        """Submit a task again whose workers were lost; a trial that ends too many of them fails."""
        number = task.trial.number
        self._losses[number] += 1
        if self._losses[number] < MAX_LOSSES:
            self._later.append((time.monotonic() + INTERVAL, task))
            return
        failure = FailureRecord(exit_code=StorageError.exit_code, message=LOST)
        write_failure(self._plan.directory, number, failure)
        self._here.ended(task)

    def _counted(self, progress: Progress) -> None:
        """Count a failure, and report the progress."""
        change = self._running.add if progress.state == "running" else self._running.discard
        change(progress.number)
        if progress.state in UNSUCCESSFUL:
            self._failures.add(progress.number)
        self._report(progress)

    def _has_too_many_failures(self) -> bool:
        most = self._plan.record.max_failures
        return most is not None and len(self._failures) > most

    def _cancel_waiting(self) -> None:
        """Cancel the tasks that have not begun."""
        waiting = [number for number in self._futures if number not in self._running]
        self._client.cancel([self._futures.pop(number) for number in waiting])
        self._later.clear()

    def _stopped(self) -> Ending:
        """Cancel what has not begun, and wait until what is trained has written a checkpoint."""
        self._cancel_waiting()
        self._client.run(request_stop, self._token)
        until = time.monotonic() + GRACE
        while self._futures and time.monotonic() < until:
            with suppress(Empty):
                self._take(self._messages.get(timeout=INTERVAL))
        return Ending.STOPPED

    def _require_connection(self) -> None:
        """Require that the scheduler is there, or comes back soon.

        Raises:
            StorageError: it does not.
        """
        until = time.monotonic() + PATIENCE
        while self._client.status != "running":
            if time.monotonic() > until or self._client.status == "closed":
                raise StorageError("the connection to the scheduler of the cluster was lost")
            time.sleep(INTERVAL)


@contextmanager
def _connected(address: str, engine: str) -> Iterator[Any]:
    """A client of a scheduler.

    Raises:
        MissingExtraError: the package is not installed.
        StorageError: the scheduler cannot be reached.
    """
    try:
        from distributed import Client
    except ImportError:
        raise MissingExtraError("clusters", "cluster") from None
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    try:
        client: Any = Client(address, timeout=TIMEOUT, set_as_default=False)
    except OSError as error:
        reason = str(error).partition("\n")[0]
        raise StorageError(f"{engine}: no scheduler answers ({reason}); start one with 'dask scheduler'") from None
    try:
        yield client
    finally:
        with suppress(Exception):  # the work is done, or its error is more important
            client.close(timeout=TIMEOUT)


def _end_of(future: Any, task: Task) -> Ended:
    """The end of a future: what the task returned, its error, or that the workers were lost."""
    if future.status == "finished":
        result: Ended = future.result()
        return result
    error = future.exception() if future.status == "error" else None
    if error is None or type(error).__name__ == KILLED:
        return Ended(task, is_lost=True)
    return Ended(task, error=ErrorReport(1, f"{type(error).__name__}: {error}"))
