"""The BLAS library that NumPy has loaded: its kernels and its number of threads."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Condition, local

from threadpoolctl import LibController, ThreadpoolController

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
    """A shared lock on the number of threads of BLAS, which has one number for the whole process.

    Computations on the same number of threads hold it at the same time; one on another number waits until all have
    ended, so that none changes the results of another. It is reentrant: a computation within another one in the same
    thread keeps the number of that one.
    """

    def __init__(self) -> None:
        self._condition, self._this_thread = Condition(), local()
        self._holders = self._before = self._count = 0

    def acquire(self, count: int) -> None:
        """Begin a computation on this number of threads, as soon as those on other numbers have ended."""
        self._this_thread.depth = getattr(self._this_thread, "depth", 0) + 1
        if self._this_thread.depth > 1:
            return
        with self._condition:
            while self._holders and self._count != count:
                self._condition.wait()
            if not self._holders:
                self._before, self._count = _threads(), count
                _set_threads(count)
            self._holders += 1

    def release(self) -> None:
        """End a computation; the last one restores the number of before."""
        self._this_thread.depth -= 1
        if self._this_thread.depth:
            return
        with self._condition:
            self._holders -= 1
            if not self._holders:
                _set_threads(self._before)
                self._condition.notify_all()


_lock = _ThreadCountLock()


@contextmanager
def blas_threads(count: int) -> Iterator[None]:
    """Compute matrix products on this number of threads, after computations on other numbers have ended."""
    _lock.acquire(count)
    try:
        yield
    finally:
        _lock.release()


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
