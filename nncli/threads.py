"""A pool of threads that compute parts of a task; NumPy and BLAS release the interpreter lock (GIL) as they compute."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from threading import Lock, Thread
from typing import TypeAlias

import numpy as np

Task: TypeAlias = Callable[[], object]


class _Worker:
    """A thread that waits for tasks; each is handed over by two locks, which are faster than a queue or a condition."""

    def __init__(self) -> None:
        self._submitted, self._done = Lock(), Lock()
        self._submitted.acquire()
        self._done.acquire()
        self._task: Task | None = None
        self._error: BaseException | None = None
        Thread(target=self._work, name="nncli-part", daemon=True).start()

    def submit(self, task: Task | None) -> None:
        """Begin a task; None ends the thread."""
        self._task = task
        self._submitted.release()

    def wait(self) -> BaseException | None:
        """Wait for the end of the task, and return its exception."""
        self._done.acquire()
        error, self._error = self._error, None
        return error

    def _work(self) -> None:
        np.seterr(all="ignore")  # per thread; the thread that submits the tasks checks their results
        while True:
            self._submitted.acquire()
            if self._task is None:
                return
            try:
                self._task()
            except BaseException as error:
                self._error = error
            self._done.release()


class ThreadPool:
    """N threads: the calling one, and N − 1 workers.

    Args:
        count: N.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self._workers = [_Worker() for _ in range(count - 1)]

    def run(self, tasks: Sequence[Task]) -> None:
        """Run at least one and at most N tasks, the first one in the calling thread, and wait for all of them.

        Raises:
            BaseException: that of the first task that failed.
        """
        first, *others = tasks
        workers = self._workers[: len(others)]
        for worker, task in zip(workers, others, strict=True):
            worker.submit(task)
        try:
            first()
        finally:
            errors = [worker.wait() for worker in workers]
        for error in filter(None, errors):
            raise error

    def __del__(self) -> None:
        """End the workers."""
        for worker in self._workers:
            worker.submit(None)


def balanced_slices(count: int, most: int, multiple: int = 1) -> list[slice]:
    """At most ``most`` slices of ``range(count)``, as equal as possible, whose starts are multiples of ``multiple``."""
    units = -(-count // multiple)
    bounds = [min(count, multiple * (units * index // most)) for index in range(most + 1)]
    return [slice(start, stop) for start, stop in pairwise(bounds) if stop > start]
