"""Arrays in a file: what is read is what NumPy has at the same indices."""

import os

import numpy as np
import pytest

from nncli.data import stored_array as module
from nncli.data.stored_array import StoredArray

OFFSET = 24


@pytest.fixture(params=[(50,), (50, 3)], ids=["values", "rows"])
def arrays(request, tmp_path, monkeypatch):
    """The same array in memory and in a file, of which a few rows are read at once, and 40 bytes in a call."""
    preadv = os.preadv
    monkeypatch.setattr(module.os, "preadv", lambda file, parts, start: preadv(file, [parts[0][:40]], start))
    monkeypatch.setattr(module, "WINDOW", 100)
    monkeypatch.setattr(module, "INDICES", 16)
    expected = np.random.default_rng(0).normal(size=request.param)
    (tmp_path / "x").write_bytes(bytes(OFFSET) + expected.tobytes())
    with (tmp_path / "x").open("rb", buffering=0) as file:
        yield expected, StoredArray(file, OFFSET, expected.dtype, expected.shape)


KEYS = {
    "row": 7,
    "last row": -1,
    "rows": slice(5, 40),
    "every third row": slice(2, 48, 3),
    "backwards": slice(None, None, -1),
    "no rows": slice(9, 4),
    "indices": np.random.default_rng(1).integers(-50, 50, 80),
    "mask": np.arange(50) % 7 < 2,
}


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_any_rows_are_those_of_the_array_in_memory(arrays, key):
    """In their order, also if they are far apart, repeated, or more than are ordered at once."""
    expected, stored = arrays
    assert np.array_equal(stored[key], expected[key])
    if expected.ndim > 1:
        assert np.array_equal(stored[key, 1], expected[key, 1])


def test_whole_array_and_taken_rows(arrays):
    """As NumPy's own functions read them."""
    expected, stored = arrays
    rows = np.array([49, 0, 49, 20])
    assert np.array_equal(np.asarray(stored), expected)
    assert np.array_equal(stored.take(rows, 0, np.empty_like(expected[rows]), "clip"), expected[rows])


def test_file_that_ends_too_early_is_an_error(tmp_path):
    """As when it was shortened since it was opened."""
    (tmp_path / "x").write_bytes(bytes(10))
    with (tmp_path / "x").open("rb", buffering=0) as file, pytest.raises(OSError, match="ends too early"):
        np.asarray(StoredArray(file, 0, np.dtype(np.float64), (2,)))
