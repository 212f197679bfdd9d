"""Power loss at any moment: ``python -m tests.fault_injection.power_loss --states 5000 --seed 1``.

What trainings do to the disk is recorded, and a model of a disk computes what a power loss at any moment may leave. In
each of these states every command that reads a run must work, and a resume must end in the bytes of the reference run,
starting from the last durable checkpoint or a later one.
"""

import argparse
import shutil
import sys
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from pathlib import Path
from random import Random
from typing import NamedTuple

from tests.fault_injection import child_processes, run_checks, small_runs
from tests.fault_injection.disk_model import Disk, Fate, Tree, digest, write_tree
from tests.fault_injection.disk_recording import Operation, record
from tests.fault_injection.durability_oracle import DurabilityOracle, Guarantee
from tests.fault_injection.harnesses import run_harness
from tests.fault_injection.parallel_runner import ParallelRunner
from tests.fault_injection.small_runs import CONFIGS, RESUME, RESUME_LONGER, RUN, TRAIN

MAX_WEIGHT = 32  # states of one moment, per state of a moment at which nothing is pending
TRAINED = ("plain", "batches", "stopping", "nnfs")
RECORDINGS = (*TRAINED, *(f"{name}-resumed" for name in TRAINED), "plain-extended", *small_runs.EXTENSIONS)
SURVIVAL_PROBABILITIES = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0)


class Recording(NamedTuple):
    """The operations of one command, the directory before it, the reference run, and the command that resumes it."""

    name: str
    before: Path
    operations: list[Operation]
    expected: Path
    resume_command: tuple[str, ...] = RESUME

    def moments(self, lies: bool) -> Iterator[tuple[Operation, Disk, Guarantee]]:
        """Each operation, with the disk and the guarantee after it."""
        disk, oracle = Disk.of(self.before, lies), DurabilityOracle()
        for operation in self.operations:
            operation.execute(disk)
            yield operation, disk, oracle.follow(operation, disk)

    def weights(self, lies: bool) -> list[int]:
        """The weight of each moment: the number of ways to lose something, up to a bound."""
        return [min(2 ** disk.count_pending(), MAX_WEIGHT) for _, disk, _ in self.moments(lies)]

    def states(self, quota: Sequence[int], seed: int, lies: bool) -> Iterator["State"]:
        """After each operation as many states as its quota."""
        for k, ((operation, disk, guarantee), count) in enumerate(zip(self.moments(lies), quota, strict=True)):
            for j in range(count):  # every other one is systematic, if there are several
                index = j // 2 if count > 2 and j % 2 == 0 else None
                fate = draw_fate(Random(f"{seed}/{self.name}/{k}/{j}"), disk.count_pending(), index)
                name = f"{self.name}, operation {k} ({operation.method}), draw {j}"
                yield State(name, disk.after_power_loss(fate), guarantee, self)


def draw_fate(random: Random, pending: int, index: int | None) -> Fate:
    """By index: everything lost, nothing lost, then each change lost alone; without an index at random."""
    if index is not None and index < 2:
        return Fate(random, float(index))
    if index is not None and index < 2 + pending:
        return Fate(random, victim=index - 2)
    if pending and random.random() < 0.5:
        return Fate(random, victim=random.randrange(pending))
    return Fate(random, random.choice(SURVIVAL_PROBABILITIES))


class State(NamedTuple):
    """What a power loss has left of a recorded command's files, and what was guaranteed at that moment."""

    name: str
    tree: Tree
    guarantee: Guarantee
    recording: Recording

    def __str__(self) -> str:
        return self.name


class RecordingCache:
    """Makes recordings on demand, each once.

    Args:
        directory: an empty directory.
    """

    def __init__(self, directory: Path) -> None:
        self.directory, self._recordings = directory, dict[str, Recording]()

    def recording(self, name: str) -> Recording:
        """The training of a config; with ``-resumed`` or ``-extended`` its continuation; or one of EXTENSIONS."""
        if name not in self._recordings and name in small_runs.EXTENSIONS:
            self._recordings[name] = self._extended_off_interval(name)
        if name not in self._recordings:
            config, _, kind = name.partition("-")
            make = {"": self._trained, "resumed": self._resumed, "extended": self._extended}[kind]
            self._recordings[name] = make(name, config)
        return self._recordings[name]

    def _trained(self, name: str, config: str) -> Recording:
        expected = small_runs.reference_run(self.directory / f"{name}-reference", CONFIGS[config])
        return Recording(
            name, *record(TRAIN, small_runs.working_directory(self.directory / name, CONFIGS[config])), expected
        )

    def _resumed(self, name: str, config: str) -> Recording:
        """Starts with a row of metrics that is in no checkpoint."""
        first = self.recording(config)
        rows = [k for k, each in enumerate(first.operations) if each.method == "write" and each.arguments[1] is None]
        disk = Disk.of(first.before)
        for operation in first.operations[: rows[len(rows) * 2 // 3] + 1]:
            operation.execute(disk)
        directory = self.directory / name
        directory.mkdir()
        write_tree(disk.after_power_loss(Fate(Random(0))), directory)
        return Recording(name, *record(RESUME, directory), first.expected)

    def _extended(self, name: str, config: str) -> Recording:
        """Extends a finished run."""
        self.recording(config)
        expected = small_runs.reference_run(self.directory / f"{name}-reference", CONFIGS["longer"])
        directory = Path(shutil.copytree(self.directory / config, self.directory / name))
        return Recording(name, *record(RESUME_LONGER, directory), expected, RESUME_LONGER)

    def _extended_off_interval(self, name: str) -> Recording:
        """Extends a finished run whose last row of metrics is off the log interval."""
        expected = small_runs.reference_run(
            self.directory / f"{name}-reference", small_runs.EXTENSIONS[name](small_runs.EXTENDED_EPOCHS)
        )
        directory = small_runs.run_to_extend(self.directory / name.replace(" ", "-"), name)
        extend = small_runs.resume_with_epochs(small_runs.EXTENDED_EPOCHS)
        return Recording(name, *record(extend, directory), expected, extend)


def draw_states(recordings: Sequence[Recording], states: int, seed: int, lies: bool) -> list[State]:
    """Draw states after all operations of all recordings, as many of each as its weight asks for."""
    weights = [weight for each in recordings for weight in each.weights(lies)]
    bounds = [states * total // sum(weights) for total in accumulate(weights, initial=0)]
    quotas = [after - before for before, after in pairwise(bounds)]
    drawn: list[State] = []
    for each in recordings:
        quota, quotas = quotas[: len(each.operations)], quotas[len(each.operations) :]
        drawn += each.states(quota, seed, lies)
    return drawn


def check(state: State, directory: Path) -> list[str]:
    """Problems of a state; ``directory`` does not exist yet."""
    directory.mkdir()
    write_tree(state.tree, directory)
    run, guarantee, expected = directory / RUN, state.guarantee, state.recording.expected
    if not run.is_dir():
        return ["the run has vanished"] if guarantee.published else run_checks.new_run_problems(directory, expected)
    problems = run_checks.reader_problems(directory, expected)
    if guarantee.finished:
        problems += [f"{name} of a finished run differs" for name in run_checks.different_files(run, expected)]
    return problems + run_checks.resume_problems(
        directory, expected, guarantee.position, state.recording.resume_command
    )


def check_lying_disk(state: State, directory: Path) -> list[str]:
    """Problems that not even a disk that ignores fsync may cause: a traceback, or results that silently differ."""
    directory.mkdir()
    write_tree(state.tree, directory)
    expected = state.recording.expected
    if not (directory / RUN).is_dir():
        return run_checks.new_run_problems(directory, expected)
    readers = run_checks.readers(expected)
    commands = {**readers, "resume": state.recording.resume_command, "verify afterwards": readers["verify"]}
    ended = {name: child_processes.run_forked(each, directory) for name, each in commands.items()}
    problems = [f"{name}: {child_processes.summary(each)}" for name, each in ended.items() if each.code not in (0, 4)]
    if ended["resume"].code == ended["verify afterwards"].code == 0:
        problems += [f"{name} differs silently" for name in run_checks.different_files(directory / RUN, expected)]
    return problems


def run_all(arguments: argparse.Namespace, work: Path) -> int:
    """Draw states and check them; returns how many failed."""
    child_processes.import_everything()
    cache = RecordingCache(work)
    recordings = [cache.recording(name) for name in ([arguments.only] if arguments.only else RECORDINGS)]
    states = draw_states(recordings, arguments.states, arguments.seed, arguments.lying)
    distinct = list({(digest(each.tree), each.guarantee, each.recording.name): each for each in states}.values())
    runner = ParallelRunner(
        check_lying_disk if arguments.lying else check, work, arguments.processes, arguments.max_failures
    )
    runner.run(distinct)
    print(f"operations: {', '.join(f'{each.name} {len(each.operations)}' for each in recordings)}")
    print(f"{len(states)} states, {len(distinct)} of them distinct, {runner.completed} checked, {runner.failed} wrong")
    return runner.failed


def main() -> int:
    """Run the command line; returns 1 if a state fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--states", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--max-failures", type=int, default=100, help="stop after this many states have failed")
    parser.add_argument("--only", choices=RECORDINGS, help="one recording; default: all")
    parser.add_argument("--lying", action="store_true", help="a disk that ignores fsync of files")
    return run_harness("power_loss", parser, run_all)


if __name__ == "__main__":
    sys.exit(main())
