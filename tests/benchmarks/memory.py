"""Peak memory of trainings, compared with the estimate of ``nncli show``.

Each training runs in a process of its own, with evaluations, checkpoints and files. Measured is the growth of its
resident memory from the moment before the data is loaded to the peak. A small training before has loaded all modules
and allocated the buffers of BLAS. Pages of mapped data files do not count: the system frees them when memory is short.

Usage: python -m tests.benchmarks.memory [--rounds 1] [--networks NAME ...]
"""

import json
import re
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks.interleaving import interleave
from tests.benchmarks.machine import ROOT, arguments, description, environment, pin
from tests.benchmarks.tables import column, markdown, spread

MEBIBYTE = 1 << 20
DENSE_RELU = "{{type: dense, units: {}}}, relu"
CONFIG = """
data: {data}
{split}
layers: [{layers}]
loss: {loss}
optimizer: {{type: {optimizer}, learning_rate: {rate}}}
dtype: {dtype}
training: {{epochs: 2, log_every: 1, {training}}}
"""
WARM_UP = CONFIG.format(
    data="{type: spiral, samples: 100}",
    split="validation: {fraction: 0.2}",
    layers=f"{DENSE_RELU.format(8)}, {{type: dense, units: 3}}, softmax",
    loss="categorical_crossentropy",
    optimizer="adam",
    rate=0.001,
    dtype="float32",
    training="batch_size: 32",
)


class Network(NamedTuple):
    """A network and its data: generated rows of ``columns`` inputs, or the toy set ``toy``.

    Args:
        rows: the number of rows, a fifth of which is for validation.
        columns: the number of inputs.
        units: those of the hidden layers.
        outputs: the number of classes; 1 is a regression.
        batch: rows per step; None for all.
    """

    rows: int
    columns: int
    units: tuple[int, ...]
    outputs: int
    batch: int | None
    optimizer: str = "adam"
    dtype: str = "float32"
    hidden: str = DENSE_RELU
    training: str = ""
    bytes_per_value: int = 4
    toy: str = ""


BEST = "early_stopping: {metric: validation_loss, patience: 9}"
NORMALIZED = "{{type: dense, units: {}}}, batch_normalization, gelu, {{type: dropout, rate: 0.2}}"
NETWORKS = {
    "784-128-10": Network(20_000, 784, (128,), 10, 128),
    "784-128-10, SGD, large batches": Network(20_000, 784, (128,), 10, 4096, "sgd"),
    "784-2048-2048-10": Network(5_000, 784, (2048, 2048), 10, 512),
    "64-2048-10": Network(20_000, 64, (2048,), 10, 128),
    "3-512-3, full batch": Network(300_000, 3, (512,), 3, None),
    "2-512-3, full batch, spiral": Network(300_000, 2, (512,), 3, None, toy="spiral, samples: 100_000"),
    "30-256-256-1, regression": Network(100_000, 30, (256, 256), 1, 256),
    "100-512-512-10, batch normalization, GELU, dropout": Network(20_000, 100, (512, 512), 10, 1024, hidden=NORMALIZED),
    "784-1024-10, best weights kept": Network(5_000, 784, (1024,), 10, 256, training=BEST),
    "784-512-256-10, float64": Network(10_000, 784, (512, 256), 10, 256, dtype="float64", bytes_per_value=8),
    "784-512-10, bytes": Network(60_000, 784, (512,), 10, 256, bytes_per_value=1),
    "784-512-10, bytes, full batch": Network(20_000, 784, (512,), 10, None, bytes_per_value=1),
}


def write_data(network, directory):
    """Write random inputs and targets, and return the section ``data`` of the config."""
    import numpy as np

    rng = np.random.default_rng(0)
    size = network.rows, network.columns
    if network.bytes_per_value == 1:
        inputs = rng.integers(256, size=size, dtype=np.uint8)
    else:
        inputs = rng.standard_normal(size, f"f{network.bytes_per_value}")
    projected = inputs[:, : network.outputs].astype(float)  # a network can learn targets that depend on the inputs
    targets = projected[:, 0] if network.outputs == 1 else projected.argmax(axis=1)
    np.save(directory / "inputs.npy", inputs)
    np.save(directory / "targets.npy", targets)
    return "{type: arrays, path: inputs.npy, targets: targets.npy}"


def write_config(network, directory):
    """Write the config of a network, and its data; return its path."""
    data = f"{{type: {network.toy.replace('_', '')}}}" if network.toy else write_data(network, directory)
    hidden = [network.hidden.format(units) for units in network.units]
    last = "linear" if network.outputs == 1 else "softmax"
    batch = "null" if network.batch is None else network.batch
    path = directory / "config.yaml"
    path.write_text(
        CONFIG.format(
            data=data,
            split="validation: {fraction: 0.2}",
            layers=", ".join([*hidden, f"{{type: dense, units: {network.outputs}}}", last]),
            loss="mean_squared_error" if network.outputs == 1 else "categorical_crossentropy",
            optimizer=network.optimizer,
            rate=0.1 if network.optimizer == "sgd" else 0.001,
            dtype=network.dtype,
            training=f"batch_size: {batch}, {network.training}".rstrip(", "),
        ),
        encoding="utf-8",
    )
    return path


def peak_bytes():
    """The peak of the resident memory of this process."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return 1024 * int(re.search(r"VmHWM:\s+(\d+) kB", status)[1])


def mapped_bytes(directory):
    """The resident pages of the mapped files in a directory."""
    maps = Path("/proc/self/smaps").read_text(encoding="utf-8")
    found = re.findall(
        rf"(?m)^[0-9a-f]+-[0-9a-f]+ .* {re.escape(str(directory))}/.*\n(?:[A-Z]\w+:.*\n)*?Rss: +(\d+)", maps
    )
    return 1024 * sum(map(int, found))


def trained(config, runs):
    """Train a config; return what was loaded."""
    from nncli.experiment.loading import load
    from nncli.runner.train import train

    loaded = load(config)
    train(loaded, "run", runs=runs)
    return loaded


def warm_up(directory):
    """Load all modules, and allocate the buffers of BLAS."""
    import numpy as np

    for dtype in (np.float32, np.float64):
        square = np.ones((2048, 2048), dtype)
        square.dot(square)
    warm = directory / "warm_up.yaml"
    warm.write_text(WARM_UP, encoding="utf-8")
    trained(warm, directory / "runs")


def measure(config):
    """Print the bytes of a training as JSON: parameters, those of the estimate, and those measured."""
    directory = config.parent
    warm_up(directory)
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")  # the peak is now the present size
    before = peak_bytes()
    loaded = trained(config, directory / "runs")
    measured = peak_bytes() - before - mapped_bytes(directory)
    from nncli.experiment.memory import memory_bytes
    from nncli.experiment.summary import step_rows, summarize

    parameters = sum(layer.parameters for layer in summarize(loaded.config, loaded.plan))
    estimate = memory_bytes(loaded.config, loaded.plan)
    rows = step_rows(loaded.config, loaded.plan)
    print(json.dumps({"rows": rows, "parameters": parameters, "estimate": estimate, "measured": measured}))


def figures(network, variables):
    """The figures of a training in a process of its own."""
    with tempfile.TemporaryDirectory() as directory:
        config = write_config(network, Path(directory).resolve())
        command = [sys.executable, "-m", "tests.benchmarks.memory", "--here", str(config)]
        process = subprocess.run(command, check=True, stdout=subprocess.PIPE, cwd=ROOT, env=variables)
        return json.loads(process.stdout)


def row(name, rounds):
    """The row of a network."""
    first, measured = rounds[0], [each["measured"] / MEBIBYTE for each in rounds]
    ratios = [each["estimate"] / each["measured"] for each in rounds]
    sizes = [f"{first['rows']:,}", f"{first['parameters']:,}", f"{first['estimate'] / MEBIBYTE:,.1f}"]
    return [name, *sizes, spread(measured), spread(ratios)]


HEADS = ("network", "rows per step", "parameters", "estimate, MiB", "measured, MiB", "estimate / measured")


def table(names, variables, rounds):
    """A row of each network."""
    measures = {name: partial(figures, NETWORKS[name], variables) for name in names}
    found = interleave(measures, rounds)
    return markdown(HEADS, [row(name, column(found, name)) for name in names])


def main():
    parser = arguments(__doc__, rounds=1)
    parser.add_argument("--networks", nargs="*", metavar="NAME", choices=NETWORKS, default=NETWORKS)
    parser.add_argument("--here", type=Path, metavar="CONFIG", help="measure this config in this process")
    given = parser.parse_args()
    if given.here:
        measure(given.here)
        return
    pin(1)
    variables = environment(1, given.keep_environment)
    print(description(variables, ["nncli"]), flush=True)
    print(table(given.networks, variables, given.rounds))


if __name__ == "__main__":
    main()
