"""The memory estimate, compared with sizes of arrays by hand, and with what Python allocates."""

import re
import subprocess
import sys
import time
import tracemalloc
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from nncli.data.dataset import BLOCK_BYTES
from nncli.experiment.assembly import assemble
from nncli.experiment.loading import load
from nncli.experiment.memory import OBJECTS, TrainingMemory, memory_bytes
from nncli.nn.kernels.blas import has_small_matrix_kernels
from nncli.nn.layers.layer import PassSpec
from nncli.nn.network import LOSS_ROWS, MAX_PASSES
from nncli.processes import CAN_FORK
from nncli.runner.train import train
from tests.examples import BINARY, DENSE_8, NORMALIZED, SINE

LINE = 64  # bytes of a cache line
V = 2 * 8 + 8 + 8 * 3 + 3  # parameters of the small network, 2 → 8 → 3
SNAPSHOTS = 5  # at most one more than there are rows in metrics.csv


def lines(size, *shapes):
    """The bytes of arrays of a block: whole cache lines, and an unused one after each array."""
    return sum(LINE * (-(-rows * columns * size // LINE) + 1) for rows, columns in shapes)


def pass_bytes(rows, size, training):
    """The arrays of a pass through dense 8, relu, dense 3, softmax; the relu overwrites its inputs."""
    activations = [(rows, 2 + 1), (rows, 8 + 1), (rows, 3), (rows, 3)]  # with columns of ones
    scratch = [(rows, 8), (3, 3), (rows, 1), (rows, 3)]  # zeros of the relu; ones, reduced and sums of the softmax
    gradients = [(rows, 8), (rows, 8)] if training else []
    return lines(size, *activations, *scratch, *gradients)


def passes_of(memory):
    """The passes of batches, and of the evaluation of training and validation set."""
    return memory.training_passes() | memory.evaluation_passes(list(memory.rows.values()))


@pytest.mark.parametrize(("dtype", "size"), [("float32", 4), ("float64", 8)])
def test_estimate_by_hand(resolved, dtype, size):
    """Points with labels, encoded targets, a column-major copy, vectors, passes, and what is written."""
    data, targets = 120 * (2 * 8 + 1), 120 * 3 * size  # points in float64, labels of one byte; one-hot
    vectors = (1 + 1 + 1 + 2 + SNAPSHOTS) * V * size  # values, gradients, before the step, Adam's two, snapshots
    passes = pass_bytes(60, size, True) + pass_bytes(60, size, False)
    written = 2 * SNAPSHOTS * V * size  # snapshots.npz and its arrays, more than a checkpoint or the outputs
    lasting = OBJECTS + data + targets + 60 * 2 * size + vectors
    assert memory_bytes(*resolved(f"dtype={dtype}")) == lasting + passes + written


@pytest.mark.parametrize(
    ("samples", "batch", "passes"),
    [
        (20, 15, {(15, True)}),
        (20, 16, {(16, True), (12, True)}),
        (10_000, 7_000, {(7_000, True), (2_000, True), (21_845, False), (8_155, False)}),
        (10_000, "null", {(15_000, True), (21_845, False), (8_155, False)}),
    ],
)
def test_passes_are_those_of_batches_and_chunks(resolved, samples, batch, passes):
    """Micro-batches, remainder batches, and chunks of at most 21,845 rows of each split have arrays."""
    memory = TrainingMemory(*resolved(f"data.samples={samples}", f"training.batch_size={batch}"))
    expected = {*passes, (60, False)}  # the validation set
    assert {each[:2] for each, _ in passes_of(memory)} == expected
    size = sum(pass_bytes(rows, 4, training) for rows, training in expected)
    assert memory.planned(passes_of(memory)) == size


@pytest.mark.parametrize(
    "overrides",
    [
        (),
        ("training.batch_size=16",),
        NORMALIZED,
        (f"layers=[{DENSE_8}, {{type: dropout, rate: 0.5}}, tanh, {{type: dense, units: 3}}, softmax]",),
    ],
)
def test_passes_are_what_a_network_allocates(resolved, overrides):
    """The bytes of the arrays, and a few of Python's objects."""
    config, plan = resolved(*overrides, "data.samples=2000")
    memory, network = TrainingMemory(config, plan), assemble(config, plan).network
    has_small_matrix_kernels()  # searches for libraries once
    for spec, dtype in passes_of(memory):
        planned = memory.planned({(spec, dtype): 1})
        tracemalloc.start()
        network.bind(spec)
        allocated, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert planned <= allocated <= planned + 60_000


def test_snapshots_are_counted(resolved):
    """Three copies of each, running statistics included, but no more than there are logged epochs."""
    more, fewer = (memory_bytes(*resolved(*NORMALIZED, f"training.snapshots={number}")) for number in (5, 4))
    assert more - fewer == 3 * 4 * (V + 4 * 8)
    assert memory_bytes(*resolved("training.snapshots=1000")) == memory_bytes(*resolved("training.snapshots=5"))


def test_best_weights_are_counted(resolved):
    """Early stopping keeps a copy of the weights, and a checkpoint has it as well."""
    stopping = "training.early_stopping={patience: 10}"
    one, other = (memory_bytes(*resolved("training.snapshots=0", *more)) for more in ((), (stopping,)))
    assert 4 * V <= other - one <= 2 * 4 * V


WIDE = "layers=[{type: dense, units: 900}, relu, {type: dense, units: 900}, relu, {type: dense, units: 3}, softmax]"
SMOOTH = WIDE.replace("relu", "tanh")


@pytest.mark.slow
@pytest.mark.parametrize(
    "overrides",
    [
        (SMOOTH, "data.samples=700"),
        (SMOOTH, "data.samples=700", "dtype=float64", "optimizer=sgd"),
        (SMOOTH, "data.samples=700", "validation.samples=500", "training.batch_size=999"),
        (SMOOTH, "data.samples=700", "validation={fraction: 0.3}", "test={fraction: 0.2}", "training.batch_size=900"),
        (SMOOTH, "data.samples=700", "training.early_stopping={patience: 10}", "clipping={type: norm, limit: 1}"),
        ("data.samples=200000", "validation={fraction: 0.1}"),
        ("data.samples=200000", "validation={fraction: 0.1}", "training.batch_size=4096"),
    ],
)
def test_estimate_is_the_peak_of_a_training(workdir, overrides):
    """Within five percent of what Python allocates, with evaluations, checkpoints and files."""
    resolved = load(workdir / "config.yaml", (*overrides, "training.epochs=1", "training.log_every=1"))
    estimate = memory_bytes(resolved.config, resolved.plan)
    tracemalloc.start()
    train(resolved, "run", runs=workdir / "runs")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert estimate == pytest.approx(peak, rel=0.05)


def memory_of_processes(command):
    """The largest memory of a process and those that it starts, in bytes; pages that they share count once."""
    largest = 0
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
            with suppress(FileNotFoundError, ProcessLookupError):  # one has just ended
                pages = [Path(f"/proc/{each}/smaps_rollup") for each in (process.pid, *children.read_text().split())]
                sizes = [int(re.search(r"Pss:\s+(\d+) kB", each.read_text())[1]) for each in pages]
                largest = max(largest, 1024 * sum(sizes))
            time.sleep(0.01)
        assert process.returncode == 0
    return largest


@pytest.mark.slow
@pytest.mark.skipif(not CAN_FORK, reason="steps are not divided")
def test_estimate_of_several_processes_is_their_growth(workdir):
    """Within ten percent, by that of a small network."""
    estimates, measured = [], []
    wide = (SMOOTH.replace("900", "2000"), "data.samples=700", "training.batch_size=999")
    for overrides in ((), wide):
        given = (*overrides, "training.threads=2", "training.epochs=3", "training.log_every=1")
        resolved = load(workdir / "config.yaml", given)
        estimates.append(memory_bytes(resolved.config, resolved.plan))
        measured.append(memory_of_processes([sys.executable, "-m", "nncli", "train", "config.yaml", *given]))
    assert estimates[1] - estimates[0] == pytest.approx(measured[1] - measured[0], rel=0.1)


@pytest.mark.parametrize(("batch", "copied"), [(8, False), ("null", True)])
def test_mapped_files_are_not_counted(workdir, batch, copied):
    """Only a full batch has a copy of inputs that are read from a file."""
    inputs = np.random.default_rng(0).normal(size=(4000, 1000)).astype(np.float32)
    np.save("inputs.npy", inputs)
    np.save("targets.npy", np.arange(4000) % 3)
    overrides = ("data={type: arrays, path: inputs.npy, targets: targets.npy}", "validation={fraction: 0.1}")
    found = load(workdir / "config.yaml", (*overrides, f"training.batch_size={batch}"))
    assert (memory_bytes(found.config, found.plan) > 0.9 * inputs.nbytes) is copied


@pytest.mark.parametrize(("name", "is_mapped"), [("inputs.npy", True), ("data.npz", False)])
def test_arrays_that_are_read_are_counted(workdir, name, is_mapped):
    """An NPZ file is read into memory, an NPY file is mapped."""
    inputs, targets = np.zeros((400, 500)), np.arange(400) % 3
    inputs[::2] = 1
    np.save("inputs.npy", inputs)
    np.save("targets.npy", targets)
    np.savez("data.npz", inputs=inputs, targets=targets)
    given = f"path: {name}, targets: targets.npy" if is_mapped else f"path: {name}"
    found = load(workdir / "config.yaml", (f"data={{type: arrays, {given}}}", "validation={fraction: 0.1}"))
    assert found.plan.sources["data"].resident_bytes == (0 if is_mapped else inputs.nbytes)


def test_values_of_a_table_are_counted(workdir):
    """A column of numbers takes eight bytes per row, one of categories four."""
    rows = "".join(f"{row}.5,{row % 7}.25,{'abc'[row % 3]}\n" for row in range(60))
    (workdir / "data.csv").write_text(f"x,y,label\n{rows}", encoding="utf-8")
    found = load(workdir / "config.yaml", ("data={type: table, path: data.csv, target: label}", "validation=null"))
    assert found.plan.sources["data"].resident_bytes == 60 * (8 + 8 + 4)


DIVIDED = ("data.samples=10000", "training.threads=2")  # 4 of 8 units in each process
EXCHANGED = 15_000 * 2 * 3  # values of a micro-batch: a term of the three outputs in each process


@pytest.mark.parametrize(
    ("overrides", "part", "expected"),
    [
        ((), "_step", 0),
        (("training.batch_size=16",), "_step", 60 * 8),  # the order of the rows
        (("clipping={type: norm, limit: 1}",), "_step", 8 * V),  # squares of the gradients
        (("data.samples=10000",), "_step", 4 * V),  # the sum of the gradients of micro-batches
        (DIVIDED, "_step", 4 * V + 2 * 4 * EXCHANGED),
        ((*DIVIDED, "training.batch_size=100"), "_step", 8 * 30_000),  # too short to be divided
        ((*DIVIDED, "training.snapshots=0"), "_vectors", 10 * 4 * V),
        ((*DIVIDED, "training.batch_size=25000"), "_batches", 30_000 * 3 * 4 + 2 * 25_000 * (2 * 8 + 2 * 3 * 4)),
        (DIVIDED, "_objects", 2 * OBJECTS),
        (("training.snapshots=0", "training.early_stopping={patience: 10}"), "_checkpoint", 4 * 4 * V),
        (("training.batch_size=16",), "_batches", 60 * 3 * 4 + 16 * (2 * 8 + 2 * 3 * 4)),
        ((*BINARY, "training.batch_size=16"), "_batches", 16 * (2 * 8 + 2 * 4)),  # targets of one column stay
    ],
)
def test_parts_by_hand(resolved, overrides, part, expected):
    """Of points, in float32."""
    assert getattr(TrainingMemory(*resolved(*overrides)), part)() == expected


@pytest.mark.parametrize(
    ("overrides", "rows", "expected"),
    [
        ((), 60, 60 * (3 * 4 + (3 + 1) * 4)),  # outputs, and probabilities of the targets and losses
        ((), 300_000, 300_000 * (3 * 4 + 4) + LOSS_ROWS * (3 + 1) * 4),  # losses in blocks, and all of them
        (BINARY, 60, 60 * (4 + 8 + 1)),  # classes and whether they are right
        (SINE, 60, 60 * (4 + 3 * 8)),  # three arrays in float64
    ],
)
def test_evaluation_by_hand(resolved, overrides, rows, expected):
    """The outputs, and what needs most besides them."""
    assert TrainingMemory(*resolved(*overrides))._evaluation(rows) == expected


def test_predictions_of_threads_are_counted_for_each_of_them(resolved):
    """The remainder is computed by one thread."""
    memory = TrainingMemory(*resolved(*DIVIDED))
    found = {of.rows: count for (of, _), count in memory.evaluation_passes([30_000, 60]).items()}
    assert found == {21_845: 2, 8_155: 1, 60: 1}


def test_passes_of_processes_are_those_of_their_parts(resolved):
    """Each has half of the hidden units, all outputs, and the sum of the terms of the outputs."""
    memory = TrainingMemory(*resolved(*DIVIDED))
    assert list(memory.training_passes().items()) == [((PassSpec(15_000, training=True), memory.dtype), 1)]
    activations = [(15_000, 2 + 1), (15_000, 4 + 1), (15_000, 3), (15_000, 3), (15_000, 3)]
    scratch = [(15_000, 4), (3, 3), (15_000, 1), (15_000, 3)]
    part = lines(4, *activations, *scratch, (15_000, 4), (15_000, 4))
    assert memory.planned(memory.training_passes()) == 2 * part


def test_only_the_last_passes_are_counted(resolved):
    """Those that need most, as many as a network keeps."""
    memory = TrainingMemory(*resolved())
    passes = {(PassSpec(rows, training=True), memory.dtype): 1 for rows in range(10, 22)}
    each = [memory.planned({of: count}) for of, count in passes.items()]
    assert memory.planned(passes) == sum(each[-MAX_PASSES:])


@pytest.mark.parametrize("rows", [60, 30, 150])
def test_each_evaluation_may_need_most(resolved, monkeypatch, rows):
    """While training, that of the training set; at the end, those of the validation and of the test set."""
    memory = TrainingMemory(*resolved("validation={type: spiral, samples: 10}", "test={type: spiral, samples: 50}"))
    assert sorted(memory.rows.values()) == [30, 60, 150]
    monkeypatch.setattr(memory, "_evaluation", lambda evaluated: 10**9 * (evaluated == rows))
    assert memory.peak() > 10**9


def test_step_may_need_most(resolved):
    """The squares of clipping take as much as a checkpoint of SGD, and the order of the rows is in memory as well."""
    given = "layers[0].units=900", "optimizer=sgd", "training.snapshots=0", "training.batch_size=16"
    one, other = (memory_bytes(*resolved(*given, *more)) for more in ((), ("clipping={type: norm, limit: 1}",)))
    assert other - one == 60 * 8


@pytest.mark.parametrize(("dtype", "size", "threads"), [("float32", 4, 1), ("float32", 4, 2), ("float64", 8, 2)])
@pytest.mark.parametrize(("columns", "chunk"), [(500, 256), (1100, 233)])  # 233 rows of 1,122 values are two mebibytes
def test_parts_of_a_mapped_file_by_hand(workdir, columns, chunk, dtype, size, threads):
    """390 rows that are read by batch, of which 351 are trained: the rows, indices, chunks and an inference network."""
    np.save("inputs.npy", np.random.default_rng(0).normal(size=(390, columns)).astype(np.float32))
    np.save("targets.npy", np.arange(390) % 3)
    data = "data={type: arrays, path: inputs.npy, targets: targets.npy}", "validation={fraction: 0.1}"
    training = f"training={{epochs: 9, batch_size: 8, threads: {threads}, snapshots: 0}}"
    found = load(workdir / "config.yaml", (*data, training, f"dtype={dtype}"))
    memory, parameters = TrainingMemory(found.config, found.plan), 8 * columns + 8 + 3 * 8 + 3
    inference = 8 * (parameters + threads * chunk * columns) if size == 4 else 0
    assert memory._objects() == OBJECTS + 2 * BLOCK_BYTES
    assert memory._data() == 390 * 8 + 390 * (8 + 8)  # labels; those of splits, and indices
    assert memory._step() == 351 * 8 + 8 * columns * size
    assert memory._evaluation(351) == 351 * 3 * size + chunk * columns * size * (2 if size == 4 else 1)
    assert memory._vectors() == 5 * parameters * size + inference
    assert memory.evaluation_passes([351, 39]) == {(PassSpec(chunk, row_major=True), np.dtype("float64")): threads}
