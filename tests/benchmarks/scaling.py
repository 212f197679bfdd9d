"""How the time of a training step grows, compared with its matrix multiplications alone.

Networks of ReLU layers with softmax, categorical cross-entropy and Adam, in float32. Step and products take turns in
one process.

Usage: python -m tests.benchmarks.scaling [--rounds 5] [--threads 1] [--only SWEEP ...] [--plot FILE.png]
"""

from importlib.util import find_spec
from math import ceil, floor, log10
from statistics import median
from typing import Any, NamedTuple

from tests.benchmarks.interleaving import interleave
from tests.benchmarks.machine import arguments, description, environment, pin
from tests.benchmarks.shapes import Shape
from tests.benchmarks.tables import column, figure, markdown, ratios, spread
from tests.benchmarks.worker import Worker

DOUBLING = (8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096)


class Sweep(NamedTuple):
    """The quantity that grows, the networks, and the shape of each by its size."""

    axis: str
    network: str
    shapes: dict[int, Shape]


SWEEPS = {
    "rows": Sweep(
        "rows, full batch",
        "2-64-3",
        {rows: Shape((2, 64, 3), rows) for rows in (30, 100, 300, 1000, 3000, 10_000, 30_000)},
    ),
    "width": Sweep(
        "units M of the hidden layer",
        "64-M-10, 128 rows",
        {units: Shape((64, units, 10), 128) for units in DOUBLING[:-1]},
    ),
    "depth": Sweep(
        "hidden layers L",
        "64-(64)×L-10, 128 rows",
        {layers: Shape((64, *(64,) * layers, 10), 128) for layers in (1, 2, 4, 8, 16)},
    ),
    "batch": Sweep(
        "rows of a batch",
        "784-128-10",
        {rows: Shape((784, 128, 10), rows) for rows in DOUBLING},
    ),
}


class Point(NamedTuple):
    """A network, and round by round the microseconds of its step, ``nncli``, and of its ``products`` alone."""

    shape: Shape
    rounds: Any

    def time(self, name):
        """The median, in microseconds."""
        return median(column(self.rounds, name))

    def rate(self, name):
        """GFLOP/s: two operations for each multiply-add of the products."""
        return 2e-3 * self.shape.multiply_adds / self.time(name)


def measured(worker, shape, rounds):
    """Step and products of one network in turns."""
    return Point(shape, interleave({name: worker.timed(name, shape) for name in ("nncli", "products")}, rounds))


def table(sweep, points):
    """One row per size."""
    heads = [sweep.axis, "step, µs", "its products alone, µs", "step / products"]
    rows = []
    for size, point in points.items():
        times = [spread(column(point.rounds, name)) for name in ("nncli", "products")]
        rows.append([f"{size:,}", *times, spread(ratios(point.rounds, "nncli", "products"))])
    return markdown(heads, rows)


def table_of_rates(points):
    """One row per network, from the fewest parameters to the most."""
    heads = ["network", "rows", "parameters", "multiply-adds of its products", "step, GFLOP/s", "products, GFLOP/s"]
    rows = []
    different = {point.shape: point for point in points}.values()
    for point in sorted(different, key=lambda point: (point.shape.parameters, point.shape.rows)):
        numbers = (point.shape.rows, point.shape.parameters, point.shape.multiply_adds)
        rates = [figure(point.rate(name)) for name in ("nncli", "products")]
        rows.append([point.shape.name, *(f"{number:,}" for number in numbers), *rates])
    return markdown(heads, rows)


STYLES = {"nncli": ("step", "o-", "C0"), "products": ("its matrix products alone", "s--", "C1")}


def plot(results, file):
    """A panel per sweep, and one of the throughput of all points against the number of parameters."""
    from matplotlib.figure import Figure

    picture = Figure(figsize=(12.5, 7.5), dpi=96, layout="constrained")
    panels = list(picture.subplots(2, 3).flat)
    for panel, (name, points) in zip(panels, results.items(), strict=False):
        draw_times(panel, SWEEPS[name], points)
    draw_rates(panels[len(results)], [point for points in results.values() for point in points.values()])
    for panel in panels[: len(results) + 1]:
        finish(panel)
    for panel in panels[len(results) + 1 :]:
        panel.axis("off")
    panels[-1].legend(*panels[0].get_legend_handles_labels(), loc="center")
    picture.savefig(file)


def draw_times(panel, sweep, points):
    """Microseconds against what grows."""
    for name, (label, line, color) in STYLES.items():
        panel.loglog(list(points), [point.time(name) for point in points.values()], line, color=color, label=label)
    sizes = list(points)
    panel.set_xticks(sizes if len(sizes) < 6 else sizes[::2])
    panel.set(title=sweep.network, xlabel=sweep.axis, ylabel="µs per step")


def draw_rates(panel, points):
    """GFLOP/s against the number of parameters."""
    parameters = [point.shape.parameters for point in points]
    for name, (_, line, color) in STYLES.items():
        panel.loglog(parameters, [point.rate(name) for point in points], line[0], color=color)
    panel.set(title="all of these networks", xlabel="parameters", ylabel="GFLOP/s")


def finish(panel):
    """Whole decades upwards, numbers written out, a grid."""
    low, high = panel.get_ylim()
    panel.set_ylim(10 ** floor(log10(low)), 10 ** ceil(log10(high)))
    for axis in (panel.xaxis, panel.yaxis):
        axis.set_major_formatter("{x:,.0f}")
        axis.set_minor_formatter("")
    panel.grid(alpha=0.3)


def main():
    parser = arguments(__doc__, rounds=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument(
        "--only", nargs="+", metavar="SWEEP", choices=SWEEPS, default=list(SWEEPS), help=" ".join(SWEEPS)
    )
    parser.add_argument("--plot", metavar="FILE.png")
    given = parser.parse_args()
    if given.plot and not find_spec("matplotlib"):
        parser.error("--plot needs matplotlib: pip install 'nncli[bench]'")
    pin(given.threads)
    variables = environment(given.threads, given.keep_environment)
    print(
        description(variables, ["nncli"]), "Medians of the rounds (the fastest to the slowest).", sep="\n\n", flush=True
    )
    worker, results = Worker(variables), {}
    for name in given.only:
        sweep = SWEEPS[name]
        results[name] = {size: measured(worker, shape, given.rounds) for size, shape in sweep.shapes.items()}
        print(f"\n{sweep.network}:\n\n{table(sweep, results[name])}", flush=True)
    worker.close()
    points = [point for sweep in results.values() for point in sweep.values()]
    print(f"\nAll of these networks, by parameters:\n\n{table_of_rates(points)}")
    if given.plot:
        plot(results, given.plot)


if __name__ == "__main__":
    main()
