"""How many threads the BLAS behind NumPy computes on."""

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
    """Compute matrix products on this many threads, ``training.threads`` of a config.

    Raises:
        ConfigError: the BLAS does not take this many.
    """
    if threads == 1:
        yield
        return
    with threadpool_limits(threads, user_api="blas"):
        taken = max((each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"), default=1)
        if taken != threads:
            most = f"NumPy's BLAS takes {taken} threads on the {cores()} cores here"
            message = f"{most}, got {threads}; write {min(taken, cores())}"
            finding = Finding(("training", "threads"), message)
            raise ConfigError(
                format_diagnostics(with_location(document, [finding])) if document else f"training.threads: {message}"
            )
        yield


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
