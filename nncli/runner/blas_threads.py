"""The number of threads of the BLAS library that NumPy uses."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from threadpoolctl import OpenBLASController

from nncli.config.diagnostics import Finding, format_diagnostics
from nncli.config.document import Document
from nncli.errors import BusyError, ConfigError
from nncli.experiment.loading import with_location
from nncli.nn.kernels.blas import loaded_libraries


class _SharedLimit:
    """A limit on the threads of BLAS, which has one number for the whole process.

    Calls that overlap share it: the first one sets it, the last one restores the number of before.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._calls = self._threads = 0

    def acquire(self, threads: int) -> int:
        """Begin a call on this number of threads, and return the number that BLAS takes.

        Raises:
            BusyError: another call computes on another number.
        """
        with self._lock:
            if self._calls and threads != self._threads:
                reason = f"another call in this process computes on {self._threads}; make one call after the other"
                raise BusyError(f"cannot compute on {threads} threads (training.threads): {reason}")
            _release_control()
            libraries = loaded_libraries()
            limits = libraries.limit(limits=threads, user_api="blas")  # with OpenMP, each thread has its own number
            if not self._calls:
                self._limits, self._threads = limits, threads
            self._calls += 1
        return max((each["num_threads"] for each in libraries.info() if each["user_api"] == "blas"), default=1)

    def release(self) -> None:
        """End a call."""
        with self._lock:
            self._calls -= 1
            if not self._calls:
                _release_control()
                self._limits.restore_original_limits()
                _release_control()


_limit = _SharedLimit()


@contextmanager
def blas_threads(threads: int, document: Document | None = None) -> Iterator[None]:
    """Compute matrix products on this number of threads; calls that overlap must have the same number.

    Args:
        threads: ``training.threads`` of a config.
        document: the config, for the source location of an error.

    Raises:
        BusyError: another call in this process computes on another number.
        ConfigError: the BLAS does not support this number.
    """
    supported = _limit.acquire(threads)
    try:
        if supported != threads:
            available = f"NumPy's BLAS takes {supported} threads on the {cores()} cores available"
            raise _error(f"{available}, got {threads}; write {min(supported, cores())}", document)
        yield
    finally:
        _limit.release()


def cores() -> int:
    """The number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _release_control() -> None:
    """Let any thread set the number: from version 3.8, threadpoolctl lets only the thread that first did so."""
    if hasattr(OpenBLASController, "clear_controlling_thread"):
        OpenBLASController.clear_controlling_thread(force=True)


def _error(message: str, document: Document | None) -> ConfigError:
    if document is None:
        return ConfigError(f"training.threads: {message}")
    diagnostics = with_location(document, [Finding(("training", "threads"), message)])
    return ConfigError(format_diagnostics(diagnostics), diagnostics)
