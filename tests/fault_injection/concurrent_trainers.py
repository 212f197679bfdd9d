"""Three trainers at once: ``python -m tests.fault_injection.concurrent_trainers --rounds 40``.

In each round three processes resume one unfinished run, while other commands read it all the time. One of the three
trains, and is stopped after the other two have ended with "busy". No reader ever fails. In the end the run is trained
to its last epoch, and its results equal those of the reference run byte for byte.
"""

import argparse
import multiprocessing
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

from tests.fault_injection import child_processes, run_checks, small_runs
from tests.fault_injection.child_processes import Outcome
from tests.fault_injection.harnesses import run_harness
from tests.fault_injection.small_runs import RESUME, RUN

TRAINERS = 3
TIMEOUT = 30.0  # seconds
EPOCHS_PER_ROUND = 4000  # more than a round trains


class Readers:
    """A process that reads the run repeatedly; afterwards ``count`` is how often, and ``problems`` what failed."""

    def __init__(self, directory: Path, expected: Path) -> None:
        context = multiprocessing.get_context("fork")
        self.count, self.problems = 0, list[str]()
        self._stop, self._results = context.Event(), context.SimpleQueue()
        self._process = context.Process(target=self._read, args=(directory, expected))

    def __enter__(self) -> Self:
        self._process.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self.count, self.problems = self._results.get()
        self._process.join()

    def _read(self, directory: Path, expected: Path) -> None:
        count, problems = 0, list[str]()
        while not self._stop.is_set():
            problems += run_checks.reader_problems(directory, expected)
            count += len(run_checks.readers(expected))
        self._results.put((count, problems))


def start_trainer(directory: Path) -> subprocess.Popen:
    """Start a process that resumes the run."""
    arguments = child_processes.command((*RESUME, "-q"))
    pipe = subprocess.PIPE
    return subprocess.Popen(
        arguments, cwd=directory, env=child_processes.environment(), stdout=pipe, stderr=pipe, encoding="utf-8"
    )


def outcome_of(process: subprocess.Popen) -> Outcome:
    """Wait for the end of a trainer."""
    out, err = process.communicate(timeout=TIMEOUT)
    return Outcome(process.returncode, out, err)


def round_problems(directory: Path) -> list[str]:
    """Start three trainers at once; problems of how they end."""
    processes = [start_trainer(directory) for _ in range(TRAINERS)]
    deadline = time.monotonic() + TIMEOUT
    while sum(process.poll() is None for process in processes) > 1 and time.monotonic() < deadline:
        time.sleep(0.01)
    remaining = [process for process in processes if process.poll() is None]
    wait_for_training(remaining, deadline)
    for process in remaining:
        process.send_signal(signal.SIGTERM)
    outcomes = sorted(map(outcome_of, processes))
    problems = (
        [] if [each.code for each in outcomes] == [6] * (TRAINERS - 1) + [143] else ["not exactly one has trained"]
    )
    problems += [f"not one line: {each.err!r}" for each in outcomes if each.code == 6 and each.err.count("\n") != 1]
    return problems and [f"{'; '.join(problems)}: {' | '.join(map(child_processes.summary, outcomes))}"]


def wait_for_training(remaining: list[subprocess.Popen], deadline: float) -> None:
    """Wait until the remaining trainer has printed that it has resumed, or has ended."""
    for process in remaining:
        while process.poll() is None and time.monotonic() < deadline:
            if "resumed at" in process.stderr.readline():
                break


def run_all(arguments: argparse.Namespace, directory: Path) -> list[str]:
    """Start the run, do the rounds, and compare its results with those of the reference run."""
    child_processes.import_everything()
    rounds = arguments.rounds
    text = small_runs.config_text(epochs=EPOCHS_PER_ROUND * (rounds + 2), log_every=100)
    expected = small_runs.reference_run(directory / "reference", text)
    workdir = small_runs.working_directory(directory / "run", text)
    first = child_processes.command((*small_runs.TRAIN, "-q"))
    with subprocess.Popen(first, cwd=workdir, env=child_processes.environment(), stderr=subprocess.DEVNULL) as process:
        while not (workdir / RUN).is_dir():
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
    with Readers(workdir, expected) as readers:
        problems = [f"round {n}: {each}" for n in range(rounds) for each in round_problems(workdir)]
    problems += readers.problems
    print(f"{TRAINERS} trainers at once, rounds: {rounds}, readings: {readers.count}, {len(problems)} wrong")
    problems += run_checks.resume_problems(workdir, expected)
    print("\n".join(problems))
    return problems


def main() -> int:
    """Run the command line; returns 1 if a test case fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    return run_harness("concurrent_trainers", parser, run_all)


if __name__ == "__main__":
    sys.exit(main())
