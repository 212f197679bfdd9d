"""Time of one training step, nncli compared with its baselines, in turns.

All train a network of ReLU layers with softmax and categorical cross-entropy on the same rows at every step, in
float32, with Adam, and compute the mean loss of each step. Before the timing the first losses of each are compared with
the textbook's; a difference ends the command.

Usage: python -m tests.benchmarks.steps [--rounds 7] [--threads 1] [--only NETWORK ...] [--baselines NAME ...]
"""

import sys
from statistics import median

from tests.benchmarks.baselines import BASELINES, chosen
from tests.benchmarks.interleaving import interleave
from tests.benchmarks.machine import arguments, description, environment, pin
from tests.benchmarks.shapes import Shape
from tests.benchmarks.tables import column, figure, markdown, ratios, spread
from tests.benchmarks.worker import SHOWN, Worker

SHAPES = (
    Shape((2, 64, 3), 300),
    Shape((2, 512, 3), 3000),
    Shape((784, 128, 128, 10), 128),
    Shape((784, 512, 512, 10), 128),
)


def require_same_losses(workers, shape):
    """Compare the first losses of each baseline with the textbook's.

    Raises:
        SystemExit: they differ by more than the bound.
    """
    losses = {name: worker.ask(name, shape, SHOWN)[1] for name, worker in workers.items()}
    for name in workers:
        title, bound = BASELINES[name].title, BASELINES[name].bound
        for step, (loss, expected) in enumerate(zip(losses[name], losses["textbook"], strict=True)):
            if not abs(loss - expected) <= bound * expected:
                difference = f"at {label(shape)}, step {step}, the loss is {loss} instead of {expected}"
                sys.exit(f"{title}: {difference}, a relative difference of more than {bound:g}")


def measured(workers, shape, rounds, with_products=True):
    """Microseconds per step of each in each round, and of nncli's products in its process."""
    measures = {}
    for name, worker in workers.items():
        measures[name] = worker.timed(name, shape)
        if name == "nncli" and with_products:
            measures["products"] = worker.timed("products", shape)
    return interleave(measures, rounds)


def compare(names, shapes, variables, rounds, with_products=True):
    """The measurements of each shape, by baseline and round, after a comparison of the first losses.

    Raises:
        SystemExit: the losses of a baseline differ from the textbook's.
    """
    workers = {name: Worker(variables) for name in {**dict.fromkeys(names), "textbook": None}}
    timed, results = {name: workers[name] for name in names}, {}
    for shape in shapes:
        require_same_losses(workers, shape)
        results[shape] = measured(timed, shape, rounds, with_products)
    for worker in workers.values():
        worker.close()
    return results


def label(shape):
    """A network and its rows, as text."""
    return f"{shape.name}, {shape.rows:,} rows"


def dense_alone(shape, rounds):
    """The line with the time of the dense layers alone, and the ratio of the step to it."""
    steps, products = column(rounds, "nncli"), column(rounds, "products")
    rate = 2e-3 * shape.multiply_adds / median(products)
    times = spread(ratios(rounds, "nncli", "products"))
    return (
        f"- {label(shape)}: {spread(products)} µs, which is {figure(rate)} GFLOP/s; "
        f"the step {figure(median(steps))} µs, {times} times as long"
    )


def tables(heads, names, results):
    """The time of a step, and the ratio of nncli's to each baseline's.

    Args:
        heads: the heads of the first columns.
        names: the baselines.
        results: the rounds by the cells of the first columns.
    """
    others = [name for name in names if name != "nncli"]
    titles = [BASELINES[name].title for name in names]
    times = [[*cells, *(spread(column(rounds, name)) for name in names)] for cells, rounds in results.items()]
    yield "Microseconds per step: the median of the rounds (minimum–maximum)."
    yield markdown([*heads, *titles], times)
    if others:
        relative = [
            [*cells, *(spread(ratios(rounds, "nncli", name)) for name in others)] for cells, rounds in results.items()
        ]
        yield "Time of nncli's step relative to the baseline's, by round; below 1 nncli is faster."
        yield markdown([*heads, *(title for title in titles if title != "nncli")], relative)


def report(names, results):
    """The two tables, and a line per network with its lower bound."""
    for block in tables(["network"], names, {(label(shape),): rounds for shape, rounds in results.items()}):
        yield f"\n{block}"
    yield "\nThe dense layers of nncli's step alone, forward and backward, on the same arrays in the same rounds:\n"
    yield from (dense_alone(shape, rounds) for shape, rounds in results.items())


def parse_arguments():
    """Parse the command line."""
    baselines, networks = [name for name in BASELINES if name != "nncli"], [shape.name for shape in SHAPES]
    parser = arguments(__doc__, rounds=7)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--only", nargs="+", metavar="NETWORK", choices=networks, help=" ".join(networks))
    parser.add_argument(
        "--baselines", nargs="*", metavar="NAME", choices=baselines, default=baselines, help=" ".join(baselines)
    )
    return parser.parse_args()


def main():
    given = parse_arguments()
    pin(given.threads)
    variables, baselines = environment(given.threads, given.keep_environment), chosen(given.baselines)
    print(description(variables, (baseline.package for baseline in baselines.values())), flush=True)
    shapes = [shape for shape in SHAPES if not given.only or shape.name in given.only]
    print(*report(list(baselines), compare(baselines, shapes, variables, given.rounds)), sep="\n")


if __name__ == "__main__":
    main()
