"""Masks: how often, how large, and when anew."""

import numpy as np
import pytest

from nncli.nn.kernels.dropout_mask import COARSE, fill_dropout_mask
from nncli.nn.layers.dropout import Dropout

SHAPE = (400, 250)


def dropout(rate, rng):
    layer = Dropout(rate)
    layer.attach({}, {}, np.dtype("float64"))
    layer.set_rng(rng)
    return layer


@pytest.mark.parametrize("generator", [np.random.default_rng, np.random.RandomState], ids=["own", "legacy"])
@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_share_and_mean(generator, rate):
    """A number is 0 with probability q and else divided by 1 − q, so that the mean stays."""
    outputs = dropout(rate, generator(0)).forward(np.ones(SHAPE), training=True)
    assert set(np.unique(outputs)) == {0.0, 1 / (1 - rate)}
    deviation = np.sqrt(rate * (1 - rate) / outputs.size)
    assert abs((outputs == 0).mean() - rate) < 4 * deviation
    assert abs(outputs.mean() - 1) < 4 * deviation / (1 - rate)


def test_every_training_pass_has_its_own_mask():
    """Two passes in a row drop different numbers."""
    layer = dropout(0.5, np.random.default_rng(0))
    first = layer.forward(np.ones(SHAPE), training=True).copy()
    assert (layer.forward(np.ones(SHAPE), training=True) != first).any()


def test_backward_uses_the_mask_of_forward():
    """The gradient is 0 exactly where the output is, and scaled alike elsewhere."""
    layer = dropout(0.5, np.random.default_rng(0))
    outputs = layer.forward(np.ones(SHAPE), training=True)
    np.testing.assert_array_equal(layer.backward(np.ones(SHAPE)), outputs)


def test_a_rate_of_0_is_no_dropout():
    """With q = 0 nothing is dropped or scaled."""
    inputs = np.random.default_rng(0).normal(size=SHAPE)
    np.testing.assert_array_equal(dropout(0.0, np.random.default_rng(0)).forward(inputs, training=True), inputs)


def test_legacy_masks_are_the_book_s():
    """From a legacy generator come the numbers of binomial(1, 1 − q), row by row."""
    found = dropout(0.1, np.random.RandomState(5)).forward(np.ones((3, 4)), training=True)
    expected = np.random.RandomState(5).binomial(1, 0.9, (3, 4)) / 0.9
    np.testing.assert_array_equal(found, expected)


def test_both_number_formats_get_the_same_masks():
    """What is kept depends on the stream and the shape alone; a shape that four does not divide has no gap."""
    kept = [np.full((7, 3), 2, dtype, order="F") for dtype in ("float32", "float64")]
    for each in kept:
        fill_dropout_mask(np.random.default_rng(3), 0.6, each)
    np.testing.assert_array_equal(*kept)
    assert set(np.unique(kept[0])) == {0, 1}


def test_masks_are_the_bits_of_the_stream():
    """A number is kept where its sixteen bit_pattern are less than the share; column by column, the lowest bit_pattern first."""
    kept = np.zeros((3, 2), order="F")
    fill_dropout_mask(np.random.default_rng(4), 0.7, kept)
    words = [int(word) for word in np.random.default_rng(4).bit_generator.random_raw(2)]
    sixteens = [word >> shift & 0xFFFF for word in words for shift in (0, 16, 32, 48)]
    assert kept.T.ravel().tolist() == [float(number < round(0.7 * 2**16)) for number in sixteens[:6]]


class Every:
    """A generator whose random bit_pattern are each number of sixteen bit_pattern once, and whose floats are given."""

    def __init__(self, floats=()):
        self.bit_generator, self.floats = self, np.array(floats)

    def random_raw(self, size):
        """The next 64-bit words, the lowest number in the lowest bit_pattern."""
        assert size == 2**16 // 4
        return np.arange(2**16, dtype="<u2").view("<u8").astype(np.uint64)

    def random(self, shape):
        """The given floats."""
        return self.floats.reshape(shape)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "share", [COARSE, 0.01, 0.1, 0.25, 1 / 3, 0.5, 0.7, 0.9, 0.99, 1 - COARSE, 12345 / 2**16, 12345.4 / 2**16]
)
def test_the_threshold_is_exact(dtype, share):
    """Of all numbers of sixteen bit_pattern exactly those below p · 2¹⁶, rounded, are kept."""
    kept = np.full((2**12, 2**4), 7, dtype, order="F")
    fill_dropout_mask(Every(), share, kept)
    np.testing.assert_array_equal(kept.T.ravel(), np.arange(2**16) < round(share * 2**16))


@pytest.mark.parametrize("share", [COARSE / 2, np.nextafter(COARSE, 0), np.nextafter(1 - COARSE, 1), 1 - COARSE / 2])
def test_the_threshold_of_a_share_near_an_end_is_a_float(share):
    """A number is kept where its float, drawn column by column, is less than the share to the last bit."""
    floats = [0, np.nextafter(share, 0), share, np.nextafter(share, 1), 0.5, np.nextafter(1, 0)]
    kept = np.full((3, 2), 7.0, order="F")
    fill_dropout_mask(Every(floats), share, kept)
    assert kept.T.ravel().tolist() == [float(number < share) for number in floats]


@pytest.mark.parametrize("rate", [0.0001, 0.003, 0.005, 0.995, 0.997, 0.9999])
def test_the_mean_stays_at_rates_near_an_end(rate):
    """Where few numbers go or stay, and sixteen bit_pattern would round their share, the outputs' mean is 1 like anywhere."""
    outputs = dropout(rate, np.random.default_rng(0)).forward(np.ones((2000, 1000)), training=True)
    assert abs(outputs.mean() - 1) < 4 * np.sqrt(rate / (1 - rate) / outputs.size)


def test_a_stream_is_needed():
    """A training pass without a stream says what is missing instead of drawing from a global one."""
    layer = Dropout(0.5)
    layer.attach({}, {}, np.dtype("float64"))
    with pytest.raises(ValueError, match="set_rng"):
        layer.forward(np.ones((2, 2)), training=True)
