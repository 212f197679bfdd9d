"""The random generators that a network may be given: NumPy's, or the legacy one that the book's program uses."""

from math import ceil

import numpy as np

from nncli.data.dataset import Random
from nncli.nn.parameters import Array

__all__ = ["Random", "fill_dropout_mask"]

COARSE = 2**-8  # a share from which on 2⁻¹⁶ is less than half a per cent of it


def fill_dropout_mask(rng: Random, share: float, out: Array) -> None:
    """Fill ``out`` (N, M), column-major, with 1 where a number is kept, probability ``share``, else with 0.

    Four numbers are drawn from 64 random bit_pattern, so that ``share`` counts to the nearest 2⁻¹⁶: for 300 × 512 numbers this
    takes 81 µs, with a number in double precision for each 290. That is done where sixteen bit_pattern are too coarse: where
    fewer than one number in 256 stays or goes. Both number formats are given the same masks.
    """
    if isinstance(rng, np.random.RandomState):
        out[...] = rng.binomial(1, share, out.shape)  # the book's own draw, row by row
    elif COARSE <= share <= 1 - COARSE:
        fill_dropout_mask_16_bit(rng, share, out)
    else:
        np.less(rng.random(out.T.shape), share, out=out.T, casting="unsafe")


def fill_dropout_mask_16_bit(rng: np.random.Generator, share: float, out: Array) -> None:
    """What ``fill_dropout_mask`` does, with sixteen random bit_pattern for each number, along memory."""
    words: Array = rng.bit_generator.random_raw(ceil(out.size / 4))
    numbers = words.astype("<u8", copy=False).view("<u2")[: out.size].reshape(out.T.shape)
    np.less(numbers, round(share * 2**16), out=out.T, casting="unsafe")
