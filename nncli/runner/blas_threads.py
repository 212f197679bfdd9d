"""How many threads the BLAS behind NumPy computes on: one, as set before NumPy is imported, or what a spec asks for."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from nncli.errors import SpecError

if TYPE_CHECKING:
    from nncli.config.document import Document

# faster at most sizes, and the same bits on any number of cores
ONE = dict.fromkeys(("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1")


@contextmanager
def blas_threads(threads: int, document: "Document | None" = None) -> Iterator[None]:
    """Compute matrix products on so many threads, ``training.threads`` of a spec; NumPy is imported before.

    Raises:
        SpecError: the BLAS cannot be told so, or takes fewer.
    """
    if threads == 1:
        yield
        return
    from threadpoolctl import threadpool_info, threadpool_limits

    with threadpool_limits(threads, user_api="blas"):
        taken = max((each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"), default=1)
        if taken != threads:
            from nncli.config.diagnostics import report
            from nncli.experiment.loading import located

            most = f"NumPy's BLAS takes {taken} threads on the {cores()} cores here"
            message = f"{most}, got {threads}; write {min(taken, cores())}"
            finding = ("training", "threads"), message
            raise SpecError(report(located(document, [finding])) if document else f"training.threads: {message}")
        yield


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
