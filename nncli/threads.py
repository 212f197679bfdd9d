"""A pool of threads that compute parts of a task; NumPy and BLAS release the interpreter lock (GIL) as they compute."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import pairwise
from queue import SimpleQueue
from threading import Lock, Thread
from typing import TypeAlias, TypeVar

import numpy as np

T = TypeVar("T")
Task: TypeAlias = Callable[[], object]


class _Job:
    """A task that is submitted to a worker.

    It has a lock of its own, so that a wait that Ctrl-C interrupts does not disturb the next task.
    """

    def __init__(self, task: Task) -> None:
        self._task: Task | None = task
        self._error: BaseException | None = None
        self._done = Lock()
        self._done.acquire()

    def run(self) -> None:
        """Run the task, and keep its exception; the task is freed then, with all that it refers to."""
        try:
            if self._task:
                self._task()
        except BaseException as error:
            self._error = error
        self._task = None
        self._done.release()

    def wait(self) -> BaseException | None:
        """Wait for the end of the task, and return its exception."""
        self._done.acquire()
        return self._error


Jobs: TypeAlias = "SimpleQueue[_Job | None]"


def _work(jobs: Jobs) -> None:
    """Run the jobs of a queue until it gives None."""
    np.seterr(all="ignore")  # results are checked by the thread that submits the jobs
    while job := jobs.get():
        job.run()


class ThreadPool:
    """N threads: the calling one, and N − 1 workers that start at the first use, and anew in a forked process.

    If the system starts fewer workers, as under a limit of memory or of processes, the calling thread runs the tasks of
    those that are missing.

    Args:
        count: N.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self._workers: list[Jobs] = []
        self._process = 0

    def run(self, tasks: Sequence[Task]) -> None:
        """Run at least one and at most N tasks, the first one in the calling thread, and wait for all of them.

        If the wait is interrupted, the next task of a worker begins when its last one has ended.

        Raises:
            BaseException: that of the first task that failed.
        """
        first, *others = tasks
        jobs = [_Job(task) for task in others]
        workers = self._started() if jobs else []
        for worker, job in zip(workers, jobs, strict=False):
            worker.put(job)
        try:
            first()
        finally:
            for job in jobs[len(workers) :]:
                job.run()
            errors = [job.wait() for job in jobs]
        for error in filter(None, errors):
            raise error

    def _started(self) -> list[Jobs]:
        """The workers, which start unless they are running; a forked process does not have those of its parent."""
        if self._process == os.getpid():
            return self._workers
        self._workers, self._process = [], os.getpid()
        with suppress(RuntimeError):  # the system starts no more threads
            for _ in range(self.count - 1):
                worker: Jobs = SimpleQueue()
                Thread(target=_work, args=(worker,), name="nncli-worker", daemon=True).start()
                self._workers.append(worker)
        return self._workers

    def __del__(self) -> None:
        """End the workers."""
        for worker in self._workers:
            worker.put(None)


class ProcessLock:
    """A lock of the threads of one process; a forked process has another, as it lacks the thread that holds this one.

    ``of_process`` returns an ordinary lock, so that Ctrl-C cannot come between taking it and the body of ``with``.
    """

    def __init__(self) -> None:
        self._locks: dict[int, Lock] = {}  # by process

    def of_process(self) -> "Lock":
        """The lock of this process."""
        return self._locks.setdefault(os.getpid(), Lock())


class SharedIterator(Iterator[T]):
    """An iterator that several threads share: each item goes to one of them, and a slower thread takes fewer items.

    Each thread takes them within ``with``; if an exception leaves it in one of them, none is left for the others.

    Args:
        items: the items, in the order in which they are taken.
    """

    def __init__(self, items: Iterable[T]) -> None:
        self._items, self._lock = iter(items), Lock()

    def __next__(self) -> T:
        with self._lock:
            return next(self._items)

    def __enter__(self) -> "SharedIterator[T]":
        return self

    def __exit__(self, *exception: object) -> None:
        self._items = iter(())


def balanced_slices(count: int, most: int) -> list[slice]:
    """At most ``most`` slices of ``range(count)``, as equal as possible; none is empty."""
    bounds = [count * index // most for index in range(most + 1)]
    return [slice(start, stop) for start, stop in pairwise(bounds) if stop > start]
