"""A run that is moved while it is trained: ``python -m tests.reliability.moves``.

The trainer ends with exit code 4 and says that the run was moved, wherever it was; under its new name the run can be
resumed, and nothing appears under the old one.
"""

import argparse
import sys
import time
from pathlib import Path
from random import Random

from tests.reliability import trials
from tests.reliability.faults import conducted
from tests.reliability.trials import RUN, TRAIN

ENDLESS = trials.config(epochs=1_000_000)  # with a checkpoint after each
LONGEST = 0.05  # seconds before it is moved


def wrong_in_a_round(workdir: Path, seconds: float) -> list[str]:
    """What is wrong after a run was moved so many seconds after it appeared, a line each."""
    child = trials.started((*TRAIN, "-q"), workdir)
    while not (workdir / RUN).is_dir():
        time.sleep(0.001)
    time.sleep(seconds)
    moved = (workdir / RUN).rename(workdir / "runs" / "moved")
    outcome = trials.ended(child)
    wrong = [] if outcome.code == 4 and "was moved" in outcome.err else [trials.told(outcome)]
    wrong += ["something was written under the old name"] if (workdir / RUN).exists() else []
    checked = trials.forked(("runs", "--json"), workdir)
    return wrong if "resumable" in checked.out else [*wrong, f"it cannot be resumed: {trials.told(checked)} ({moved})"]


def survey(arguments: argparse.Namespace, folder: Path) -> list[str]:
    """Move a run in each round, at a random moment; prints what was wrong, and the figures."""
    trials.prepare()
    random, wrong = Random(arguments.seed), list[str]()
    for number in range(arguments.rounds):
        workdir = trials.lay_out(folder / str(number), ENDLESS)
        wrong += wrong_in_a_round(workdir, random.uniform(0, LONGEST))
    print("\n".join([*wrong, f"{arguments.rounds} moves, {len(wrong)} wrong"]))
    return wrong


def main() -> int:
    """Read the command line, and do it; 1 where anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    return conducted("moves", parser, survey)


if __name__ == "__main__":
    sys.exit(main())
