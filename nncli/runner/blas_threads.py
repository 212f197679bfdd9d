"""The number of threads of the BLAS library that NumPy uses."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from threadpoolctl import threadpool_info, threadpool_limits

from nncli.config.diagnostics import Finding, format_diagnostics
from nncli.config.document import Document
from nncli.errors import ConfigError
from nncli.experiment.loading import with_location


@contextmanager
def blas_threads(threads: int, document: Document | None = None) -> Iterator[None]:
    """Compute matrix products on this number of threads.

    A single thread is assumed to be set already: the command line sets it before NumPy is imported, the Python API by
    ``single_blas_thread``.

    Args:
        threads: ``training.threads`` of a config.
        document: the config, for the source location of an error.

    Raises:
        ConfigError: the BLAS does not support this number.
    """
    if threads == 1:
        yield
        return
    with threadpool_limits(threads, user_api="blas"):
        supported = max(_blas_threads(), default=1)
        if supported != threads:
            available = f"NumPy's BLAS takes {supported} threads on the {cores()} cores available"
            message = f"{available}, got {threads}; write {min(supported, cores())}"
            raise _error(message, document)
        yield


@contextmanager
def single_blas_thread() -> Iterator[None]:
    """Limit BLAS to one thread, as on the command line, so that results are the same."""
    if max(_blas_threads(), default=1) == 1:
        yield
        return
    with threadpool_limits(1, user_api="blas"):
        yield


def cores() -> int:
    """The number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _blas_threads() -> list[int]:
    """The number of threads of each BLAS library that is loaded."""
    return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]


def _error(message: str, document: Document | None) -> ConfigError:
    if document is None:
        return ConfigError(f"training.threads: {message}")
    diagnostics = with_location(document, [Finding(("training", "threads"), message)])
    return ConfigError(format_diagnostics(diagnostics), diagnostics)
