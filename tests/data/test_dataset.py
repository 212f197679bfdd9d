"""What the fingerprint of a data set depends on, and rows that are picked out of one."""

import numpy as np
import pytest

from nncli.data.dataset import Dataset

INPUTS, LABELS = np.arange(12.0).reshape(6, 2), np.array([0, 1, 2, 0, 1, 2])
WHOLE = Dataset(INPUTS, LABELS, 3)


@pytest.mark.parametrize("index", range(12))
def test_every_input_counts(index):
    """One input that is another changes the fingerprint, also where only its last bit does."""
    inputs = INPUTS.copy()
    inputs.flat[index] = np.nextafter(inputs.flat[index], np.inf)
    assert Dataset(inputs, LABELS, 3).fingerprint() != WHOLE.fingerprint()


@pytest.mark.parametrize("row", range(6))
def test_every_target_counts(row):
    """One label that is another changes the fingerprint, and so does one number."""
    labels, numbers = LABELS.copy(), INPUTS[:, :1].copy()
    labels[row] = (labels[row] + 1) % 3
    numbers[row] += 1e-9
    assert Dataset(INPUTS, labels, 3).fingerprint() != WHOLE.fingerprint()
    assert Dataset(INPUTS, numbers, None).fingerprint() != Dataset(INPUTS, INPUTS[:, :1], None).fingerprint()


def test_shape_and_dtype_count():
    """The same bytes in another shape or as another dtype are another set."""
    tall, flat = np.zeros((6, 2)), np.zeros((6, 1))
    others = [
        (tall.reshape(3, 4), LABELS),
        (tall, LABELS.reshape(6, 1)),
        (tall.view(np.int64), LABELS),
        (tall, LABELS.view(np.uint64)),
        (flat, np.zeros(12, np.int64)),
    ]
    prints = {Dataset(inputs, targets, 3).fingerprint() for inputs, targets in [(tall, LABELS), *others]}
    assert len(prints) == 6


def test_the_layout_in_memory_does_not_count():
    """Column-major arrays and arrays with gaps have the fingerprint of their values."""
    gaps = np.repeat(INPUTS, 2, axis=1)[:, ::2], np.repeat(LABELS, 2)[::2]
    for inputs, labels in (gaps, (np.asfortranarray(INPUTS), LABELS), (INPUTS[::-1][::-1], LABELS)):
        assert Dataset(inputs, labels, 3).fingerprint() == WHOLE.fingerprint()


def test_rows_keep_their_targets():
    """Rows that are picked come in the order of the indices, each with its own target."""
    some = WHOLE.rows(np.array([4, 0, 5]))
    np.testing.assert_array_equal(some.inputs, INPUTS[[4, 0, 5]])
    np.testing.assert_array_equal(some.targets, [1, 0, 2])
    assert (some.classes, len(some)) == (3, 3)
