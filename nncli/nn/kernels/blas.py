"""The BLAS library that NumPy has loaded, and what it says of its kernels."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Condition, local

from threadpoolctl import LibController, OpenBLASController, ThreadpoolController

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
    ended. So none changes the results of another. A computation within another one in the same thread has its number.
    """

    def __init__(self) -> None:
        self._condition, self._own = Condition(), local()
        self._running = self._before = self._count = 0

    def begin(self, count: int) -> None:
        """Wait for the turn of computations on this number of threads."""
        self._own.depth = getattr(self._own, "depth", 0) + 1
        if self._own.depth > 1:
            return
        with self._condition:
            while self._running and self._count != count:
                self._condition.wait()
            if not self._running:
                self._before, self._count = _threads(), count
                _set_threads(count)
            self._running += 1

    def end(self) -> None:
        """End a computation; the last one restores the number of before."""
        self._own.depth -= 1
        if self._own.depth:
            return
        with self._condition:
            self._running -= 1
            if not self._running:
                _set_threads(self._before)
                self._condition.notify_all()


_turns = _Turns()


@contextmanager
def blas_threads(count: int) -> Iterator[None]:
    """Compute matrix products on this number of threads; a computation on another number waits, or is waited for."""
    _turns.begin(count)
    try:
        yield
    finally:
        _turns.end()


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
