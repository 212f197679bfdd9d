"""The power fails: ``python -m tests.reliability.power --states 5000 --seed 1``.

What real trainings do to the disk is recorded, and a model of a disk says what a power cut at any moment may leave of
it. In each of these states every reader must work, and training must go on to the very bytes that it would have had,
from nothing earlier than the last checkpoint that was put.
"""

import argparse
import shutil
import sys
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from pathlib import Path
from random import Random
from typing import NamedTuple

from tests.reliability import trials
from tests.reliability.disk import Disk, Fate, Tree, digest, lay_down
from tests.reliability.faults import conducted
from tests.reliability.promises import Promise, Promises
from tests.reliability.recording import Operation, record
from tests.reliability.survey import Survey
from tests.reliability.trials import EXTEND, RESUME, RUN, SPECS, TRAIN

MOST_WORTH = 32  # states of a moment, next to one of a moment at which nothing is pending
TRAINED = ("plain", "batches", "stopping", "nnfs")
RECORDINGS = (*TRAINED, *(f"{name}-resumed" for name in TRAINED), "plain-extended", *trials.RAISES)
SURVIVES = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0)


class Recording(NamedTuple):
    """What one command did: the folder before, its operations, the run that it ends in, and how to go on."""

    name: str
    before: Path
    operations: list[Operation]
    whole: Path
    again: tuple[str, ...] = RESUME

    def moments(self, lies: bool) -> Iterator[tuple[Operation, Disk, Promise]]:
        """Each operation, with the disk and what had been promised after it."""
        disk, promises = Disk.of(self.before, lies), Promises()
        for operation in self.operations:
            operation.carry_out(disk)
            yield operation, disk, promises.follow(operation, disk)

    def weights(self, lies: bool) -> list[int]:
        """How many states each moment is worth: as many as there are ways to lose something, up to a bound."""
        return [min(2 ** disk.count_pending(), MOST_WORTH) for _, disk, _ in self.moments(lies)]

    def states(self, quota: Sequence[int], seed: int, lies: bool) -> Iterator["State"]:
        """After each operation as many states as its quota says."""
        for k, ((operation, disk, promise), count) in enumerate(zip(self.moments(lies), quota, strict=True)):
            for j in range(count):  # every other one by its number, if there are several
                number = j // 2 if count > 2 and j % 2 == 0 else None
                fate = drawn_fate(Random(f"{seed}/{self.name}/{k}/{j}"), disk.count_pending(), number)
                where = f"{self.name}, operation {k} ({operation.method}), draw {j}"
                yield State(where, disk.after_power_cut(fate), promise, self)


def drawn_fate(random: Random, pending: int, number: int | None) -> Fate:
    """By its number the extremes first, everything lost and nothing, then each change lost alone; then by chance."""
    if number is not None and number < 2:
        return Fate(random, float(number))
    if number is not None and number < 2 + pending:
        return Fate(random, victim=number - 2)
    if pending and random.random() < 0.5:
        return Fate(random, victim=random.randrange(pending))
    return Fate(random, random.choice(SURVIVES))


class State(NamedTuple):
    """What a power cut has left of a recorded command's work, and what had been promised by then."""

    where: str
    tree: Tree
    promise: Promise
    recording: Recording

    def __str__(self) -> str:
        return self.where


class Studio:
    """Makes recordings in a folder, each once.

    Args:
        folder: it is there, and empty.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self._made = folder, dict[str, Recording]()

    def recording(self, name: str) -> Recording:
        """A spec trained; or, after its name, ``resumed`` in the middle, or ``extended`` after its end; or a raise."""
        if name not in self._made and name in trials.RAISES:
            self._made[name] = self._raised(name)
        if name not in self._made:
            spec, _, how = name.partition("-")
            make = {"": self._trained, "resumed": self._resumed, "extended": self._extended}[how]
            self._made[name] = make(name, spec)
        return self._made[name]

    def _trained(self, name: str, spec: str) -> Recording:
        whole = trials.reference(self.folder / f"{name}-whole", SPECS[spec])
        return Recording(name, *record(TRAIN, trials.lay_out(self.folder / name, SPECS[spec])), whole)

    def _resumed(self, name: str, spec: str) -> Recording:
        """Begins with a row of metrics that no checkpoint counts on."""
        first = self.recording(spec)
        rows = [k for k, each in enumerate(first.operations) if each.method == "write" and each.arguments[1] is None]
        disk = Disk.of(first.before)
        for operation in first.operations[: rows[len(rows) * 2 // 3] + 1]:
            operation.carry_out(disk)
        place = self.folder / name
        place.mkdir()
        lay_down(disk.after_power_cut(Fate(Random(0))), place)
        return Recording(name, *record(RESUME, place), first.whole)

    def _extended(self, name: str, spec: str) -> Recording:
        """Begins with a finished run, which is given more epochs."""
        self.recording(spec)
        whole = trials.reference(self.folder / f"{name}-whole", SPECS["longer"])
        place = Path(shutil.copytree(self.folder / spec, self.folder / name))
        return Recording(name, *record(EXTEND, place), whole, EXTEND)

    def _raised(self, name: str) -> Recording:
        """Begins with a finished run whose last row is off the log interval, and which is given more epochs."""
        whole = trials.reference(self.folder / f"{name}-whole", trials.RAISES[name](trials.RAISED))
        place = trials.to_be_raised(self.folder / name.replace(" ", "-"), name)
        words = trials.extended(trials.RAISED)
        return Recording(name, *record(words, place), whole, words)


def drawn(made: Sequence[Recording], states: int, seed: int, lies: bool) -> list[State]:
    """As many states as asked for, spread over all operations of all recordings by what these are worth."""
    weights = [weight for each in made for weight in each.weights(lies)]
    shares = [states * share // sum(weights) for share in accumulate(weights, initial=0)]
    quotas = [after - before for before, after in pairwise(shares)]
    found: list[State] = []
    for each in made:
        quota, quotas = quotas[: len(each.operations)], quotas[len(each.operations) :]
        found += each.states(quota, seed, lies)
    return found


def wrong_with(state: State, folder: Path) -> list[str]:
    """What is wrong with a state, a line each; ``folder`` is not there yet."""
    folder.mkdir()
    lay_down(state.tree, folder)
    run, promise, whole = folder / RUN, state.promise, state.recording.whole
    if not run.is_dir():
        return ["the run has vanished"] if promise.published else trials.not_anew(folder, whole)
    wrong = trials.unreadable(folder, whole)
    if promise.finished:
        wrong += [f"{name} of a finished run is another" for name in trials.differences(run, whole)]
    return wrong + trials.not_resumed(folder, whole, promise.position, state.recording.again)


def wrong_on_a_liar(state: State, folder: Path) -> list[str]:
    """What must not even happen on a disk that lies: a traceback, or a run in other bytes of which nobody is told."""
    folder.mkdir()
    lay_down(state.tree, folder)
    whole = state.recording.whole
    if not (folder / RUN).is_dir():
        return trials.not_anew(folder, whole)
    readers = trials.readers(whole)
    commands = {**readers, "resume": state.recording.again, "verify afterwards": readers["verify"]}
    ended = {name: trials.forked(words, folder) for name, words in commands.items()}
    wrong = [f"{name}: {trials.told(each)}" for name, each in ended.items() if each.code not in (0, 4)]
    if ended["resume"].code == ended["verify afterwards"].code == 0:
        wrong += [f"{name} is another, and nobody said so" for name in trials.differences(folder / RUN, whole)]
    return wrong


def survey(arguments: argparse.Namespace, work: Path) -> int:
    """Draw and check; returns how many states were wrong."""
    trials.prepare()
    studio = Studio(work)
    made = [studio.recording(name) for name in ([arguments.only] if arguments.only else RECORDINGS)]
    states = drawn(made, arguments.states, arguments.seed, arguments.lying)
    distinct = list({(digest(each.tree), each.promise, each.recording.name): each for each in states}.values())
    check = wrong_on_a_liar if arguments.lying else wrong_with
    found = Survey(check, work, arguments.processes, arguments.most)
    found.conduct(distinct)
    print(f"operations: {', '.join(f'{each.name} {len(each.operations)}' for each in made)}")
    print(f"{len(states)} states, {len(distinct)} of them distinct, {found.made} tried, {found.wrong} wrong")
    return found.wrong


def main() -> int:
    """Read the command line, and do it; 1 where any state was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--states", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--most", type=int, default=100, help="stop when so many states were wrong")
    parser.add_argument("--only", choices=RECORDINGS, help="one recording instead of all")
    parser.add_argument("--lying", action="store_true", help="a disk that says it has synced files, and has not")
    return conducted("power", parser, survey)


if __name__ == "__main__":
    sys.exit(main())
