"""Dropout masks: probability, scale, and random bits."""

import numpy as np
import pytest

from nncli.nn.kernels.dropout_mask import MIN_16_BIT_PROBABILITY, fill_dropout_mask
from nncli.nn.layers.dropout import Dropout
from tests.nn.passes import backward, forward

SHAPE = (400, 250)


def dropout(rate, rng):
    layer = Dropout(rate)
    layer.attach({}, {})
    layer.set_rng(rng)
    return layer


@pytest.mark.parametrize("generator", [np.random.default_rng, np.random.RandomState], ids=["numpy", "legacy"])
@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_dropout_has_the_rate_and_keeps_the_mean(generator, rate):
    """A value is 0 with probability q, else divided by 1 − q, so that the expected value stays."""
    outputs = forward(dropout(rate, generator(0)), np.ones(SHAPE), training=True)
    assert set(np.unique(outputs)) == {0.0, 1 / (1 - rate)}
    deviation = np.sqrt(rate * (1 - rate) / outputs.size)
    assert abs((outputs == 0).mean() - rate) < 4 * deviation
    assert abs(outputs.mean() - 1) < 4 * deviation / (1 - rate)


def test_mask_is_drawn_in_every_training_pass():
    """Two consecutive passes drop different values."""
    layer = dropout(0.5, np.random.default_rng(0))
    first = forward(layer, np.ones(SHAPE), training=True).copy()
    assert (forward(layer, np.ones(SHAPE), training=True) != first).any()


def test_backward_uses_the_mask_of_forward():
    """The gradient is 0 exactly where the output is 0, and scaled like the output elsewhere."""
    layer = dropout(0.5, np.random.default_rng(0))
    outputs = forward(layer, np.ones(SHAPE), training=True)
    np.testing.assert_array_equal(backward(layer, np.ones(SHAPE)), outputs)


def test_rate_of_0_drops_nothing():
    """With q = 0 the outputs are the inputs."""
    inputs = np.random.default_rng(0).normal(size=SHAPE)
    np.testing.assert_array_equal(forward(dropout(0.0, np.random.default_rng(0)), inputs, training=True), inputs)


def test_rate_of_0_draws_nothing():
    """The generator is in the same state afterwards."""
    rng = np.random.default_rng(0)
    forward(dropout(0, rng), np.ones(SHAPE), training=True)
    assert rng.bit_generator.state == np.random.default_rng(0).bit_generator.state


def test_legacy_masks_are_those_of_the_book():
    """A legacy generator draws binomial(1, 1 − q), row by row."""
    found = forward(dropout(0.1, np.random.RandomState(5)), np.ones((3, 4)), training=True)
    expected = np.random.RandomState(5).binomial(1, 0.9, (3, 4)) / 0.9
    np.testing.assert_array_equal(found, expected)


def test_mask_does_not_depend_on_the_dtype():
    """It depends on generator and shape only; the size need not be a multiple of four."""
    masks = [np.full((7, 3), 2, dtype, order="F") for dtype in ("float32", "float64")]
    for mask in masks:
        fill_dropout_mask(np.random.default_rng(3), 0.6, mask)
    np.testing.assert_array_equal(*masks)
    assert set(np.unique(masks[0])) == {0, 1}


def test_mask_is_made_of_16_random_bits_per_value():
    """A value is kept if its 16 bits are less than p · 2¹⁶; in column-major order, the lowest bits first."""
    mask = np.zeros((3, 2), order="F")
    fill_dropout_mask(np.random.default_rng(4), 0.7, mask)
    words = [int(word) for word in np.random.default_rng(4).bit_generator.random_raw(2)]
    integers = [word >> shift & 0xFFFF for word in words for shift in (0, 16, 32, 48)]
    assert mask.T.ravel().tolist() == [float(each < round(0.7 * 2**16)) for each in integers[:6]]


class ExhaustiveGenerator:
    """A generator whose random bits are each 16-bit integer once, and whose floats are given."""

    def __init__(self, floats=()):
        self.bit_generator, self.floats = self, np.array(floats)

    def random_raw(self, size):
        """All 16-bit integers as 64-bit words."""
        assert size == 2**16 // 4
        return np.arange(2**16, dtype="<u2").view("<u8").astype(np.uint64)

    def random(self, shape):
        """The given floats."""
        return self.floats.reshape(shape)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "probability",
    [
        MIN_16_BIT_PROBABILITY,
        0.01,
        0.1,
        0.25,
        1 / 3,
        0.5,
        0.7,
        0.9,
        0.99,
        1 - MIN_16_BIT_PROBABILITY,
        12345 / 2**16,
        12345.4 / 2**16,
    ],
)
def test_threshold_of_16_bits_is_exact(dtype, probability):
    """Of all 16-bit integers, exactly those below p · 2¹⁶, rounded, are kept."""
    mask = np.full((2**12, 2**4), 7, dtype, order="F")
    fill_dropout_mask(ExhaustiveGenerator(), probability, mask)
    np.testing.assert_array_equal(mask.T.ravel(), np.arange(2**16) < round(probability * 2**16))


@pytest.mark.parametrize(
    "probability",
    [
        MIN_16_BIT_PROBABILITY / 2,
        np.nextafter(MIN_16_BIT_PROBABILITY, 0),
        np.nextafter(1 - MIN_16_BIT_PROBABILITY, 1),
        1 - MIN_16_BIT_PROBABILITY / 2,
    ],
)
def test_threshold_near_0_or_1_is_a_float(probability):
    """A value is kept if its float, drawn in column-major order, is less than the probability, to the last bit."""
    floats = [0, np.nextafter(probability, 0), probability, np.nextafter(probability, 1), 0.5, np.nextafter(1, 0)]
    mask = np.full((3, 2), 7.0, order="F")
    fill_dropout_mask(ExhaustiveGenerator(floats), probability, mask)
    assert mask.T.ravel().tolist() == [float(each < probability) for each in floats]


@pytest.mark.parametrize("rate", [0.0001, 0.003, 0.005, 0.995, 0.997, 0.9999])
def test_mean_is_kept_at_rates_near_0_or_1(rate):
    """If 16 bits would be too coarse, the expected value is kept as well."""
    outputs = forward(dropout(rate, np.random.default_rng(0)), np.ones((2000, 1000)), training=True)
    assert abs(outputs.mean() - 1) < 4 * np.sqrt(rate / (1 - rate) / outputs.size)


def test_training_without_a_generator_is_an_error():
    """The message says what is missing; nothing is drawn from the global generator."""
    layer = Dropout(0.5)
    layer.attach({}, {})
    with pytest.raises(ValueError, match="set_rng"):
        forward(layer, np.ones((2, 2)), training=True)
