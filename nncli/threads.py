"""Threads that compute parts of a task side by side; NumPy and BLAS release the interpreter lock while they compute."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from threading import Lock, Thread
from typing import TypeAlias

import numpy as np

Task: TypeAlias = Callable[[], object]


class _Helper:
    """A thread that waits for tasks; two locks hand over each of them, which is faster than a queue or a condition."""

    def __init__(self) -> None:
        self._given, self._done = Lock(), Lock()
        self._given.acquire()
        self._done.acquire()
        self._task: Task | None = None
        self._error: BaseException | None = None
        Thread(target=self._work, name="nncli-part", daemon=True).start()

    def give(self, task: Task | None) -> None:
        """Begin a task; None ends the thread."""
        self._task = task
        self._given.release()

    def wait(self) -> BaseException | None:
        """Wait for the end of the task, and return its exception, or that of a signal handler in the meantime."""
        interrupt = None
        try:
            self._done.acquire()
        except BaseException as raised:  # by a signal handler; the task still runs
            interrupt = raised
            self._done.acquire()
        error, self._error = self._error, None
        return interrupt or error

    def _work(self) -> None:
        np.seterr(all="ignore")  # results are checked by the thread that gives the tasks
        while True:
            self._given.acquire()
            if self._task is None:
                return
            try:
                self._task()
            except BaseException as error:
                self._error = error
            self._done.release()


class Threads:
    """N threads, the calling one and N − 1 that wait.

    Args:
        count: N.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self._helpers = [_Helper() for _ in range(count - 1)]

    def run(self, tasks: Sequence[Task]) -> None:
        """Run at most N tasks, the first one in the calling thread, and wait for all of them.

        Raises:
            Exception: that of the first task that failed.
        """
        first, *others = tasks
        helpers = self._helpers[: len(others)]
        for helper, task in zip(helpers, others, strict=True):
            helper.give(task)
        try:
            first()
        finally:
            errors = [helper.wait() for helper in helpers]
        for error in filter(None, errors):
            raise error

    def __del__(self) -> None:
        """End the waiting threads."""
        for helper in self._helpers:
            helper.give(None)


def parts(count: int, threads: int, multiple: int = 1) -> list[slice]:
    """At most ``threads`` parts of a range, as equal as possible, whose starts are multiples of ``multiple``."""
    units = -(-count // multiple)
    bounds = [min(count, multiple * (units * index // threads)) for index in range(threads + 1)]
    return [slice(start, stop) for start, stop in pairwise(bounds) if stop > start]
