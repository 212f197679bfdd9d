"""Micro-batches: how many rows pass through a network at once, so that the activations stay in the cache."""

from collections.abc import Sequence
from math import ceil, prod
from typing import Any

import numpy as np

from nncli.nn.kernels.products import MAX_UNPACKED
from nncli.nn.layers.layer import Layer
from nncli.nn.parameters import Array
from nncli.nn.shapes import shapes, widths

# inputs and outputs of all layers for one micro-batch; larger ones no longer fit the level-2 cache
MICRO_BATCH_BYTES = 2 << 20
# at least this many values per trainable parameter: each micro-batch also reads all weights and adds all gradients
MIN_ACTIVATIONS_PER_PARAMETER = 2
MIN_UNPACKED_ROWS = 256  # in smaller micro-batches the calls take too much of the time
ROWWISE_ROWS = 256  # rows of each pass at inference if the outputs of a row must not depend on their number


def micro_batch_rows(layers: Sequence[Layer], inputs: int, dtype: np.dtype[Any]) -> int:
    """The largest number of rows in a micro-batch, at least one.

    Inputs and outputs of all layers take ``MICRO_BATCH_BYTES``, or, in a network with many parameters,
    ``MIN_ACTIVATIONS_PER_PARAMETER`` values per trainable parameter. In a network with few parameters, each matrix
    product is small enough for BLAS to compute it without packing, see ``products``.
    """
    parameters = sum(map(prod, shapes(layers, inputs).values()))
    activations = max(MICRO_BATCH_BYTES // dtype.itemsize, MIN_ACTIVATIONS_PER_PARAMETER * parameters)
    rows = max(1, activations // sum(widths(layers, inputs)))
    largest = max((prod(shape) for shape in shapes(layers, inputs).values()), default=1)
    unpacked = MAX_UNPACKED // largest
    return min(rows, unpacked) if unpacked >= MIN_UNPACKED_ROWS else rows


def balanced_chunk(rows: int, limit: int) -> int:
    """The chunk size that splits rows into the fewest chunks of at most ``limit`` rows, as equal as possible."""
    return ceil(rows / ceil(rows / limit))


def can_microbatch(layers: Sequence[Layer]) -> bool:
    """Whether a training pass can be split into micro-batches without changing its result.

    It cannot if a layer couples rows, as batch normalization does, or if several layers draw random numbers:
    micro-batches would interleave their draws.
    """
    return sum(layer.stochastic for layer in layers) <= 1 and not any(layer.couples_rows for layer in layers)


def padded_rows(rows: Array, size: int) -> Array:
    """Rows (N, D) followed by copies of the last one up to (size, D); unchanged if there are that many."""
    missing = size - len(rows)
    return np.concatenate([rows, np.repeat(rows[-1:], missing, axis=0)]) if missing else rows
