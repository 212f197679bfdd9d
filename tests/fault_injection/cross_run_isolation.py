"""Files of one run in another: ``python -m tests.fault_injection.cross_run_isolation``.

Thirty runs with different networks or settings are trained; some of them have files of equal sizes and shapes. For
every ordered pair the final weights, with and without evaluation.json, and the latest checkpoint of one run are copied
into the other. They must never be loaded.
"""

import argparse
import shutil
import sys
from collections.abc import Iterator
from itertools import permutations
from pathlib import Path
from random import Random

from nncli.store.checkpoint import checkpoints
from tests.fault_injection import child_processes, run_checks, small_runs
from tests.fault_injection.harnesses import run_harness
from tests.fault_injection.small_runs import RUN, config_text

D = "{{type: dense, units: {}}}".format
OUT = f"{D(3)}, softmax]"
NETWORKS = [
    *(f"[{D(units)}, relu, {OUT}" for units in (1, 2, 3, 4, 5, 7, 8)),
    *(f"[{D(4)}, {activation}, {OUT}" for activation in ("tanh", "sigmoid", "leaky_relu", "elu", "gelu", "linear")),
    f"[{D(4)}, relu, {{type: dropout, rate: 0.1}}, {OUT}",
    f"[{D(4)}, relu, {{type: dropout, rate: 0.2}}, {OUT}",
    f"[{D(4)}, batch_normalization, relu, {OUT}",
    f"[{D(4)}, relu, batch_normalization, {OUT}",
    f"[{D(2)}, relu, {D(3)}, relu, {OUT}",
    f"[{D(3)}, relu, {D(2)}, relu, {OUT}",
    f"[{D(4)}, relu, {D(4)}, relu, {OUT}",
]
SETTINGS = [  # of the network with four units
    "seed=1",
    "dtype=float64",
    "optimizer=sgd",
    "optimizer=nadam",
    "optimizer=rmsprop",
    "optimizer.learning_rate=0.04",
    "training.batch_size=8",
    "regularization.l2=0.1",
    "data.samples=9",
    "optimizer.beta_1=0.8",
]
OVERRIDES = [*(f"layers={network}" for network in NETWORKS), *SETTINGS]


def train_all(directory: Path) -> list[Path]:
    """Train a run per override, each in a new directory."""
    directories = []
    for index, override in enumerate(OVERRIDES):
        working_directory = small_runs.working_directory(directory / f"config-{index}", config_text(epochs=3))
        outcome = child_processes.run_forked((*small_runs.TRAIN, override, "-q"), working_directory)
        assert outcome.code == 0, f"{override}: {outcome.err}"
        directories.append(working_directory)
    return directories


def loaded_files(source: Path, target: Path, work: Path) -> Iterator[str]:
    """The files of one run that are loaded in a copy of the other."""
    for kind, names in {
        "weights": ["weights.npz"],
        "weights with their evaluation": ["weights.npz", "evaluation.json"],
        "checkpoint": [],
    }.items():
        directory = Path(shutil.copytree(target, work / "pair"))
        if names:
            for name in names:
                shutil.copy(source / RUN / name, directory / RUN / name)
        else:
            (directory / RUN / "evaluation.json").unlink()
            shutil.copy(checkpoints(source / RUN)[-1], checkpoints(directory / RUN)[-1])
        outcome = child_processes.run_forked(("evaluate", RUN), directory)
        if outcome.code != 4 or "Traceback" in outcome.err:
            yield f"{kind}: {child_processes.summary(outcome)}"
        if not names:
            yield from _resume_problems(directory, target)
        shutil.rmtree(directory)


def _resume_problems(directory: Path, expected: Path) -> Iterator[str]:
    """A resume skips the checkpoint of the other run, and ends in the bytes of the reference run."""
    outcome = child_processes.run_forked(small_runs.RESUME, directory)
    if outcome.code != 0 or "belongs to another run; skipped" not in outcome.err:
        yield f"resume: {child_processes.summary(outcome)}"
    if run_checks.different_files(directory / RUN, expected / RUN):
        yield "resume: its results differ"


def run_all(arguments: argparse.Namespace, work: Path) -> int:
    """Check all pairs, or a sample; returns in how many of them a file was loaded."""
    child_processes.import_everything()
    directories = train_all(work)
    pairs = list(permutations(range(len(directories)), 2))
    if arguments.pairs < len(pairs):
        pairs = Random(arguments.seed).sample(pairs, arguments.pairs)
    failed = 0
    for one, other in pairs:
        problems = list(loaded_files(directories[one], directories[other], work))
        if problems:
            failed += 1
            print(f"{OVERRIDES[one]} in {OVERRIDES[other]}: {'; '.join(problems)}", flush=True)
    print(f"{len(OVERRIDES)} configs, {len(pairs)} ordered pairs, {3 * len(pairs)} exchanges; {failed} wrong")
    return failed


def main() -> int:
    """Run the command line; returns 1 if a file is loaded."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=10**6, help="number of pairs, drawn at random; default: all")
    parser.add_argument("--seed", type=int, default=1)
    return run_harness("cross_run_isolation", parser, run_all)


if __name__ == "__main__":
    sys.exit(main())
