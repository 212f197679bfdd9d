"""The random generators that a network may be given: NumPy's, or the legacy one that the book's program uses."""

import numpy as np

from nncli.data.dataset import Random
from nncli.nn.parameters import Array

__all__ = ["Random", "draw_kept"]


def draw_kept(rng: Random, share: float, out: Array) -> None:
    """Fill ``out`` (N, M), column-major, with 1 where a number is kept, probability ``share``, else with 0."""
    if isinstance(rng, np.random.RandomState):
        out[...] = rng.binomial(1, share, out.shape)  # the book's own draw, row by row
    else:
        rng.random(out=out.T, dtype=out.dtype.type)  # uniform in [0, 1), along memory
        np.less(out, share, out=out, casting="unsafe")
