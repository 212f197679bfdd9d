"""Results of fuzzing: counts of outcomes, failures with their inputs, and the growth of memory."""

import os
import resource
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

MAX_REPORTED = 20  # failures that are printed
SECONDS = 20  # time limit of one input, on a busy machine too


class HangError(BaseException):
    """An input exceeds the time limit; a BaseException, so that nncli does not catch it."""


@dataclass(frozen=True)
class Shard:
    """A part of the inputs of a fuzzer, which depends on the seed and the index alone.

    Args:
        index: the index of the shard.
        count: the number of inputs.
        random: generates the inputs.
        directory: an empty directory to work in.
        failures: the directory for inputs that have failed.
    """

    index: int
    count: int
    random: Random
    directory: Path
    failures: Path


@dataclass
class ResultCounter:
    """Counts of outcomes by name, descriptions of failures, and the growth of memory in bytes."""

    outcomes: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    growth: int = 0

    def add(self, other: "ResultCounter") -> None:
        """Add the results of another shard."""
        self.outcomes += other.outcomes
        self.failures += other.failures
        self.growth = max(self.growth, other.growth)

    def fail(self, problem: str, data: bytes, directory: Path) -> None:
        """Count a failure, and save its input."""
        directory.mkdir(parents=True, exist_ok=True)
        path = directory / f"{os.getpid()}-{len(self.failures)}"
        path.write_bytes(data)
        self.failures.append(f"{problem}; its input is {path}")

    def bound_memory(self, before: int, limit: int, directory: Path) -> None:
        """Record the growth of peak memory; more than ``limit`` is a failure."""
        self.growth = peak_memory() - before
        if self.growth > limit:
            self.fail(f"memory grew by {self.growth / 2**20:.0f} MiB", b"", directory)

    def line(self) -> str:
        """All counts in one line."""
        total = sum(self.outcomes.values())
        counts = ", ".join(f"{count:,} {name}" for name, count in sorted(self.outcomes.items()))
        return (
            f"{total:,} inputs: {counts}; memory grew by {self.growth / 2**20:.1f} MiB; {len(self.failures)} failures"
        )

    def report(self) -> int:
        """Print the first failures and the counts; returns the exit code."""
        for failure in self.failures[:MAX_REPORTED]:
            print(failure, file=sys.stderr)
        print(self.line())
        return 1 if self.failures else 0


def peak_memory() -> int:
    """The peak memory of this process in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


@contextmanager
def time_limit(seconds: float = SECONDS) -> Iterator[None]:
    """Raise a HangError if the block takes longer."""

    def expire(*_: object) -> None:
        raise HangError(f"no result within {seconds} s")

    before = signal.signal(signal.SIGALRM, expire)
    limit = signal.setitimer(signal.ITIMER_REAL, seconds)  # the timer of pytest-timeout, if any
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, *limit)
        signal.signal(signal.SIGALRM, before)
