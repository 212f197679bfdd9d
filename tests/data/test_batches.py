"""Portions of rows."""

import numpy as np
import pytest

from nncli.data.batches import Batches

INPUTS = np.arange(20.0).reshape(10, 2)
TARGETS = INPUTS[:, :1] * 10


def portions(size, seed):
    batches = Batches(INPUTS, TARGETS, size)
    rng = np.random.default_rng(seed) if batches.shuffled else None
    return [(inputs.copy(), targets.copy()) for inputs, targets in batches.epoch(rng)]


@pytest.mark.parametrize("size", [1, 3, 5, 9])
def test_every_row_once_with_its_target(size):
    """An epoch holds every row once, in portions of the size, the last one smaller where it must be."""
    found = portions(size, 0)
    assert [len(inputs) for inputs, _ in found] == [size] * (10 // size) + [10 % size] * (10 % size > 0)
    rows = np.concatenate([inputs for inputs, _ in found])
    np.testing.assert_array_equal(np.sort(rows[:, 0]), INPUTS[:, 0])
    np.testing.assert_array_equal(np.concatenate([targets for _, targets in found]), rows[:, :1] * 10)


def test_rows_are_shuffled_not_only_portions():
    """Rows that were neighbours are separated, in another way with another stream."""
    first, second = (np.concatenate([inputs for inputs, _ in portions(5, seed)])[:, 0] for seed in (0, 1))
    assert (first != INPUTS[:, 0]).any()
    assert (first != second).any()


@pytest.mark.parametrize("size", [3, 5])
def test_targets_of_a_portion_run_along_memory_by_column(size):
    """As the outputs do; those of a smaller portion are the first rows of the same array."""
    targets = np.hstack([TARGETS, -TARGETS])
    batches = Batches(INPUTS, targets, size)
    for inputs, some in batches.epoch(np.random.default_rng(0)):
        assert some.strides == (8, 8 * size)
        np.testing.assert_array_equal(some, np.outer(inputs[:, 0] * 10, [1, -1]))


@pytest.mark.parametrize("size", [None, 10])
def test_a_full_batch_is_in_order_and_column_major(size):
    """All rows at once need no stream, keep their order, and run along memory by column."""
    ((inputs, targets),) = portions(size, 0)
    np.testing.assert_array_equal(inputs, INPUTS)
    np.testing.assert_array_equal(targets, TARGETS)
    ((inputs, _),) = Batches(INPUTS, TARGETS, size).epoch(None)
    assert inputs.flags.f_contiguous
