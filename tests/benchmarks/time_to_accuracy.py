"""Time until a network reaches an accuracy, nncli compared with plain loops in other libraries.

All train the same network with Adam, batches of the same size and initial weights of the same distribution: the book's
spiral until 0.95 of the training rows are classified correctly, which is checked every hundred epochs, and
Fashion-MNIST until 0.87 of the test rows are, which is checked every epoch. The time is that of the whole process, with
start-up and the reading of the data. Each seed, of initial weights and order of rows, is a round; the number of epochs
depends on it, and on rounding too. nncli also measures the loss, and the metrics of the training rows, and writes its
run directory.

Usage: python -m tests.benchmarks.time_to_accuracy [--seeds 5] [--fashion DIRECTORY]
"""

import json
import sys
import tempfile
from functools import partial
from importlib import import_module

from tests.benchmarks.baselines import BASELINES, chosen
from tests.benchmarks.interleaving import interleave
from tests.benchmarks.machine import arguments, description, environment, pin
from tests.benchmarks.problems import FASHION_MNIST, PROBLEMS, SPIRAL
from tests.benchmarks.processes import completed
from tests.benchmarks.tables import column, markdown, ratios, spread

NAMES = ("pytorch", "jax_scan", "scikit_learn")
SEEDS = 5
HEADS = ("program", "reached by", "wall, s", "epochs", "peak memory, MiB", "nncli's time relative to it")


def reach(problem, name, seed, fashion):
    """Epochs and accuracy of one training in this process."""
    if name == "nncli":
        return reach_with_nncli(problem, seed, fashion)
    prepare = import_module(f"tests.benchmarks.baselines.{name}").prepare_epochs
    workload, (inputs, targets) = problem.workload(seed, fashion)
    train, outputs = prepare(workload, problem.batch_size or len(workload.inputs), seed)
    epochs, accuracy = 0, 0.0
    while accuracy < problem.accuracy and epochs < problem.limit:
        train(problem.interval)
        epochs += problem.interval
        accuracy = float((outputs(inputs).argmax(axis=1) == targets).mean())
    return epochs, accuracy


def reach_with_nncli(problem, seed, fashion):
    """Epochs and accuracy of ``nncli.train``, which a callback stops."""
    import nncli

    found = {}
    with tempfile.TemporaryDirectory() as directory:
        nncli.train(
            problem.config,
            problem.overrides(seed, fashion),
            runs=directory,
            on_epoch=found.update,
            stop=lambda: found[problem.metric] >= problem.accuracy,
        )
    return int(found["epoch"]), found[problem.metric]


def measured(problem, name, seed, fashion, variables):
    """One training in its own process: its wall-clock seconds, peak memory, epochs, and whether it ended with success.

    Raises:
        SystemExit: the process has failed.
    """
    given = [problem.name, name, str(seed), *(["--fashion", str(fashion)] if fashion else [])]
    found, text = completed([sys.executable, "-m", "tests.benchmarks.time_to_accuracy", "--here", *given], variables)
    epochs, accuracy = json.loads(text)
    return {
        "seconds": found.seconds,
        "memory": found.memory,
        "epochs": epochs,
        "reached": accuracy >= problem.accuracy,
    }


def rounds_of(problem, names, seeds, fashion, variables):
    """The measurements of all programs with each seed, in turns."""
    return [
        interleave({name: partial(measured, problem, name, seed, fashion, variables) for name in names}, 1)[0]
        for seed in range(seeds)
    ]


def table(rounds):
    """A row of each program; its figures are of the seeds with which it reached the accuracy."""
    rows = []
    for name in rounds[0]:
        reached = [each for each in column(rounds, name) if each["reached"]]
        figures = [
            spread([each[key] for each in reached]) if reached else "–" for key in ("seconds", "epochs", "memory")
        ]
        both = [each for each in rounds if each[name]["reached"] and each["nncli"]["reached"]]
        seconds = [{program: found["seconds"] for program, found in each.items()} for each in both]
        relative = spread(ratios(seconds, "nncli", name)) if seconds and name != "nncli" else ""
        rows.append([BASELINES[name].title, f"{len(reached)} of {len(rounds)}", *figures, relative])
    return markdown(HEADS, rows)


def caption(problem):
    """A problem and its goal, as text."""
    which = "test" if problem.has_images else "training"
    return f"{problem.name} to {which} accuracy {problem.accuracy}"


def sections(names, seeds, fashion, variables):
    """A caption and a table of each problem; Fashion-MNIST is left out without its directory."""
    for problem in (SPIRAL, FASHION_MNIST) if fashion else (SPIRAL,):
        yield f"{caption(problem)}:"
        yield table(rounds_of(problem, names, seeds, fashion, variables))


def main():
    parser = arguments(__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--fashion", metavar="DIRECTORY", help="that of the four files of Fashion-MNIST")
    parser.add_argument("--here", nargs=3, metavar=("PROBLEM", "NAME", "SEED"), help="train in this process")
    given = parser.parse_args()
    if given.here:
        problem, name, seed = given.here
        print(json.dumps(reach(PROBLEMS[problem], name, int(seed), given.fashion)))
        return
    pin(1)
    variables, names = environment(1, given.keep_environment), chosen(NAMES)
    print(description(variables, (baseline.package for baseline in names.values())), flush=True)
    for block in sections(names, given.seeds, given.fashion, variables):
        print(f"\n{block}", flush=True)


if __name__ == "__main__":
    main()
