"""A run that is moved while it is trained: ``python -m tests.fault_injection.moved_runs``.

The training ends with exit code 4 and says that the run was moved, at whatever moment; the run can be resumed under its
new name, and nothing is written under the old one.
"""

import argparse
import sys
import time
from pathlib import Path
from random import Random

from tests.fault_injection import child_processes, small_runs
from tests.fault_injection.harnesses import run_harness
from tests.fault_injection.small_runs import RUN, TRAIN

CONFIG = small_runs.config_text(epochs=1_000_000)  # a checkpoint after each
LATEST = 0.05  # seconds after its start


def round_problems(workdir: Path, seconds: float) -> list[str]:
    """Problems after a run was moved some seconds after it was created."""
    child = child_processes.start_fork((*TRAIN, "-q"), workdir)
    while not (workdir / RUN).is_dir():
        time.sleep(0.001)
    time.sleep(seconds)
    moved = (workdir / RUN).rename(workdir / "runs" / "moved")
    outcome = child_processes.wait_for(child)
    problems = [] if outcome.code == 4 and "was moved" in outcome.err else [child_processes.summary(outcome)]
    problems += ["something was written under the old name"] if (workdir / RUN).exists() else []
    checked = child_processes.run_forked(("runs", "--json"), workdir)
    return (
        problems
        if "resumable" in checked.out
        else [*problems, f"it cannot be resumed: {child_processes.summary(checked)} ({moved})"]
    )


def run_all(arguments: argparse.Namespace, directory: Path) -> list[str]:
    """Move a run in each round, at a random moment; prints problems and counts."""
    child_processes.import_everything()
    random, problems = Random(arguments.seed), list[str]()
    for index in range(arguments.rounds):
        workdir = small_runs.working_directory(directory / str(index), CONFIG)
        problems += round_problems(workdir, random.uniform(0, LATEST))
    print("\n".join([*problems, f"{arguments.rounds} moves, {len(problems)} wrong"]))
    return problems


def main() -> int:
    """Run the command line; returns 1 if a test case fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    return run_harness("moved_runs", parser, run_all)


if __name__ == "__main__":
    sys.exit(main())
