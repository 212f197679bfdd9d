"""What an attack has met: outcomes counted, failures with the input that led to them, and the largest memory."""

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

MOST_TOLD = 20
SECONDS = 20  # in which any input is answered, on a busy machine too


class HangError(BaseException):
    """An input has not been answered in time; nothing but the harness catches it."""


@dataclass(frozen=True)
class Portion:
    """A part of an attack, which depends on the seed and on its number, and not on who else does the others.

    Args:
        number: which part it is, from 0 on.
        count: how many inputs it tries.
        random: where these come from.
        folder: an empty folder to work in.
        kept: where inputs go that have led to a failure.
    """

    number: int
    count: int
    random: Random
    folder: Path
    kept: Path


@dataclass
class Tally:
    """Counts of outcomes by name, the failures in words, and by how many bytes the process has grown."""

    outcomes: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    grown: int = 0

    def add(self, other: "Tally") -> None:
        """Take in what another part of the attack has met."""
        self.outcomes += other.outcomes
        self.failures += other.failures
        self.grown = max(self.grown, other.grown)

    def fail(self, what: str, data: bytes, folder: Path) -> None:
        """Note a failure, and keep its input."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{os.getpid()}-{len(self.failures)}"
        path.write_bytes(data)
        self.failures.append(f"{what}; its input is {path}")

    def bound_memory(self, before: int, most: int, folder: Path) -> None:
        """Note by how much the peak of memory has grown, and that it is a failure where that is too much."""
        self.grown = peak() - before
        if self.grown > most:
            self.fail(f"memory grew by {self.grown / 2**20:.0f} MiB", b"", folder)

    def line(self) -> str:
        """Everything in one line."""
        total = sum(self.outcomes.values())
        counts = ", ".join(f"{count:,} {name}" for name, count in sorted(self.outcomes.items()))
        return f"{total:,} inputs: {counts}; memory grew by {self.grown / 2**20:.1f} MiB; {len(self.failures)} failures"

    def report(self) -> int:
        """Print the first failures and the line; returns the exit code."""
        for failure in self.failures[:MOST_TOLD]:
            print(failure, file=sys.stderr)
        print(self.line())
        return 1 if self.failures else 0


def peak() -> int:
    """The most memory that this process has had, in bytes."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else 1024 * most


@contextmanager
def bounded_time(seconds: float = SECONDS) -> Iterator[None]:
    """Raise a HangError where what happens inside takes longer."""

    def late(*_: object) -> None:
        raise HangError(f"no answer within {seconds} s")

    before = signal.signal(signal.SIGALRM, late)
    limit = signal.setitimer(signal.ITIMER_REAL, seconds)  # that of the test, if it has one
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, *limit)
        signal.signal(signal.SIGALRM, before)
