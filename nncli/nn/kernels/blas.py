"""The BLAS library that NumPy has loaded: its kernels, and its number of threads, which is one."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock, local

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


class _SharedLimit:
    """A limit of one thread for BLAS, which has one number of threads for the whole process.

    Computations that overlap share it: the first one sets it, the last one restores the number of before.
    """

    def __init__(self) -> None:
        self._this_thread = local()
        self.lock = Lock()
        self._computations = self._before = 0

    def forget_others(self) -> None:
        """End the computations of all other threads, which a forked process does not have."""
        others, self._computations = self._computations - self._depth, self._depth
        if others and not self._computations:
            _set_threads(self._before)
        self.lock.release()

    @property
    def _depth(self) -> int:
        """The number of computations of this thread, each within the one before."""
        depth: int = getattr(self._this_thread, "depth", 0)
        return depth

    def acquire(self) -> None:
        """Begin a computation."""
        with self.lock:
            if not self._computations:
                self._before = _threads()
                _set_threads(1)
            self._computations += 1
        self._this_thread.depth = self._depth + 1

    def release(self) -> None:
        """End a computation."""
        self._this_thread.depth -= 1
        with self.lock:
            self._computations -= 1
            if not self._computations:
                _set_threads(self._before)


_limit = _SharedLimit()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_limit.lock.acquire, after_in_parent=_limit.lock.release, after_in_child=_limit.forget_others
    )


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Limit BLAS to one thread: on several it rounds differently, and dividing a step among processes is faster."""
    _limit.acquire()
    try:
        yield
    finally:
        _limit.release()


def _threads() -> int:
    """The number of threads of BLAS; 1 if there is no BLAS with threads."""
    return max((each.get_num_threads() for each in _libraries()), default=1)


def _set_threads(count: int) -> None:
    _release_control()
    for each in _libraries():
        if each.get_num_threads() != count:
            each.set_num_threads(count)
    _release_control()


def _release_control() -> None:
    """Let any thread set the number: from version 3.8, threadpoolctl lets only the thread that first did so."""
    if hasattr(OpenBLASController, "clear_controlling_thread"):
        OpenBLASController.clear_controlling_thread(force=True)


@cache
def _libraries() -> tuple[LibController, ...]:
    return tuple(loaded_libraries().select(user_api="blas").lib_controllers)
