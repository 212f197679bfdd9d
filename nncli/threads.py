"""A pool of threads that compute parts of a task; NumPy and BLAS release the interpreter lock (GIL) as they compute."""

import os
from collections.abc import Callable, Sequence
from itertools import pairwise
from queue import SimpleQueue
from threading import Lock, Thread
from typing import TypeAlias

import numpy as np

Task: TypeAlias = Callable[[], object]


class _Job:
    """A task that is submitted to a worker.

    It has a lock of its own, so that a wait that was interrupted, as by Ctrl-C, does not disturb the next task.
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
    """Run jobs until there is None."""
    np.seterr(all="ignore")  # results are checked by the thread that submits the jobs
    while job := jobs.get():
        job.run()


class ThreadPool:
    """N threads, the calling one and N − 1 workers; these begin at the first use, also in a forked process.

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
        if jobs:
            self._start()
        for worker, job in zip(self._workers, jobs, strict=False):
            worker.put(job)
        try:
            first()
        finally:
            errors = [job.wait() for job in jobs]
        for error in filter(None, errors):
            raise error

    def _start(self) -> None:
        """Begin the workers, unless they wait already; a forked process does not have those of its parent."""
        if self._process == os.getpid():
            return
        self._workers = [SimpleQueue() for _ in range(self.count - 1)]
        for worker in self._workers:
            Thread(target=_work, args=(worker,), name="nncli-worker", daemon=True).start()
        self._process = os.getpid()

    def __del__(self) -> None:
        """End the workers."""
        for worker in self._workers:
            worker.put(None)


def balanced_slices(count: int, most: int, multiple: int = 1) -> list[slice]:
    """At most ``most`` slices of ``range(count)``, as equal as possible, whose starts are multiples of ``multiple``."""
    units = -(-count // multiple)
    bounds = [min(count, multiple * (units * index // most)) for index in range(most + 1)]
    return [slice(start, stop) for start, stop in pairwise(bounds) if stop > start]
