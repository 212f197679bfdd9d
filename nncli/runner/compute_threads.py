"""The number of threads of a command: it is checked, and BLAS has one thread."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from nncli.config.diagnostics import Finding, format_diagnostics
from nncli.config.document import Document
from nncli.errors import ConfigError
from nncli.experiment.loading import with_location
from nncli.nn.kernels.blas import one_blas_thread

MAX_THREADS = 64


@contextmanager
def compute_threads(threads: int, document: Document | None = None) -> Iterator[None]:
    """Check the number of threads, and limit BLAS to one: training and prediction use the others themselves.

    Args:
        threads: ``training.threads`` of a config.
        document: the config, for the source location of an error.

    Raises:
        ConfigError: the number is too large.
    """
    if threads > MAX_THREADS:
        useful = min(MAX_THREADS, cores())
        raise _error(f"at most {MAX_THREADS} threads, got {threads}; write {useful}", document)
    with one_blas_thread():
        yield


def cores() -> int:
    """The number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _error(message: str, document: Document | None) -> ConfigError:
    if document is None:
        return ConfigError(f"training.threads: {message}")
    diagnostics = with_location(document, [Finding(("training", "threads"), message)])
    return ConfigError(format_diagnostics(diagnostics), diagnostics)
