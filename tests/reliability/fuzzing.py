"""The command that attacks nncli with hostile input: ``python -m tests.reliability.fuzzing specs --count 100000``.

Each attack prints a line with its counts, and ends with exit code 1 where something failed; the inputs that led to a
failure stay in ``--keep``. With ``--sabotage`` it runs against copies of the package with a fault planted into each,
and fails where one is not found.
"""

import argparse
import multiprocessing
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from random import Random

from tests.reliability import fuzz_checkpoints, fuzz_coverage, fuzz_runs, fuzz_specs
from tests.reliability.sabotage import planted, run_in
from tests.reliability.tally import HangError, Portion, Tally

ATTACKS = {"specs": fuzz_specs, "checkpoints": fuzz_checkpoints, "runs": fuzz_runs}
COUNTS = {"specs": 100_000, "checkpoints": 1_000_000, "runs": 20_000}
SHARD_SIZES = {"specs": 1000, "checkpoints": 20_000, "runs": 200}  # inputs of one seed


def attacked(name: str, number: int, count: int, seed: int, kept: Path) -> Tally:
    """One portion of an attack."""
    with tempfile.TemporaryDirectory() as folder:
        random = Random(f"{name} {seed} {number}")
        try:
            return ATTACKS[name].attack(Portion(number, count, random, Path(folder), kept))
        except HangError as error:
            return Tally(failures=[f"portion {number}: {error}"])


def shards(name: str, count: int) -> Iterator[tuple[int, int]]:
    """The number of each portion, and how many inputs it has."""
    size = SHARD_SIZES[name]
    for number, start in enumerate(range(0, count, size)):
        yield number, min(size, count - start)


def attack(name: str, count: int, seed: int, kept: Path, processes: int = 1) -> Tally:
    """The whole attack, its portions spread over processes; what it tries does not depend on how many these are."""
    tally = Tally()
    parts = [(name, number, size, seed, kept) for number, size in shards(name, count)]
    if processes == 1:
        for part in parts:
            tally.add(attacked(*part))
        return tally
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
        for part in [pool.submit(attacked, *part) for part in parts]:
            tally.add(part.result())
    return tally


def sabotage(name: str, words: Sequence[str]) -> int:
    """Attack copies of the package with a fault in each, and one without; returns the exit code."""
    faults = {"no fault": {}, **(ATTACKS | {"coverage": fuzz_coverage})[name].FAULTS}
    missed = []
    for fault, places in faults.items():
        with tempfile.TemporaryDirectory() as folder:
            copy = planted(Path(folder), places)
            outcome = run_in(copy, "tests.reliability.fuzzing", name, *words, "--keep", "kept")
        found = next(iter((outcome.stderr or outcome.stdout).splitlines()), "")
        print(f"{fault}: exit code {outcome.returncode}: {found[:200]}")
        if outcome.returncode != (1 if places else 0) or "failures" not in outcome.stdout:
            missed.append(fault)
    print(f"{len(faults) - 1} faults planted, {len(missed)} not found {missed or ''}".rstrip())
    return 1 if missed else 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run an attack; returns the exit code."""
    options = _parser().parse_args(arguments)
    name, kept = options.attack, options.keep.resolve()
    if name == "coverage":
        if options.sabotage:
            return sabotage(name, ["--minutes", str(options.minutes)])
        return fuzz_coverage.guided(options.minutes, kept)
    if options.sabotage:
        return sabotage(name, ["--count", str(options.count or SHARD_SIZES[name]), "--seed", str(options.seed)])
    return attack(name, options.count or COUNTS[name], options.seed, kept, options.processes).report()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.reliability.fuzzing", description=__doc__)
    commands = parser.add_subparsers(dest="attack", required=True)
    for name in (*ATTACKS, "coverage"):
        command = commands.add_parser(name)
        command.add_argument("--keep", type=Path, default=Path(tempfile.gettempdir()) / "nncli-fuzzing")
        command.add_argument("--sabotage", action="store_true", help="attack copies with a fault planted into each")
        if name == "coverage":
            command.add_argument("--minutes", type=float, default=10)
            continue
        command.add_argument("--count", type=int, help=f"inputs; {COUNTS[name]:,} where it is not given")
        command.add_argument("--seed", type=int, default=1)
        command.add_argument("--processes", type=int, default=1)
    return parser


if __name__ == "__main__":
    sys.exit(main())
