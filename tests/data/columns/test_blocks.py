"""Blocks of a column in the smallest dtypes that hold their values."""

import numpy as np
import pytest

from nncli.data.columns.blocks import CompactBlocks, MemoryBlocks


@pytest.mark.parametrize("order", [1, -1])
def test_values_beyond_float32_in_any_block_are_remembered(order):
    """One block that needs float64 is enough, whether it is the first or the last."""
    blocks = CompactBlocks(MemoryBlocks())
    values = [np.full(64, 0.1), np.full(64, 0.5), np.arange(64.0)][::order]
    for each in values:
        blocks.append(each)
    dtypes = [block.dtype for block in blocks]
    assert dtypes == [np.float64, np.float32, np.uint8][::order]
    assert not blocks.is_exact_in_float32
    assert np.array_equal(np.concatenate(list(blocks.drain())), np.concatenate(values))
    assert list(blocks) == []


def test_blocks_of_few_rows_are_joined():
    """In their order; those of another dtype are not."""
    blocks = CompactBlocks(MemoryBlocks())
    for row in range(200):
        blocks.append(np.array([row]))
    blocks.append(np.array([0.5]))
    assert [len(block) for block in blocks] == [64, 64, 64, 8, 1]
    assert np.concatenate(list(blocks.drain())).tolist() == [*range(200), 0.5]
