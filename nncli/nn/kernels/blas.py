"""The BLAS library that NumPy has loaded: its kernels and its number of threads."""

import os
from collections import deque
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from threading import Condition, local

from threadpoolctl import LibController, OpenBLASController, ThreadpoolController

# architectures with AVX-512, for which OpenBLAS has kernels for small matrices (SMALL_MATRIX_OPT)
SMALL_MATRIX_ARCHITECTURES = frozenset({"SkylakeX", "Cooperlake", "SapphireRapids"})


@cache
def loaded_libraries() -> ThreadpoolController:
    """The libraries with threads of their own that NumPy has loaded; they are searched for once in a process."""
    return ThreadpoolController()


@cache
def kernels() -> tuple[str, ...]:
    """The processor architectures that the loaded BLAS libraries have chosen kernels for, each once."""
    return tuple(dict.fromkeys(each["architecture"] for each in loaded_libraries().info() if "architecture" in each))


@cache
def has_small_matrix_kernels() -> bool:
    """Whether BLAS has kernels for small matrices, which it then need not copy to a packed layout first."""
    return not SMALL_MATRIX_ARCHITECTURES.isdisjoint(kernels())


class _ThreadCountLock:
    """A shared, fair lock on the number of threads of BLAS, which has one number for the whole process.

    Computations on the same number of threads hold it at the same time; one on another number waits until all have
    ended, so that none changes the results of another, and those that come later wait for it. It is reentrant: a
    computation within another one in the same thread keeps the number of that one.
    """

    def __init__(self) -> None:
        self._this_thread = local()
        self._before = self._count = 0
        self.forget_others()

    def forget_others(self) -> None:
        """Forget the computations of all other threads, which a forked process does not have."""
        self._condition, self._waiting = Condition(), deque[object]()
        self._holders = int(self._depth > 0)

    @property
    def _depth(self) -> int:
        """The number of computations of this thread, each within the one before."""
        depth: int = getattr(self._this_thread, "depth", 0)
        return depth

    def acquire(self, count: int) -> None:
        """Begin a computation on this number of threads, as soon as those on other numbers have ended."""
        if not self._depth:
            with self._condition:
                self._wait(count)
                if not self._holders:
                    self._before, self._count = _threads(), count
                    _set_threads(count)
                self._holders += 1
        self._this_thread.depth = self._depth + 1

    def _wait(self, count: int) -> None:
        """Wait for those that have waited before, and for computations on another number."""
        own = object()
        self._waiting.append(own)
        try:
            self._condition.wait_for(lambda: self._waiting[0] is own and (not self._holders or self._count == count))
        finally:
            self._waiting.remove(own)
            self._condition.notify_all()

    def release(self) -> None:
        """End a computation; the last one restores the number of before."""
        if not self._depth:  # the wait after a pause was interrupted
            return
        self._this_thread.depth -= 1
        if self._depth:
            return
        with self._condition:
            self._holders -= 1
            if not self._holders:
                _set_threads(self._before)
                self._condition.notify_all()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Release the lock within a computation of this thread, if there is one, and acquire it again."""
        depth, count = self._depth, self._count
        if not depth:
            yield
            return
        self._this_thread.depth = 1
        self.release()
        try:
            yield
        finally:
            self.acquire(count)
            self._this_thread.depth = depth


_lock = _ThreadCountLock()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_lock.forget_others)


@contextmanager
def blas_threads(count: int) -> Iterator[None]:
    """Compute matrix products on this number of threads; a computation on another number waits, or is waited for."""
    _lock.acquire(count)
    try:
        yield
    finally:
        _lock.release()


def paused() -> AbstractContextManager[None]:
    """Let computations on another number of threads begin, also those of other threads that this one waits for."""
    return _lock.paused()


def release_control() -> None:
    """Let any thread set the number: from version 3.8, threadpoolctl lets only the thread that first did so."""
    if hasattr(OpenBLASController, "clear_controlling_thread"):
        OpenBLASController.clear_controlling_thread(force=True)


def _threads() -> int:
    """The number of threads of BLAS; 1 if there is no BLAS with threads."""
    return max((each.get_num_threads() for each in _libraries()), default=1)


def _set_threads(count: int) -> None:
    release_control()
    for each in _libraries():
        if each.get_num_threads() != count:
            each.set_num_threads(count)
    release_control()


@cache
def _libraries() -> tuple[LibController, ...]:
    return tuple(loaded_libraries().select(user_api="blas").lib_controllers)
