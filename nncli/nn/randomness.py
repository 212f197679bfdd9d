"""The random generators that a network may be given: NumPy's, or the legacy one that the book's program uses."""

from math import ceil

import numpy as np

from nncli.data.dataset import Random
from nncli.nn.parameters import Array

__all__ = ["Random", "draw_kept"]


def draw_kept(rng: Random, share: float, out: Array) -> None:
    """Fill ``out`` (N, M), column-major, with 1 where a number is kept, probability ``share``, else with 0.

    Four numbers are drawn from 64 random bits, and ``share`` counts to the nearest 2⁻¹⁶: for 300 × 512 numbers this
    takes 81 µs, with a number in single precision for each 217. Both number formats are given the same masks.
    """
    if isinstance(rng, np.random.RandomState):
        out[...] = rng.binomial(1, share, out.shape)  # the book's own draw, row by row
        return
    words: Array = rng.bit_generator.random_raw(ceil(out.size / 4))
    numbers = words.astype("<u8", copy=False).view("<u2")[: out.size].reshape(out.T.shape)  # along memory
    np.less(numbers, round(share * 2**16), out=out.T, casting="unsafe")
