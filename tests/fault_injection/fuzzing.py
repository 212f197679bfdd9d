"""Fuzzing with untrusted input: ``python -m tests.fault_injection.fuzzing configs --count 100000``.

Each fuzzer prints a line with its counts, and ends with exit code 1 if an input fails; such inputs are saved in
``--keep``. With ``--faults`` the fuzzer runs once per injected fault, and fails if it does not find one of them.
"""

import argparse
import multiprocessing
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from random import Random

from tests.fault_injection import coverage_guided_fuzzing, fuzz_checkpoints, fuzz_configs, fuzz_runs
from tests.fault_injection.harnesses import run_module
from tests.fault_injection.result_counter import HangError, ResultCounter, Shard

FUZZERS = {"configs": fuzz_configs, "checkpoints": fuzz_checkpoints, "runs": fuzz_runs}
COUNTS = {"configs": 100_000, "checkpoints": 1_000_000, "runs": 20_000}
SHARD_SIZES = {"configs": 1000, "checkpoints": 20_000, "runs": 200}  # inputs per shard
FAILURES = Path(tempfile.gettempdir()) / "nncli-fuzzing"
FAULTS = {
    "configs": (
        "errors of the yaml parser are not caught",
        "depth of configs is not limited",
        "diagnostics lack the column",
        "undefined alias is looked up",
        "data leakage is not checked",
        "snippets are not sanitized",
    ),
    "coverage": ("undefined alias is looked up", "location of a duplicate key is lost"),
    "checkpoints": (
        "checksum of checkpoints is not compared",
        "last byte of the checksum is not compared",
        "trailing bytes of checkpoints are ignored",
        "sizes in checkpoints are trusted",
        "invalid records in checkpoints are not caught",
    ),
    "runs": (
        "control characters are printed",
        "symbolic links are followed",
        "opening a pipe blocks",
        "size of files is not limited",
        "errors of damaged archives are not caught",
        "depth of json is not limited",
        "checksum of weights is not compared",
    ),
}


def fuzz_shard(name: str, index: int, count: int, seed: int, failures: Path) -> ResultCounter:
    """Run one shard of a fuzzer."""
    with tempfile.TemporaryDirectory() as directory:
        random = Random(f"{name} {seed} {index}")
        try:
            return FUZZERS[name].fuzz(Shard(index, count, random, Path(directory), failures))
        except HangError as error:
            return ResultCounter(failures=[f"shard {index}: {error}"])


def shards(name: str, count: int) -> Iterator[tuple[int, int]]:
    """The index of each shard, and its number of inputs."""
    size = SHARD_SIZES[name]
    for index, start in enumerate(range(0, count, size)):
        yield index, min(size, count - start)


def fuzz(name: str, count: int, seed: int, failures: Path, processes: int = 1) -> ResultCounter:
    """Run all shards of a fuzzer; the inputs do not depend on the number of processes."""
    results = ResultCounter()
    jobs = [(name, index, size, seed, failures) for index, size in shards(name, count)]
    if processes == 1:
        for job in jobs:
            results.add(fuzz_shard(*job))
        return results
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
        for future in [pool.submit(fuzz_shard, *job) for job in jobs]:
            results.add(future.result())
    return results


def run_with_faults(name: str, arguments: Sequence[str]) -> int:
    """Run a fuzzer once without a fault and once per fault; returns the exit code."""
    missed = []
    for fault in ("", *FAULTS[name]):
        result = run_module("fuzzing", name, *arguments, fault=fault)
        first_line = next(iter((result.stderr or result.stdout).splitlines()), "")
        print(f"{fault or 'no fault'}: exit code {result.returncode}: {first_line[:200]}", flush=True)
        if result.returncode != bool(fault) or "failures" not in result.stdout:
            missed.append(fault)
    print(f"{len(FAULTS[name])} faults injected, {len(missed)} not found {missed or ''}".rstrip())
    return 1 if missed else 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    options = _parser().parse_args(arguments)
    name, failures = options.fuzzer, options.keep.resolve()
    if name == "coverage":
        if options.faults:
            return run_with_faults(name, ["--minutes", str(options.minutes)])
        return coverage_guided_fuzzing.run(options.minutes, failures)
    if options.faults:
        return run_with_faults(name, ["--count", str(options.count or SHARD_SIZES[name]), "--seed", str(options.seed)])
    return fuzz(name, options.count or COUNTS[name], options.seed, failures, options.processes).report()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.fault_injection.fuzzing", description=__doc__)
    commands = parser.add_subparsers(dest="fuzzer", required=True)
    for name in (*FUZZERS, "coverage"):
        command = commands.add_parser(name)
        command.add_argument("--keep", type=Path, default=FAILURES, help="directory for inputs that fail")
        command.add_argument("--faults", action="store_true", help="run once per injected fault, which has to be found")
        if name == "coverage":
            command.add_argument("--minutes", type=float, default=10)
            continue
        command.add_argument("--count", type=int, help=f"number of inputs; default: {COUNTS[name]:,}")
        command.add_argument("--seed", type=int, default=1)
        command.add_argument("--processes", type=int, default=1)
    return parser


if __name__ == "__main__":
    sys.exit(main())
