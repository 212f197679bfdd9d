"""Three trainers at once: ``python -m tests.reliability.trainers --rounds 40``.

In each round three processes resume one unfinished run, while readers look at it all the time. One of them trains, and
is asked to end once the two others are gone; these have been told that it is busy. No reader ever fails. In the end
the run is trained to its last epoch, and has the bytes of one that had no company.
"""

import argparse
import multiprocessing
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

from tests.reliability import trials
from tests.reliability.faults import conducted
from tests.reliability.trials import RESUME, RUN, Outcome

TRAINERS = 3
LONGEST = 30.0  # seconds to wait for anything
EPOCHS_A_ROUND = 4000  # more than are trained in it


class Readers:
    """A process that reads the run over and over; ``count`` and ``wrong`` say in the end how often, and what failed."""

    def __init__(self, folder: Path, whole: Path) -> None:
        context = multiprocessing.get_context("fork")
        self.count, self.wrong = 0, list[str]()
        self._is_over, self._told = context.Event(), context.SimpleQueue()
        self._process = context.Process(target=self._read, args=(folder, whole))

    def __enter__(self) -> Self:
        self._process.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self.count, self.wrong = self._told.get()
        self._process.join()

    def _read(self, folder: Path, whole: Path) -> None:
        count, wrong = 0, list[str]()
        while not self._is_over.is_set():
            wrong += trials.unreadable(folder, whole)
            count += len(trials.readers(whole))
        self._told.put((count, wrong))


def started(folder: Path) -> subprocess.Popen:
    """A trainer that goes on with the run."""
    words = trials.command((*RESUME, "-q"))
    pipe = subprocess.PIPE
    return subprocess.Popen(words, cwd=folder, env=trials.environment(), stdout=pipe, stderr=pipe, encoding="utf-8")


def ended(process: subprocess.Popen) -> Outcome:
    """How a trainer ended."""
    out, err = process.communicate(timeout=LONGEST)
    return Outcome(process.returncode, out, err)


def wrong_in_a_round(folder: Path) -> list[str]:
    """Three trainers at once; what is wrong with how they end, a line each."""
    processes = [started(folder) for _ in range(TRAINERS)]
    deadline = time.monotonic() + LONGEST
    while sum(process.poll() is None for process in processes) > 1 and time.monotonic() < deadline:
        time.sleep(0.01)
    left = [process for process in processes if process.poll() is None]
    wait_for_training(left, deadline)
    for process in left:
        process.send_signal(signal.SIGTERM)
    outcomes = sorted(map(ended, processes))
    wrong = [] if [each.code for each in outcomes] == [6] * (TRAINERS - 1) + [143] else ["not one has trained"]
    wrong += [f"not one line: {each.err!r}" for each in outcomes if each.code == 6 and each.err.count("\n") != 1]
    return wrong and [f"{'; '.join(wrong)}: {' | '.join(map(trials.told, outcomes))}"]


def wait_for_training(left: list[subprocess.Popen], deadline: float) -> None:
    """Wait until the trainer that is left says that it has resumed, or has ended."""
    for process in left:
        while process.poll() is None and time.monotonic() < deadline:
            if "resumed at" in process.stderr.readline():
                break


def survey(arguments: argparse.Namespace, folder: Path) -> list[str]:
    """Begin the run, go through the rounds, and hold its end against that of a run without company."""
    trials.prepare()
    rounds = arguments.rounds
    text = trials.config(epochs=EPOCHS_A_ROUND * (rounds + 2), log_every=100)
    whole = trials.reference(folder / "whole", text)
    workdir = trials.lay_out(folder / "here", text)
    first = trials.command((*trials.TRAIN, "-q"))
    with subprocess.Popen(first, cwd=workdir, env=trials.environment(), stderr=subprocess.DEVNULL) as process:
        while not (workdir / RUN).is_dir():
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
    with Readers(workdir, whole) as readers:
        wrong = [f"round {n}: {each}" for n in range(rounds) for each in wrong_in_a_round(workdir)]
    wrong += readers.wrong
    print(f"{TRAINERS} trainers at once, rounds: {rounds}, readings: {readers.count}, {len(wrong)} wrong")
    wrong += trials.not_resumed(workdir, whole)
    print("\n".join(wrong))
    return wrong


def main() -> int:
    """Read the command line, and do it; 1 where anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    return conducted("trainers", parser, survey)


if __name__ == "__main__":
    sys.exit(main())
