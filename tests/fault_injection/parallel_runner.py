"""Run many test cases, each in its own directory, on several processes, until all are done or too many have failed."""

import multiprocessing
import shutil
from collections.abc import Callable, Sequence
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any, TypeAlias

Check: TypeAlias = Callable[[Any, Path], list[str]]  # a test case, a directory that does not exist yet -> problems

_FORK = multiprocessing.get_context("fork")


class ParallelRunner:
    """Runs test cases; ``completed`` and ``failed`` count them afterwards.

    Args:
        check: runs a test case; returns its problems, one line each.
        work: an existing directory, in which each test case gets one.
        processes: the number of worker processes.
        max_failures: no more test cases begin after this many have failed.
    """

    def __init__(self, check: Check, work: Path, processes: int, max_failures: int) -> None:
        self._check, self._work, self._processes, self._max_failures = check, work, processes, max_failures
        self.completed = self.failed = 0

    def run(self, cases: Sequence[Any]) -> None:
        """Run the test cases, and print the problems of each as soon as they are known."""
        enough = _FORK.Event()
        with _FORK.Pool(self._processes, _initialize, (enough, self._check, self._work)) as pool:
            for name, problems in pool.imap_unordered(_run_case, enumerate(cases)):
                if name is None:
                    continue
                self.completed += 1
                if problems:
                    self.failed += 1
                    print(f"{name}: {'; '.join(problems)}", flush=True)
                if self.failed >= self._max_failures:
                    enough.set()


_worker: dict[str, Any] = {}  # what a worker process was initialized with


def _initialize(enough: Event, check: Check, work: Path) -> None:
    _worker.update(enough=enough, check=check, work=work)


def _run_case(job: tuple[int, Any]) -> tuple[str | None, list[str]]:
    index, case = job
    if _worker["enough"].is_set():
        return None, []
    directory = _worker["work"] / f"case-{index}"
    directory.mkdir()
    problems = _worker["check"](case, directory / "copy")
    shutil.rmtree(directory)
    return str(case), problems
