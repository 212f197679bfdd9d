"""Dropout masks, drawn from NumPy's generator or from the legacy one that the book uses."""

from math import ceil

import numpy as np

from nncli.data.dataset import Random
from nncli.nn.parameters import Array

MIN_16_BIT_PROBABILITY = 2**-8  # rounding to multiples of 2⁻¹⁶ changes it by at most 0.2 %


def fill_dropout_mask(rng: Random, keep_probability: float, out: Array) -> None:
    """Fill ``out`` (N, M), column-major, with 1 with probability ``keep_probability``, else with 0.

    Each value takes 16 random bits instead of a float64, which is several times as fast; ``keep_probability`` is
    rounded to a multiple of 2⁻¹⁶. If fewer than 1 in 256 values are kept or dropped, that is too coarse, and float64 is
    used. The masks do not depend on the dtype of ``out``.
    """
    if isinstance(rng, np.random.RandomState):
        out[...] = rng.binomial(1, keep_probability, out.shape)  # in the order of the book
    elif MIN_16_BIT_PROBABILITY <= keep_probability <= 1 - MIN_16_BIT_PROBABILITY:
        fill_dropout_mask_16_bit(rng, keep_probability, out)
    else:
        np.less(rng.random(out.T.shape), keep_probability, out=out.T, casting="unsafe")


def fill_dropout_mask_16_bit(rng: np.random.Generator, keep_probability: float, out: Array) -> None:
    """Fill ``out`` as ``fill_dropout_mask`` does, with 16 random bits per value, in memory order."""
    raw: Array = rng.bit_generator.random_raw(ceil(out.size / 4))
    integers = raw.astype("<u8", copy=False).view("<u2")[: out.size].reshape(out.T.shape)
    np.less(integers, round(keep_probability * 2**16), out=out.T, casting="unsafe")
