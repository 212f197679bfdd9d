"""Peak memory of a training, beside the estimate of ``nncli show``.

Each training is a process of its own: it first trains a tiny network on the same kind of data, so that all modules and
the buffers of BLAS are in memory, and then the network that is measured, full batch, a few epochs, with its files. The
growth of its peak memory from one to the other is compared with the estimate. It includes the pages of the mapped file
of inputs.

Usage: python -m tests.benchmarks.memory [--rounds 3]
"""

import json
import sys
import tempfile
from functools import partial
from pathlib import Path
from resource import RUSAGE_SELF, getrusage

from tests.benchmarks.interleaving import interleave
from tests.benchmarks.machine import arguments, description, environment, pin
from tests.benchmarks.processes import MEBIBYTES, completed
from tests.benchmarks.shapes import Shape
from tests.benchmarks.steps import label
from tests.benchmarks.tables import column, figure, markdown, spread

SHAPES = (
    Shape((2, 64, 3), 300),
    Shape((2, 512, 3), 3000),
    Shape((64, 2048, 10), 128),
    Shape((784, 128, 128, 10), 128),
    Shape((784, 512, 512, 10), 128),
    Shape((784, 128, 128, 10), 10_000),
    Shape((784, 2048, 2048, 10), 512),
)
TINY = Shape((4, 4, 2), 8)
EPOCHS = 3
BLOCK = 500  # rows
STATUS = Path("/proc/self/status")


def write_inputs(path, shape):
    """Write inputs (N, D) in blocks, so that this does not raise the peak memory before the training."""
    import numpy as np

    rng, columns = np.random.default_rng(0), shape.widths[0]
    header = {"descr": "<f4", "fortran_order": False, "shape": (shape.rows, columns)}
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for start in range(0, shape.rows, BLOCK):
            file.write(rng.standard_normal((min(BLOCK, shape.rows - start), columns), np.float32).tobytes())


def config(shape, directory):
    """A config of a network, whose data are written into the directory."""
    import numpy as np

    inputs, targets = Path(directory, f"{shape.name}-inputs.npy"), Path(directory, f"{shape.name}-targets.npy")
    write_inputs(inputs, shape)
    np.save(targets, np.arange(shape.rows) % shape.widths[-1])
    layers = [layer for units in shape.widths[1:] for layer in ({"type": "dense", "units": units}, "relu")]
    return {
        "data": {"type": "arrays", "path": str(inputs), "targets": str(targets)},
        "layers": [*layers[:-1], "softmax"],
        "loss": "categorical_crossentropy",
        "optimizer": "adam",
        "training": {"epochs": EPOCHS, "log_every": 1},
    }


def peak_memory():
    """The peak memory of this process in MiB: on Linux since exec, while ``ru_maxrss`` includes that of the parent."""
    if STATUS.exists():
        lines = STATUS.read_text(encoding="utf-8").splitlines()
        (peak,) = (line.split()[1] for line in lines if line.startswith("VmHWM:"))
        return int(peak) / 2**10
    return getrusage(RUSAGE_SELF).ru_maxrss / MEBIBYTES


def growth(shape):
    """The growth of this process's peak memory by a training, in MiB, and the estimate for its config."""
    import nncli
    from nncli.experiment.loading import load_mapping
    from nncli.experiment.memory import memory_bytes

    with tempfile.TemporaryDirectory() as directory:
        tiny, large = config(TINY, directory), config(shape, directory)
        nncli.train(tiny, runs=directory, name="tiny")
        before = peak_memory()
        nncli.train(large, runs=directory, name="large")
        after = peak_memory()
        loaded = load_mapping(large)
        estimate = memory_bytes(loaded.config, loaded.plan)
    return {"growth": after - before, "estimate": estimate / 2**20}


def in_own_process(shape, variables):
    """The growth and the estimate, of a process with this environment."""
    network = ["--network", *map(str, shape.widths), "--rows", str(shape.rows)]
    return json.loads(completed([sys.executable, "-m", "tests.benchmarks.memory", *network], variables)[1])


def table(shapes, variables, rounds):
    """A row of each training: growth, estimate, and the ratio of the estimate to the growth."""
    rows = []
    for shape in shapes:
        found = column(interleave({"training": partial(in_own_process, shape, variables)}, rounds), "training")
        growths, estimate = column(found, "growth"), found[0]["estimate"]
        relative = spread([estimate / each for each in growths]) if all(growths) else "–"  # less than a page
        rows.append([label(shape), spread(growths), figure(estimate), relative])
    return markdown(["network", "peak growth, MiB", "estimate, MiB", "estimate / growth"], rows)


def main():
    parser = arguments(__doc__, rounds=3)
    parser.add_argument("--network", type=int, nargs="+", help="train one network in this process: its widths")
    parser.add_argument("--rows", type=int)
    given = parser.parse_args()
    if given.network:
        print(json.dumps(growth(Shape(tuple(given.network), given.rows))))
        return
    pin(1)
    variables = environment(1, given.keep_environment)
    print(description(variables, ["nncli"]), flush=True)
    print(f"\n{table(SHAPES, variables, given.rounds)}")


if __name__ == "__main__":
    main()
