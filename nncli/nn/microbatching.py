"""Micro-batches: how many rows pass through a network at once."""

from collections.abc import Sequence
from math import ceil, prod
from typing import Any

import numpy as np

from nncli.nn.layers.layer import Layer
from nncli.nn.shapes import shapes, widths

# bytes of inputs and of the layers' outputs that pass through a network at once: a step of 2-512-3 with 3,000 rows
# takes 1.15 ms so, 1.28 with half of them, 1.94 with half more, which no longer fit the cache
MICRO_BATCH_BYTES = 2 << 20
# but no fewer numbers than so many times those that are trained: each portion costs a pass over the weights, and one
# over the sum of gradients; a step of 784-1024-1024-10 with 128 rows takes 8.3 ms so, 10.3 in portions of two megabytes
MIN_ACTIVATIONS_PER_PARAMETER = 2


def micro_batch_rows(layers: Sequence[Layer], inputs: int, dtype: np.dtype[Any]) -> int:
    """How many rows pass through a network at once: as many as ``MICRO_BATCH_BYTES`` and ``MIN_ACTIVATIONS_PER_PARAMETER`` allow, at least one.

    Inputs and what the layers put out for these rows are counted.
    """
    trained = sum(map(prod, shapes(layers, inputs).values()))
    numbers = max(MICRO_BATCH_BYTES // dtype.itemsize, MIN_ACTIVATIONS_PER_PARAMETER * trained)
    return max(1, numbers // sum(widths(layers, inputs)))


def balanced_chunk(rows: int, portion: int) -> int:
    """The size of all parts but the last where so many rows go in parts as equal as can be, none above a portion."""
    return ceil(rows / ceil(rows / portion))


def can_microbatch(layers: Sequence[Layer]) -> bool:
    """Whether a training pass over many rows may be made in portions.

    Not where a layer mixes rows; nor where several draw random numbers, all of a layer's before the next one's.
    """
    return sum(layer.stochastic for layer in layers) <= 1 and not any(layer.couples_rows for layer in layers)
