"""Time one training step of the same work, nncli's against its rivals', in turns.

Everyone trains a network of ReLU layers with softmax and categorical cross-entropy on the same rows at every step, in
single precision, with Adam, and keeps the mean loss of each step. Before anything is timed, each one's first losses are
held against the textbook's; who does other work is refused.

Usage: python -m tests.benchmarks.steps [--rounds 7] [--threads 1] [--only NETWORK ...] [--rivals NAME ...]
"""

import sys
from statistics import median

from tests.benchmarks.machine import arguments, environment, pin, told
from tests.benchmarks.rivals import RIVALS, chosen
from tests.benchmarks.tables import column, figure, markdown, ratios, spread
from tests.benchmarks.turns import in_turns
from tests.benchmarks.worker import SHOWN, Worker
from tests.benchmarks.works import Shape

SHAPES = (
    Shape((2, 64, 3), 300),
    Shape((2, 512, 3), 3000),
    Shape((784, 128, 128, 10), 128),
    Shape((784, 512, 512, 10), 128),
)


def require_same_work(workers, shape):
    """Hold the first losses of each rival against the textbook's.

    Raises:
        SystemExit: they are further off than is allowed.
    """
    losses = {name: worker.ask(name, shape, SHOWN)[1] for name, worker in workers.items()}
    for name in workers:
        title, bound = RIVALS[name].title, RIVALS[name].bound
        for step, (loss, expected) in enumerate(zip(losses[name], losses["textbook"], strict=True)):
            if not abs(loss - expected) <= bound * expected:
                what = f"{title} does other work at {told_of(shape)}: in step {step} its loss is {loss}"
                sys.exit(f"{what}, the textbook's {expected}, further off than {bound:g} of it")


def measured(workers, shape, rounds):
    """Microseconds a step of each in each round; and of nncli's products, in the process of nncli."""
    measures = {}
    for name, worker in workers.items():
        measures[name] = worker.timed(name, shape)
        if name == "nncli":
            measures["products"] = worker.timed("products", shape)
    return in_turns(measures, rounds)


def told_of(shape):
    """A network and its rows, in words."""
    return f"{shape.name}, {shape.rows:,} rows"


def dense_alone(shape, rounds):
    """The line on the dense layers of a step alone, and how many times as long the step takes."""
    steps, products = column(rounds, "nncli"), column(rounds, "products")
    rate = 2e-3 * shape.multiply_adds / median(products)
    times = spread(ratios(rounds, "nncli", "products"))
    return (
        f"- {told_of(shape)}: {spread(products)} µs, which is {figure(rate)} GFLOP/s; "
        f"the step {figure(median(steps))} µs, {times} times as long"
    )


def report(names, results):
    """The two tables, and the line of each network on its floor."""
    titles = [RIVALS[name].title for name in names]
    times, shares = [], []
    for shape, rounds in results.items():
        times.append([told_of(shape), *(spread(column(rounds, name)) for name in names)])
        shares.append([told_of(shape), *(spread(ratios(rounds, "nncli", name)) for name in names if name != "nncli")])
    yield "\nMicroseconds a step: the median of the rounds (the fastest to the slowest).\n"
    yield markdown(["network", *titles], times)
    if len(names) > 1:
        yield "\nnncli's step as a share of the rival's, round by round; below 1 nncli is faster.\n"
        yield markdown(["network", *(title for title in titles if title != "nncli")], shares)
    yield "\nThe dense layers of nncli's step alone, forward and backward, on the same arrays in the same rounds:\n"
    yield from (dense_alone(shape, rounds) for shape, rounds in results.items())


def asked():
    """The command's arguments."""
    rivals, networks = [name for name in RIVALS if name != "nncli"], [shape.name for shape in SHAPES]
    parser = arguments(__doc__, rounds=7)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--only", nargs="+", metavar="NETWORK", choices=networks, help=" ".join(networks))
    parser.add_argument("--rivals", nargs="*", metavar="NAME", choices=rivals, default=rivals, help=" ".join(rivals))
    return parser.parse_args()


def main():
    given = asked()
    pin(given.threads)
    variables, rivals = environment(given.threads, given.keep_environment), chosen(given.rivals)
    print(told(variables, (rival.package for rival in rivals.values())), flush=True)
    workers = {name: Worker(variables) for name in {**rivals, "textbook": None}}
    timed, results = {name: workers[name] for name in rivals}, {}
    for shape in SHAPES:
        if not given.only or shape.name in given.only:
            require_same_work(workers, shape)
            results[shape] = measured(timed, shape, given.rounds)
    for worker in workers.values():
        worker.close()
    print(*report(list(rivals), results), sep="\n")


if __name__ == "__main__":
    main()
