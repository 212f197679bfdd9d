"""The BLAS library that NumPy has loaded, and what it says of its kernels."""

import os
from collections import deque
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from threading import Condition, local

from threadpoolctl import LibController, ThreadpoolController

# kernels of OpenBLAS for processors with AVX-512, which multiply small matrices without packing them
WITHOUT_PACKING = frozenset({"SkylakeX", "Cooperlake", "SapphireRapids"})


@cache
def loaded_libraries() -> ThreadpoolController:
    """The libraries with threads of their own that NumPy has loaded; they are searched for once in a process."""
    return ThreadpoolController()


@cache
def kernels() -> tuple[str, ...]:
    """The processor architectures that the loaded BLAS libraries have chosen kernels for, each once."""
    return tuple(dict.fromkeys(each["architecture"] for each in loaded_libraries().info() if "architecture" in each))


@cache
def multiplies_without_packing() -> bool:
    """Whether BLAS multiplies small matrices without packing them first."""
    return not WITHOUT_PACKING.isdisjoint(kernels())


class _Turns:
    """The number of threads of BLAS, of which there is one for the whole process.

    While a computation runs, others on the same number of threads may run; one on another number begins when all have
    ended, and before those that come after it. So none changes the results of another, and each one gets its turn. A
    computation within another one in the same thread has its number.
    """

    def __init__(self) -> None:
        self._own = local()
        self._before = self._count = 0
        self.forget_others()

    def forget_others(self) -> None:
        """Forget the computations of all other threads, which a forked process does not have."""
        self._condition, self._waiting = Condition(), deque[object]()
        self._running = int(self._depth > 0)

    @property
    def _depth(self) -> int:
        """The number of computations of this thread, each within the one before."""
        depth: int = getattr(self._own, "depth", 0)
        return depth

    def begin(self, count: int) -> None:
        """Wait for the turn of computations on this number of threads."""
        if not self._depth:
            with self._condition:
                self._wait(count)
                if not self._running:
                    self._before, self._count = _threads(), count
                    _set_threads(count)
                self._running += 1
        self._own.depth = self._depth + 1

    def _wait(self, count: int) -> None:
        """Wait for those that have waited before, and for computations on another number."""
        own = object()
        self._waiting.append(own)
        try:
            self._condition.wait_for(lambda: self._waiting[0] is own and (not self._running or self._count == count))
        finally:
            self._waiting.remove(own)
            self._condition.notify_all()

    def end(self) -> None:
        """End a computation; the last one restores the number of before."""
        if not self._depth:  # the wait after a pause was interrupted
            return
        self._own.depth -= 1
        if self._depth:
            return
        with self._condition:
            self._running -= 1
            if not self._running:
                _set_threads(self._before)
                self._condition.notify_all()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Leave the turn of the computations of this thread, if there are any, and wait for another one."""
        depth, count = self._depth, self._count
        if not depth:
            yield
            return
        self._own.depth = 1
        self.end()
        try:
            yield
        finally:
            self.begin(count)
            self._own.depth = depth


_turns = _Turns()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_turns.forget_others)


@contextmanager
def blas_threads(count: int) -> Iterator[None]:
    """Compute matrix products on this number of threads; a computation on another number waits, or is waited for."""
    _turns.begin(count)
    try:
        yield
    finally:
        _turns.end()


def paused() -> AbstractContextManager[None]:
    """Let computations on another number of threads begin, also those of other threads that this one waits for."""
    return _turns.paused()


def _threads() -> int:
    """The number of threads of BLAS; 1 if there is no BLAS with threads."""
    return max((each.get_num_threads() for each in _libraries()), default=1)


def _set_threads(count: int) -> None:
    for each in _libraries():
        if each.get_num_threads() != count:
            each.set_num_threads(count)


@cache
def _libraries() -> tuple[LibController, ...]:
    return tuple(loaded_libraries().select(user_api="blas").lib_controllers)
