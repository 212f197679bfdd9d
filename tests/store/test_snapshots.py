"""Snapshots are thinned evenly by the index of the logged epoch alone, and their file is read strictly."""

import numpy as np
import pytest

from nncli.nn.parameters import Parameters
from nncli.store.npz import pack_arrays
from nncli.store.snapshots import SnapshotWriter, kept, parse, stride, vector

SHAPES = {"layers.0.weights": (2, 3), "layers.0.biases": (3,)}
EXPECTED = {name: (shape, "<f4") for name, shape in SHAPES.items()}
LIMITS = (1, 2, 3, 4, 7, 8)


def recorded(limit, epochs, start=0, snapshots=None):
    """The writer after these logged epochs, at each of which all weights are the epoch, from index ``start`` on."""
    parameters = Parameters(SHAPES, np.dtype(np.float32))
    writer = SnapshotWriter(limit, parameters, epochs[:start], snapshots)
    for epoch in epochs[start:]:
        parameters.values[...] = epoch
        writer.add(epoch)
    return writer


def read(data, limit=8):
    return parse(data, EXPECTED, limit, 1000)


@pytest.mark.parametrize("limit", LIMITS)
def test_snapshots_are_evenly_spaced_and_at_most_the_limit(limit):
    """The first epoch is kept, and more than half of the limit is used once there are enough epochs."""
    for count in range(1, 70):
        indexes = kept(range(count), limit)
        assert indexes == list(range(0, count, stride(count - 1, limit)))
        assert len(indexes) <= limit
        assert len(indexes) > min(count, limit) / 2 - 1


@pytest.mark.parametrize("limit", LIMITS)
def test_writer_keeps_multiples_of_the_stride(limit):
    """After each logged epoch, with its weights; the odd limits drop one without adding one."""
    for count in range(1, 40):
        epochs = [3 * index for index in range(count)]
        snapshots = read(recorded(limit, epochs).pack())
        assert list(snapshots) == kept(epochs, limit)
        for epoch, arrays in snapshots.items():
            assert {name: array.shape for name, array in arrays.items()} == SHAPES
            assert all((array == epoch).all() for array in arrays.values())


@pytest.mark.parametrize("limit", LIMITS)
def test_resumed_writer_ends_in_the_same_bytes(limit):
    """From a file that is older than the checkpoint, as old, or newer and thinned further."""
    epochs = list(range(0, 40, 2))
    whole = recorded(limit, epochs).pack()
    for saved in range(1, len(epochs)):
        parameters = Parameters(SHAPES, np.dtype(np.float32))
        arrays = read(recorded(limit, epochs[:saved]).pack())
        found = {epoch: vector(each, parameters) for epoch, each in arrays.items()}
        for checkpoint in range(1, saved + 1):
            assert recorded(limit, epochs, checkpoint, found).pack() == whole


def test_limit_of_0_keeps_nothing():
    """Nothing is to be written."""
    assert not recorded(0, [0, 1, 2]).is_changed
    assert kept([0, 1, 2], 0) == []


def test_writer_is_unchanged_until_a_snapshot_is_added_or_dropped():
    """So that the file is not written without need."""
    writer = recorded(3, [0, 1, 2])
    writer.pack()
    assert not writer.is_changed
    writer.add(3)  # 0 and 2 stay
    assert writer.is_changed
    writer.pack()
    writer.add(4)
    assert writer.is_changed
    writer.pack()
    writer.add(5)
    assert not writer.is_changed


def packed(epochs, dtype="<i8", **changes):
    arrays = {name: np.zeros((len(epochs), *shape), np.float32) for name, shape in SHAPES.items()}
    return pack_arrays({"epochs": np.array(epochs, dtype), **arrays, **changes})


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "no end record"),
        (packed([0, 1])[:-1], "not an NPZ archive"),
        (packed([]), "it has 0 snapshots, expected 1 to 8"),
        (packed(range(9)), "it has 9 snapshots, expected 1 to 8"),
        (packed([0, 0]), "not increasing numbers from 0 to 1000"),
        (packed([-1, 0]), "not increasing numbers"),
        (packed([0, 1001]), "not increasing numbers"),
        (packed([0, 1], "<f8"), "epochs is"),
        (packed([0, 1], **{"layers.0.biases": np.zeros((2, 4), np.float32)}), "layers.0.biases is"),
        (packed([0, 1], **{"layers.0.biases": np.zeros((1, 3), np.float32)}), "layers.0.biases is"),
        (packed([0, 1], **{"layers.0.weights": np.zeros((2, 2, 3))}), "layers.0.weights is"),
        (pack_arrays({name: np.zeros((2, *shape), np.float32) for name, shape in SHAPES.items()}), "no array epochs"),
        (packed([0, 1], **{"x" * 900: np.zeros(2)}), "do not fit"),
    ],
)
def test_damaged_file_is_rejected(data, message):
    """Other arrays, shapes, dtypes or epochs than training writes."""
    with pytest.raises(ValueError, match=message):
        read(data)


def test_flipped_bit_of_the_values_is_found():
    """By the checksum of the archive."""
    data = bytearray(packed([0, 1]))
    data[data.index(b"layers.0.weights.npy") + 200] ^= 1
    with pytest.raises(ValueError, match="Bad CRC-32"):
        read(bytes(data))
