"""Threads that compute parts of a task side by side; NumPy and BLAS release the interpreter lock while they compute."""

import os
from collections.abc import Callable, Sequence
from itertools import pairwise
from queue import SimpleQueue
from threading import Lock, Thread
from typing import TypeAlias

import numpy as np

Task: TypeAlias = Callable[[], object]


class _Given:
    """A task that is given to a waiting thread.

    It has a lock of its own, so that a wait that was interrupted, as by Ctrl-C, does not disturb the next task.
    """

    def __init__(self, task: Task) -> None:
        self._task: Task | None = task
        self._error: BaseException | None = None
        self._done = Lock()
        self._done.acquire()

    def compute(self) -> None:
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


Given: TypeAlias = "SimpleQueue[_Given | None]"


def _work(given: Given) -> None:
    """Compute tasks until None is given."""
    np.seterr(all="ignore")  # results are checked by the thread that gives the tasks
    while task := given.get():
        task.compute()


class Threads:
    """N threads, the calling one and N − 1 that wait; these begin at the first use, also in a forked process.

    Args:
        count: N.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self._helpers: list[Given] = []
        self._process = 0

    def run(self, tasks: Sequence[Task]) -> None:
        """Run at most N tasks, the first one in the calling thread, and wait for all of them.

        If the wait is interrupted, the next tasks of a thread begin when its last one has ended.

        Raises:
            Exception: that of the first task that failed.
        """
        first, *others = tasks
        given = [_Given(task) for task in others]
        if given:
            self._start()
        for helper, task in zip(self._helpers, given, strict=False):
            helper.put(task)
        try:
            first()
        finally:
            errors = [task.wait() for task in given]
        for error in filter(None, errors):
            raise error

    def _start(self) -> None:
        """Begin the threads, unless they wait already; a forked process does not have those of its parent."""
        if self._process == os.getpid():
            return
        self._helpers = [SimpleQueue() for _ in range(self.count - 1)]
        for helper in self._helpers:
            Thread(target=_work, args=(helper,), name="nncli-part", daemon=True).start()
        self._process = os.getpid()

    def __del__(self) -> None:
        """End the waiting threads."""
        for helper in self._helpers:
            helper.put(None)


def parts(count: int, threads: int, multiple: int = 1) -> list[slice]:
    """At most ``threads`` parts of a range, as equal as possible, whose starts are multiples of ``multiple``."""
    units = -(-count // multiple)
    bounds = [min(count, multiple * (units * index // threads)) for index in range(threads + 1)]
    return [slice(start, stop) for start, stop in pairwise(bounds) if stop > start]
