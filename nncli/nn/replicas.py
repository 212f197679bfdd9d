"""Data parallelism: the rows of a pass are divided among replicas of a network, one per thread.

The limits depend on shapes only, never on the clock, so that results can be repeated. ``nncli profile`` measures a step
on several numbers of threads, ``python -m tests.benchmarks.steps --threads 2`` those of the benchmarks.
"""

from collections.abc import Sequence
from functools import partial
from typing import Protocol

import numpy as np

from nncli.data.dataset import some_weights
from nncli.nn.layers.layer import Layer
from nncli.nn.parameters import Array, Parameters
from nncli.threads import ThreadPool, balanced_slices

MIN_MACS_PER_ACTIVATION = 64  # of a forward pass, from which matrix products take most of the time
MIN_DIVIDED_MACS = 4_000_000  # of a forward pass, from which its products are divided
MIN_DIVIDED_ACTIVATIONS = 500_000  # rows times the columns of all layers, from which rows are divided


def divides_products(layers: Sequence[Layer], widths: Sequence[int], rows: int) -> bool:
    """Whether BLAS divides the matrix products of a training pass among threads, if there are several.

    It does if the products take most of the time of a long step.

    Args:
        layers: those of a network.
        widths: the number of inputs of each layer, and the number of outputs.
        rows: the rows of the pass.
    """
    macs = sum(layer.multiply_adds(inputs) for layer, inputs in zip(layers, widths, strict=False))
    return macs >= MIN_MACS_PER_ACTIVATION * sum(widths) and rows * macs >= MIN_DIVIDED_MACS


def divides_rows(layers: Sequence[Layer], widths: Sequence[int], rows: int) -> bool:
    """Whether the rows of a training pass are divided among threads, if there are several.

    They are if a step is long and its products are not divided, so that element-wise functions take a large part of the
    time; and if no layer couples rows or draws random numbers, which come from one generator. Arguments are those of
    ``divides_products``.
    """
    is_possible = not any(layer.stochastic or layer.couples_rows for layer in layers)
    is_long = rows * sum(widths) >= MIN_DIVIDED_ACTIVATIONS
    return is_possible and is_long and not divides_products(layers, widths, rows)


class Replica(Protocol):
    """A network that computes a part of the rows, with activations and gradients of its own."""

    parameters: Parameters

    def scaled_gradients(
        self, scale: float, inputs: Array, targets: Array, losses: Array | None, weights: Array | None
    ) -> None:
        """Fill the gradients of the loss, without penalties, times a factor."""

    def predict_chunks(self, inputs: Array, outputs: Array, size: int, part: slice) -> None:
        """Fill a part of the outputs at inference, in chunks of ``size`` rows."""


class Replicas:
    """Replicas of a network, one per thread, with the same parameters, and activations and gradients of their own.

        g = Σ N_i / N g_i         N_i rows of part i; the sum is in the order of the parts

    The results depend on the number of threads only, and not on their timing.

    Args:
        networks: the replicas, first the network itself.
        pool: the threads.
    """

    def __init__(self, networks: Sequence[Replica], pool: ThreadPool) -> None:
        self.networks, self.pool = networks, pool

    def accumulate_gradients(self, inputs: Array, targets: Array, losses: Array | None, weights: Array | None) -> None:
        """Fill the gradients of the first network, without penalties, and the losses of the rows if given."""
        networks, tasks = self.networks[: len(inputs)], []
        for network, rows in zip(networks, balanced_slices(len(inputs), len(networks)), strict=True):
            some_losses = losses if losses is None else losses[rows]
            scale = (rows.stop - rows.start) / len(inputs)  # N_i / N
            part = inputs[rows], targets[rows], some_losses, some_weights(weights, rows)
            tasks.append(partial(network.scaled_gradients, scale, *part))
        self.pool.run(tasks)
        total = networks[0].parameters.gradients
        for network in networks[1:]:
            np.add(total, network.parameters.gradients, total)

    def predict(self, inputs: Array, outputs: Array, size: int) -> None:
        """Fill the outputs (N, M) of inputs (N, D), whose chunks of ``size`` rows are those of a single thread.

        Each thread reads its chunks one by one, since the inputs may be rows of a file.
        """
        divided = balanced_slices(len(inputs), self.pool.count, multiple=size)
        tasks = [
            partial(network.predict_chunks, inputs, outputs, size, rows)
            for network, rows in zip(self.networks, divided, strict=False)
        ]
        self.pool.run(tasks)
