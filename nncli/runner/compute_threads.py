"""The number of threads of a command: it is checked, and BLAS has one thread, except for products that it divides."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from nncli.config.diagnostics import Finding, format_diagnostics
from nncli.config.document import Document
from nncli.errors import ConfigError
from nncli.experiment.loading import with_location
from nncli.nn.kernels.blas import loaded_libraries, release_control

MAX_THREADS = 64


class _SharedLimit:
    """A limit of one thread for BLAS, which has one number of threads for the whole process.

    Calls that overlap share it: the first one sets it, the last one restores the number of before. Within them,
    ``blas_threads`` sets the number for long products.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._calls = 0

    def acquire(self) -> None:
        """Begin a call."""
        with self._lock:
            if not self._calls:
                release_control()
                self._limits = loaded_libraries().limit(limits=1, user_api="blas")
            self._calls += 1

    def release(self) -> None:
        """End a call."""
        with self._lock:
            self._calls -= 1
            if not self._calls:
                release_control()
                self._limits.restore_original_limits()
                release_control()


_limit = _SharedLimit()


@contextmanager
def compute_threads(threads: int, document: Document | None = None) -> Iterator[None]:
    """Check the number of threads, and limit BLAS to one; a network uses the others, see ``Network.use_threads``.

    Args:
        threads: ``training.threads`` of a config.
        document: the config, for the source location of an error.

    Raises:
        ConfigError: the number is too large.
    """
    if threads > MAX_THREADS:
        useful = min(MAX_THREADS, cores())
        raise _error(f"at most {MAX_THREADS} threads, got {threads}; write {useful}", document)
    _limit.acquire()
    try:
        yield
    finally:
        _limit.release()


def cores() -> int:
    """The number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _error(message: str, document: Document | None) -> ConfigError:
    if document is None:
        return ConfigError(f"training.threads: {message}")
    diagnostics = with_location(document, [Finding(("training", "threads"), message)])
    return ConfigError(format_diagnostics(diagnostics), diagnostics)
