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
from tests.benchmarks.tables import column, figure, markdown, ratios, spread
from tests.benchmarks.worker import SHOWN, Worker
from tests.benchmarks.workloads import Shape

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


def measured(workers, shape, rounds):
    """Microseconds per step of each in each round, and of nncli's products in its process."""
    measures = {}
    for name, worker in workers.items():
        measures[name] = worker.timed(name, shape)
        if name == "nncli":
            measures["products"] = worker.timed("products", shape)
    return interleave(measures, rounds)


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


def report(names, results):
    """The two tables, and a line per network with its lower bound."""
    titles = [BASELINES[name].title for name in names]
    times, relative = [], []
    for shape, rounds in results.items():
        times.append([label(shape), *(spread(column(rounds, name)) for name in names)])
        relative.append([label(shape), *(spread(ratios(rounds, "nncli", name)) for name in names if name != "nncli")])
    yield "\nMicroseconds per step: the median of the rounds (minimum–maximum).\n"
    yield markdown(["network", *titles], times)
    if len(names) > 1:
        yield "\nTime of nncli's step relative to the baseline's, by round; below 1 nncli is faster.\n"
        yield markdown(["network", *(title for title in titles if title != "nncli")], relative)
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
    workers = {name: Worker(variables) for name in {**baselines, "textbook": None}}
    timed, results = {name: workers[name] for name in baselines}, {}
    for shape in SHAPES:
        if not given.only or shape.name in given.only:
            require_same_losses(workers, shape)
            results[shape] = measured(timed, shape, given.rounds)
    for worker in workers.values():
        worker.close()
    print(*report(list(baselines), results), sep="\n")


if __name__ == "__main__":
    main()
