"""Files of one run in another: ``python -m tests.reliability.pairs``.

Thirty runs are trained whose networks, or ways of training, differ, some of them in nothing that a length or a shape
would tell. For every ordered pair the final weights and the newest checkpoint of one are put into the other, with its
evaluation.json and without; never may they be loaded.
"""

import argparse
import shutil
import sys
from collections.abc import Iterator
from itertools import permutations
from pathlib import Path
from random import Random

from nncli.store.checkpoint import checkpoints
from tests.reliability import trials
from tests.reliability.faults import conducted
from tests.reliability.trials import RUN, spec

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
OTHERS = [  # the network of four units, otherwise
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
SPECS = [*(f"layers={network}" for network in NETWORKS), *OTHERS]


def trained(folder: Path) -> list[Path]:
    """A folder for each spec, with its run in it, finished."""
    made = []
    for number, change in enumerate(SPECS):
        place = trials.lay_out(folder / f"spec-{number}", spec(epochs=3))
        outcome = trials.forked((*trials.TRAIN, change, "-q"), place)
        assert outcome.code == 0, f"{change}: {outcome.err}"
        made.append(place)
    return made


def accepted(one: Path, other: Path, work: Path) -> Iterator[str]:
    """What of one run the other has loaded, each time in a copy of it."""
    for what, names in {
        "weights": ["weights.npz"],
        "weights with their evaluation": ["weights.npz", "evaluation.json"],
        "checkpoint": [],
    }.items():
        folder = Path(shutil.copytree(other, work / "pair"))
        if names:
            for name in names:
                shutil.copy(one / RUN / name, folder / RUN / name)
        else:
            (folder / RUN / "evaluation.json").unlink()
            shutil.copy(checkpoints(one / RUN)[-1], checkpoints(folder / RUN)[-1])
        outcome = trials.forked(("evaluate", RUN), folder)
        if outcome.code != 4 or "Traceback" in outcome.err:
            yield f"{what}: {trials.told(outcome)}"
        if not names:
            yield from _resumed(folder, other)
        shutil.rmtree(folder)


def _resumed(folder: Path, other: Path) -> Iterator[str]:
    """A resume passes over the foreign checkpoint, and ends as the run would have."""
    outcome = trials.forked(trials.RESUME, folder)
    if outcome.code != 0 or "that of another run; it is skipped" not in outcome.err:
        yield f"resume: {trials.told(outcome)}"
    if trials.differences(folder / RUN, other / RUN):
        yield "resume: it ends in other bytes"


def survey(arguments: argparse.Namespace, work: Path) -> int:
    """Hold pairs against each other; returns in how many of them something was loaded."""
    trials.prepare()
    made = trained(work)
    pairs = list(permutations(range(len(made)), 2))
    if arguments.pairs < len(pairs):
        pairs = Random(arguments.seed).sample(pairs, arguments.pairs)
    failed = 0
    for one, other in pairs:
        wrong = list(accepted(made[one], made[other], work))
        if wrong:
            failed += 1
            print(f"{SPECS[one]} in {SPECS[other]}: {'; '.join(wrong)}", flush=True)
    print(f"{len(SPECS)} specs, {len(pairs)} ordered pairs, {3 * len(pairs)} exchanges; {failed} wrong")
    return failed


def main() -> int:
    """Read the command line, and do it; 1 where anything was loaded."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--pairs", type=int, default=10**6, help="so many, drawn at random; all of them where not given"
    )
    parser.add_argument("--seed", type=int, default=1)
    return conducted("pairs", parser, survey)


if __name__ == "__main__":
    sys.exit(main())
