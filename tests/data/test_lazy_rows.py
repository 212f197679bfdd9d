"""Rows that are read and scaled when they are used, compared with those that are scaled at once."""

import tracemalloc

import numpy as np
import pytest

from nncli.data.array_files import open_npy
from nncli.data.array_scaling import ArrayScaling
from nncli.data.batches import Batches
from nncli.data.dataset import Dataset
from nncli.data.lazy_rows import RawRows, ScaledRows

IMAGES = np.random.default_rng(0).integers(0, 256, (50, 4, 3), dtype=np.uint8)
SYMMETRIC = ArrayScaling.fit("symmetric", [], by_column=False)
ALL = (IMAGES.reshape(50, 12).astype(np.float32) - 127.5) / 127.5
SELECTIONS = {"all": None, "some": np.array([3, 1, 49, 20, 20])}


@pytest.fixture(params=SELECTIONS)
def pair(request):
    """Rows that are scaled as they are used, and the same as an ordinary array."""
    indices = SELECTIONS[request.param]
    raw = RawRows(IMAGES) if indices is None else RawRows(IMAGES)[indices]
    return ScaledRows(raw, SYMMETRIC, "float32"), ALL if indices is None else ALL[indices]


def test_what_is_read_is_an_ordinary_array(pair):
    """A row, a slice, indices, a mask, a value and the whole are those of the array."""
    lazy, array = pair
    mask = np.arange(len(array)) % 2 == 0
    for key in (0, -1, slice(1, 4), [0, 3], np.array([2, 1]), mask, (2, 5), (slice(None, 2), 3)):
        assert np.array_equal(lazy[key], array[key]), key
        assert np.asarray(lazy[key]).dtype == np.float32
    assert np.array_equal(np.asarray(lazy), array)
    assert np.array_equal(np.asarray(lazy, np.float64), array.astype(np.float64))
    assert (len(lazy), lazy.shape, lazy.ndim, lazy.dtype) == (len(array), array.shape, 2, array.dtype)
    assert all(map(np.array_equal, lazy, array))


def test_blocks_are_joined_in_their_order(pair, monkeypatch):
    """Of a few rows each, the last one smaller."""
    lazy, array = pair
    monkeypatch.setattr("nncli.data.lazy_rows.BLOCK_BYTES", 4 * IMAGES[0].nbytes)
    assert np.array_equal(np.asarray(lazy), array)


def test_a_row_that_does_not_exist_is_an_index_error(pair):
    """As of an array, so that an iteration ends."""
    lazy, array = pair
    with pytest.raises(IndexError):
        lazy[len(array)]


def test_rows_of_rows_are_selected_without_copying_values():
    """A split of a split has the right rows, and shares the values."""
    rows = RawRows(IMAGES)[10:40][np.array([0, 5])]
    assert rows.indices.tolist() == [10, 15]
    assert rows.values is IMAGES
    assert np.array_equal(rows.read(slice(None)), IMAGES[[10, 15]].reshape(2, 12))


def test_the_fingerprint_is_that_of_the_array(pair):
    """It does not depend on when rows are scaled."""
    lazy, array = pair
    targets = np.zeros(len(array), int)
    assert Dataset(lazy, targets, 1).fingerprint() == Dataset(array, targets, 1).fingerprint()


@pytest.mark.parametrize("block", [1 << 20, 2 * 12, 1])
@pytest.mark.parametrize("size", [1, 2, 4, None])
def test_batches_are_those_of_the_array(pair, monkeypatch, size, block):
    """Mini-batches and a full batch have the same bits in the same order; a block has at least one row."""
    monkeypatch.setattr("nncli.data.lazy_rows.BLOCK_BYTES", block)
    lazy, array = pair
    targets = np.asfortranarray(np.arange(len(array), dtype=np.float32)[:, None])
    both = Batches(lazy, targets, size), Batches(array, targets, size)
    for parts in zip(*(batches.epoch(np.random.default_rng(0)) for batches in both), strict=True):
        given, expected = (batches.gather(part) for batches, part in zip(both, parts, strict=True))
        assert np.array_equal(given[0], expected[0])
        assert np.array_equal(given[1], expected[1])


def test_a_mapped_file_is_never_wholly_in_memory(tmp_path, request):
    """Scaling is measured, rows are split, hashed, and gathered, with a fraction of the memory that the file has."""
    path = tmp_path / "large.npy"
    np.save(path, np.random.default_rng(0).random((40_000, 256)))  # 82 MB
    tracemalloc.start()
    request.addfinalizer(tracemalloc.stop)
    rows = RawRows(open_npy(path))[np.arange(0, 40_000, 2)]
    scaling = ArrayScaling.fit("standardize", rows.blocks(), by_column=True)
    lazy, targets = ScaledRows(rows, scaling, "float32"), np.zeros((20_000, 1), np.float32)
    Dataset(lazy, targets, None).fingerprint()
    batches = Batches(lazy, targets, 32)
    for part in batches.epoch(np.random.default_rng(0)):
        assert batches.gather(part)[0].shape[1] == 256
    assert tracemalloc.get_traced_memory()[1] < 12e6
