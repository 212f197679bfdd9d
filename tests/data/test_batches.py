"""Mini-batches of rows."""

import os
from itertools import pairwise
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nncli.data.batches import Batches
from nncli.processes import CAN_FORK

INPUTS = np.arange(20.0).reshape(10, 2)
TARGETS = INPUTS[:, :1] * 10


def gathered(batches, seed=0, first=0):
    """The rows of each batch of an epoch, in turn; they are valid until the next one."""
    return map(batches.gather, batches.epoch(np.random.default_rng(seed) if batches.shuffled else None, first))


def mini_batches(size, seed):
    return [(inputs.copy(), targets.copy()) for inputs, targets, _ in gathered(Batches(INPUTS, TARGETS, size), seed)]


@pytest.mark.parametrize("size", [1, 3, 5, 9])
def test_epoch_has_every_row_once_with_its_target(size):
    """An epoch has every row once, in mini-batches of the given size and a remainder batch."""
    found = mini_batches(size, 0)
    assert [len(inputs) for inputs, _ in found] == [size] * (10 // size) + [10 % size] * (10 % size > 0)
    rows = np.concatenate([inputs for inputs, _ in found])
    np.testing.assert_array_equal(np.sort(rows[:, 0]), INPUTS[:, 0])
    np.testing.assert_array_equal(np.concatenate([targets for _, targets in found]), rows[:, :1] * 10)


@pytest.mark.slow
@given(
    rows=st.integers(1, 70),
    size=st.integers(1, 80) | st.none(),
    widths=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    seed=st.integers(0, 9),
    skipped=st.integers(0, 80),
    dtype=st.sampled_from(["uint8", "float32", "float64"]),
)
def test_epoch_is_the_permutation_in_consecutive_batches(rows, size, widths, seed, skipped, dtype):
    """For all sizes, each batch has the next rows of the random order, and each row its target."""
    inputs, targets = (np.arange(rows * width).reshape(rows, width).astype(dtype) for width in widths)
    targets = targets + 0.5
    batches = Batches(inputs, targets, size)
    size = min(size or rows, rows)
    assert (batches.shuffled, len(batches)) == (size < rows, -(-rows // size))
    first = skipped % len(batches)
    order = np.random.default_rng(seed).permutation(rows) if batches.shuffled else np.arange(rows)
    found = [(inputs.copy(), targets.copy()) for inputs, targets, _ in gathered(batches, seed, first)]
    assert len(found) == len(batches) - first
    for number, (batch_inputs, batch_targets) in enumerate(found, first):
        chosen = order[number * size : (number + 1) * size]
        np.testing.assert_array_equal(batch_inputs, inputs[chosen])
        np.testing.assert_array_equal(batch_targets, targets[chosen])


@pytest.mark.parametrize(
    ("size", "bounds"), [(None, [0, 10]), (10, [0, 10]), (5, [0, 5, 10]), (4, [0, 4, 8, 10]), (9, [0, 9, 10])]
)
def test_batches_are_consecutive_parts_of_the_order(size, bounds):
    """Up to the last row and not beyond; without a size, the batch has that of all rows."""
    batches = Batches(INPUTS, TARGETS, size)
    assert batches.size == bounds[1]
    assert [*batches.epoch(np.random.default_rng(0))] == [slice(*part) for part in pairwise(bounds)]


def test_rows_are_shuffled_not_only_batches():
    """Adjacent rows are separated, differently for each seed."""
    first, second = (np.concatenate([inputs for inputs, _ in mini_batches(5, seed)])[:, 0] for seed in (0, 1))
    assert (first != INPUTS[:, 0]).any()
    assert (first != second).any()


@pytest.mark.parametrize("size", [3, 5])
def test_targets_of_a_mini_batch_are_column_major(size):
    """Like the outputs; those of a remainder batch are the first rows of the same array."""
    targets = np.hstack([TARGETS, -TARGETS])
    batches = Batches(INPUTS, targets, size)
    for inputs, some, _ in gathered(batches):
        assert some.strides == (8, 8 * size)
        np.testing.assert_array_equal(some, np.outer(inputs[:, 0] * 10, [1, -1]))


def test_full_batch_of_lazy_rows_is_copied_block_by_block(monkeypatch):
    """In the order of the rows; no block has more than the allowed number of bytes."""

    class Lazy:
        shape, dtype = INPUTS.shape, INPUTS.dtype
        read: ClassVar[list[int]] = []

        def __len__(self):
            return len(INPUTS)

        def __getitem__(self, rows):
            self.read.append(len(INPUTS[rows]))
            return INPUTS[rows]

    monkeypatch.setattr("nncli.data.dataset.BLOCK_BYTES", 4 * INPUTS[0].nbytes)
    ((inputs, _, _),) = gathered(Batches(Lazy(), TARGETS.astype(np.float32), None))
    np.testing.assert_array_equal(inputs, INPUTS)
    assert inputs.dtype == np.float32
    assert inputs.flags.f_contiguous
    assert Lazy.read == [4, 4, 2]


@pytest.mark.parametrize("size", [None, 10])
def test_full_batch_is_in_order_and_column_major(size):
    """A full batch needs no generator, keeps the order of the rows, and is column-major."""
    ((inputs, targets),) = mini_batches(size, 0)
    np.testing.assert_array_equal(inputs, INPUTS)
    np.testing.assert_array_equal(targets, TARGETS)
    ((inputs, *_),) = gathered(Batches(INPUTS, TARGETS, size))
    assert inputs.flags.f_contiguous


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", ["uint8", "float64"])
def test_full_batch_is_column_major_and_of_the_dtype_of_the_targets(order, dtype):
    """Whatever the layout of the rows and the dtype of the inputs."""
    inputs, encoded = INPUTS.astype(dtype, order=order), np.hstack([TARGETS, -TARGETS]).astype("float32", order=order)
    ((found, targets, _),) = gathered(Batches(inputs, encoded, None))
    for each, expected in ((found, inputs), (targets, encoded)):
        np.testing.assert_array_equal(each, expected)
        assert each.dtype == np.float32
        assert each.flags.f_contiguous


@pytest.mark.parametrize("order", ["C", "F"])
def test_mini_batches_are_gathered_from_row_major_arrays(order):
    """Those that are row-major are used as they are, others are copied once."""
    inputs, targets = INPUTS.copy(order=order), np.hstack([TARGETS, -TARGETS]).copy(order=order)
    batches = Batches(inputs, targets, 3)
    for stored, source in ((batches.inputs, inputs), (batches.targets, targets)):
        np.testing.assert_array_equal(stored, source)
        assert stored.flags.c_contiguous
        assert np.shares_memory(stored, source) is (order == "C")


@pytest.mark.skipif(not CAN_FORK, reason="a process is forked")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
@pytest.mark.parametrize("is_shared", [True, False])
def test_order_is_shared_with_forked_processes_for_some_time(is_shared):
    """The rows of a batch are those of the order that any process has drawn; later each process has its own order."""
    batches = Batches(INPUTS, TARGETS, 9)
    part = next(batches.epoch(np.random.default_rng(0)))
    before = batches.gather(part)[0].copy()
    batches.share_order()
    np.testing.assert_array_equal(batches.gather(part)[0], before)
    batches.share_order(is_shared)
    process = os.fork()
    if not process:
        batches.epoch(np.random.default_rng(1))
        os._exit(0)
    os.waitpid(process, 0)
    assert np.array_equal(batches.gather(part)[0], before) != is_shared


@pytest.mark.parametrize("size", [None, 3, 5])
def test_each_row_has_its_weight(size):
    """The weights of a batch are those of its rows; without weights there are none."""
    weights = INPUTS[:, 0] + 0.5
    for inputs, _, some in gathered(Batches(INPUTS, TARGETS, size, weights)):
        np.testing.assert_array_equal(some, inputs[:, 0] + 0.5)
    assert all(some is None for *_, some in gathered(Batches(INPUTS, TARGETS, size)))
