"""The overhead of training over its steps: metrics, files, display, and the gathering of mini-batches.

- display: the book's network for 10,000 epochs, as ``nncli train`` trains it in a terminal, against its steps alone.
- batches: an epoch of 60,000 rows of 784 columns in batches of 128, through 784-128-128-10, against 469 steps of one
  batch, as batches are gathered and as one that stays the same is laid out; from memory, and from a file that is mapped
  into it, in single precision, and from bytes in memory that are scaled as they are used.
- parts: the time of each part of a step in such an epoch, of this network and of 784-512-512-10.
- memory, file: the peak memory of a process that trains such an epoch, less its data.

Each is a process of its own; what is compared with each other takes turns in it.
Usage: python -m tests.benchmarks.training [--rounds 7] [--threads 1] [PART]
"""

import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from resource import RUSAGE_SELF, getrusage

from tests.benchmarks.interleaving import interleave
from tests.benchmarks.machine import ROOT, arguments, description, environment, pin
from tests.benchmarks.processes import MEBIBYTES
from tests.benchmarks.tables import column, markdown, ratios, spread

CONFIG = ROOT / "configs" / "adam.yaml"
ROWS, BATCH = 60_000, 128
WIDTHS, WIDE = (784, 128, 128, 10), (784, 512, 512, 10)
STEPS = -(-ROWS // BATCH)
DATA = ROWS * WIDTHS[0] * 4 / 2**20  # MiB


def in_a_terminal(directory):
    """Seconds of a training with its metrics, files and display, from the first epoch to the last."""
    from nncli.cli.training_progress import progress_for
    from nncli.experiment.assembly import assemble
    from nncli.experiment.loading import load
    from nncli.store.run_writer import RunWriter
    from nncli.training.loop import Trainer

    loaded = load(CONFIG)
    training = Trainer(assemble(loaded.config))
    with RunWriter.create(directory, "run", loaded, training) as writer:
        start = time.perf_counter()
        with progress_for(writer) as show:
            for epoch in writer.record():
                show(epoch)
        return time.perf_counter() - start


def bare():
    """Seconds of the same steps."""
    from nncli.experiment.assembly import assemble
    from nncli.experiment.loading import load
    from nncli.training.loop import Trainer
    from tests.benchmarks.baselines.nncli import step

    config = load(CONFIG).config
    training = Trainer(assemble(config))
    inputs, targets, _ = training.gather(next(training.parts()))
    start = time.perf_counter()
    for _ in range(config.training.epochs):
        step(training.network, training.optimizer, inputs, targets)
    return time.perf_counter() - start


def rows_of_bytes():
    """Inputs (60,000, 784) of one byte per value, like images; they are scaled to −1 … 1 as they are used."""
    import numpy as np

    from nncli.data.array_scaling import ArrayScaling
    from nncli.data.lazy_rows import RawRows, ScaledRows

    images = np.random.default_rng(0).integers(0, 256, (ROWS, 28, 28), np.uint8)
    return ScaledRows(RawRows(images), ArrayScaling.fit("symmetric", (), by_column=False), "float32")


def rows_in(file=None):
    """Inputs (60,000, 784) in float32, in memory or in a file."""
    import numpy as np

    rng = np.random.default_rng(0)
    if file is None:
        return rng.standard_normal((ROWS, WIDTHS[0]), np.float32)
    mapped = np.lib.format.open_memmap(file, "w+", np.float32, (ROWS, WIDTHS[0]))
    for start in range(0, ROWS, 1000):
        mapped[start : start + 1000] = rng.standard_normal((1000, WIDTHS[0]), np.float32)
    mapped.flush()
    del mapped
    return np.load(file, mmap_mode="r")


def training_of(inputs, widths=WIDTHS):
    """A training of a network on these rows in batches, its classes drawn."""
    import numpy as np

    from nncli.data.dataset import Dataset
    from nncli.experiment.assembly import assemble
    from nncli.experiment.loading import load
    from nncli.training.loop import Trainer
    from tests.benchmarks.baselines.nncli import assembled
    from tests.benchmarks.shapes import Shape
    from tests.benchmarks.workloads import draw

    units = (*widths[1:-1], 3)  # the config's points are of three classes
    layers = ", relu, ".join(f"{{type: dense, units: {each}}}" for each in units)
    config = load(CONFIG, ("validation=null", f"training.batch_size={BATCH}", f"layers=[{layers}, softmax]")).config
    data = {"training": Dataset(inputs, np.random.default_rng(1).integers(0, widths[-1], ROWS), widths[-1])}
    network, optimizer, *_ = assembled(draw(Shape(widths, BATCH)))
    return Trainer(assemble(config)._replace(data=data, network=network, optimizer=optimizer))


def epoch(training):
    """Seconds of the next epoch, all of it."""
    training.epoch, training.batch = training.epoch + 1, 0
    start = time.perf_counter()
    for part in training.parts():
        training.train_batch(part)
    seconds = time.perf_counter() - start
    if training.batch != STEPS:
        sys.exit(f"an epoch of {training.batch} steps, not of {STEPS}")
    return seconds


def steps(lay, threads):
    """What makes as many steps of one batch, its inputs laid out so, each with its loss, and returns the seconds."""
    from tests.benchmarks.baselines.nncli import prepare
    from tests.benchmarks.shapes import Shape
    from tests.benchmarks.workloads import draw

    run, _ = prepare(draw(Shape(WIDTHS, BATCH)), threads, lay)

    def timed():
        start = time.perf_counter()
        run(STEPS)
        return time.perf_counter() - start

    return timed


def report(heads, rounds, against):
    """A row for each of those that took turns: milliseconds, and the ratio to each of ``against``."""
    rows = []
    for name in rounds[0]:
        shares = ["" if name == other else spread(ratios(rounds, name, other)) for other in against]
        rows.append([name, spread([1e3 * seconds for seconds in column(rounds, name)]), *shares])
    return markdown(heads, rows)


def displayed(rounds, threads):
    """The first comparison; standard error is a terminal that somebody reads."""
    reading, writing = os.openpty()
    nothing, own = subprocess.DEVNULL, sys.stderr
    reader = subprocess.Popen(["cat"], stdin=reading, stdout=nothing, stderr=nothing)
    with tempfile.TemporaryDirectory() as directory, os.fdopen(writing, "w") as sys.stderr:
        measures = {"nncli train": partial(in_a_terminal, Path(directory)), "bare loop": bare}
        found = interleave(measures, rounds + 1)[1:]
    sys.stderr = own
    reader.terminate()
    reader.wait()
    return report(["10,000 epochs of 2-64-3", "ms", "to the bare loop"], found, ["bare loop"])


def gathered(rounds, threads):
    """The second comparison; in an epoch inputs lie by rows, and a batch that stays the same may lie by columns."""
    import numpy as np

    from nncli.nn.kernels.blas import one_blas_thread

    with tempfile.TemporaryDirectory() as directory, one_blas_thread(), ExitStack() as divisions:
        places = {"in memory": training_of(rows_in()), "in a file": training_of(rows_in(f"{directory}/rows.npy"))}
        places["of bytes in memory, scaled as they are used"] = training_of(rows_of_bytes())
        for training in places.values():
            divisions.enter_context(training.divided(threads))
        measures = {f"an epoch, rows {place}": partial(epoch, training) for place, training in places.items()}
        lays = {f"{STEPS} steps by rows": np.ascontiguousarray, f"{STEPS} steps by columns": lambda inputs: inputs}
        measures |= {name: steps(lay, threads) for name, lay in lays.items()}
        found = interleave(measures, rounds + 1)[1:]
    heads = [f"{ROWS:,} × {WIDTHS[0]} in batches of {BATCH}", "ms", *(f"to {name}" for name in lays)]
    return report(heads, found, list(lays))


def peak(place, rounds, threads):
    """Memory of this process, which trains an epoch on rows in memory or in a file and does nothing else."""
    with tempfile.TemporaryDirectory() as directory:
        epoch(training_of(rows_in(f"{directory}/rows.npy" if place == "file" else None)))
    most = getrusage(RUSAGE_SELF).ru_maxrss / MEBIBYTES
    return f"Peak memory, rows in {place}: {most:.0f} MiB, {most - DATA:.0f} more than the {DATA:.0f} of the data."


def parts(rounds, threads):
    """Where the time of a step goes in such an epoch, of this network and of a wider one."""
    from nncli.analysis.profiling import profile
    from nncli.analysis.thread_profile import thread_profile
    from nncli.cli.render.profile import show_profile
    from tests.benchmarks.shapes import Shape

    inputs = rows_in()
    for widths in (WIDTHS, WIDE):
        print(f"\n{Shape(widths, BATCH).name}:\n", flush=True)
        training = training_of(inputs, widths)
        measured, numbers = profile(training, rounds), (training.settings.threads, threads)
        show_profile(measured, thread_profile(training, numbers, rounds / 4), training.settings)
    return ""


PARTS = {
    "display": displayed,
    "batches": gathered,
    "parts": parts,
    "memory": partial(peak, "memory"),
    "file": partial(peak, "file"),
}


def main():
    parser = arguments(__doc__, rounds=7)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("part", nargs="?", choices=PARTS, help="in this process, in the environment as it is")
    given = parser.parse_args()
    pin(given.threads)
    if given.part:
        print(f"\n{PARTS[given.part](given.rounds, given.threads)}")
        return
    variables = environment(given.threads, given.keep_environment)
    print(description(variables, ["nncli"]), flush=True)
    for part in PARTS:
        subprocess.run(command(part, given.rounds, given.threads), check=True, cwd=ROOT, env=variables)


def command(part, rounds, threads):
    """The command that measures one part in its own process, with the environment of its parent."""
    own = [sys.executable, "-m", "tests.benchmarks.training", part]
    return [*own, "--rounds", str(rounds), "--threads", str(threads)]


if __name__ == "__main__":
    main()
