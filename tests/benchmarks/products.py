"""The ways to compute a matrix product, by which the limits in ``nncli/nn/kernels/products.py`` were chosen.

Each product of a training step is computed in each way, in turns; the way that ``product`` chooses has an asterisk.

Usage: python -m tests.benchmarks.products [--rounds 15] [--keep-environment]
"""

import subprocess
import sys
import time
from statistics import median

import numpy as np

from nncli.nn.kernels import products
from nncli.nn.kernels.blas import kernels
from tests.benchmarks.machine import ROOT, arguments, environment, pin
from tests.benchmarks.steps import SHAPES
from tests.benchmarks.tables import markdown
from tests.benchmarks.workloads import F

WAYS = ("gemm", "batched_gemv", "gemm_of_copy")
MICRO_BATCH = 600  # rows, of batches that have more
SECONDS = 0.005  # of a turn


def cases():
    """The products of the networks: a name, X, Y and Z, in the layouts of a training step."""
    rng = np.random.default_rng(0)
    for shape in SHAPES:
        rows = min(shape.rows, MICRO_BATCH)
        for inputs, units in zip(shape.widths, shape.widths[1:], strict=False):
            name = f"{rows} × {inputs + 1} × {units}"
            weights = rng.normal(size=(inputs + 1, units)).astype(F)
            activations, grad = (
                np.asfortranarray(rng.normal(size=(rows, columns)), F) for columns in (inputs + 1, units)
            )
            yield f"{name}: Y", weights.T, activations.T, np.empty((units, rows), F)
            yield f"{name}: dL/dW", activations.T, grad, np.empty((inputs + 1, units), F)
            yield f"{name}: dL/dX", weights[:-1], grad.T, np.empty((inputs, rows), F)


def microseconds(calls, rounds):
    """The median time of each call."""
    times = {name: [] for name in calls}
    counts = {}
    for name, call in calls.items():
        start = time.perf_counter()
        call()
        call()
        counts[name] = max(1, int(SECONDS / max(1e-7, (time.perf_counter() - start) / 2)))
    for _ in range(rounds):
        for name, call in calls.items():
            start = time.perf_counter()
            for _ in range(counts[name]):
                call()
            times[name].append((time.perf_counter() - start) / counts[name] * 1e6)
    return {name: median(each) for name, each in times.items()}


def chosen(left, right, out):
    """The name of the way that ``product`` chooses."""
    found, originals = [], {way: getattr(products, way) for way in WAYS}
    for way in WAYS:
        setattr(products, way, lambda *_, way=way: found.append(way))
    products.product(left, right, out)
    for way, original in originals.items():
        setattr(products, way, original)
    return found[0]


def measured(rounds):
    """A table with a row per product."""
    rows = []
    for name, *arrays in cases():
        times = microseconds({way: getattr(products, way)(*arrays) for way in WAYS}, rounds)
        taken = chosen(*arrays)
        rows.append([name, *(f"{times[way]:.1f}{'*' if way == taken else ''}" for way in WAYS)])
    return f"kernels: {', '.join(kernels())}\n\n" + markdown(["rows × inputs × units", *WAYS], rows)


def main():
    """Measure in a process with one thread."""
    parser = arguments(__doc__, 15)
    parser.add_argument("--here", action="store_true", help="measure in this process")
    given = parser.parse_args()
    pin(1)
    if given.here:
        print(f"\n{measured(given.rounds)}")
        return
    command = [sys.executable, "-m", "tests.benchmarks.products", "--here", "--rounds", str(given.rounds)]
    variables = environment(1, given.keep_environment)
    sys.exit(subprocess.run(command, env=variables, cwd=ROOT, check=False).returncode)


if __name__ == "__main__":
    main()
