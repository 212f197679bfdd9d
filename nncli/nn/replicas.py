"""Several threads for one network: the rows of a pass are divided among replicas of it."""

from collections.abc import Sequence
from functools import partial
from typing import Protocol

import numpy as np

from nncli.data.dataset import some_weights
from nncli.nn.layers.layer import Layer
from nncli.nn.parameters import Array, Parameters
from nncli.threads import Threads, parts

MIN_REUSE = 64  # multiply-adds per activation from which matrix products take most of the time
MIN_DIVIDED_MULTIPLY_ADDS = 4_000_000  # of a forward pass, from which its products are divided
MIN_DIVIDED_ACTIVATIONS = 500_000  # rows times the columns of all layers, from which rows are divided


def divides_products(layers: Sequence[Layer], widths: Sequence[int], rows: int) -> bool:
    """Whether BLAS divides the matrix products of a training pass among threads, if there are several.

    It does if the products take most of the time of a long step.

    Args:
        layers: those of a network.
        widths: the number of inputs of each layer, and the number of outputs.
        rows: the rows of the pass.
    """
    multiply_adds = sum(layer.multiply_adds(inputs) for layer, inputs in zip(layers, widths, strict=False))
    return multiply_adds >= MIN_REUSE * sum(widths) and rows * multiply_adds >= MIN_DIVIDED_MULTIPLY_ADDS


def divides_rows(layers: Sequence[Layer], widths: Sequence[int], rows: int) -> bool:
    """Whether the rows of a training pass are divided among threads, if there are several.

    They are if element-wise functions take a large part of the time of a long step, and if no layer couples rows or
    draws random numbers, which come from one generator. Arguments are those of ``divides_products``.
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
        threads: the threads.
    """

    def __init__(self, networks: Sequence[Replica], threads: Threads) -> None:
        self.networks, self.threads = networks, threads

    def accumulate_gradients(self, inputs: Array, targets: Array, losses: Array | None, weights: Array | None) -> None:
        """Fill the gradients of the network, without penalties, and the losses of the rows."""
        networks, tasks = self.networks[: len(inputs)], []
        for network, rows in zip(networks, parts(len(inputs), len(networks)), strict=True):
            some_losses = losses if losses is None else losses[rows]
            given = inputs[rows], targets[rows], some_losses, some_weights(weights, rows)
            tasks.append(partial(network.scaled_gradients, (rows.stop - rows.start) / len(inputs), *given))
        self.threads.run(tasks)
        total = networks[0].parameters.gradients
        for network in networks[1:]:
            np.add(total, network.parameters.gradients, total)

    def predict(self, inputs: Array, outputs: Array, size: int) -> None:
        """Fill the outputs (N, M) of inputs (N, D), whose chunks of ``size`` rows are those of a single thread.

        Each thread reads its chunks one by one, since the inputs may be rows of a file.
        """
        divided = parts(len(inputs), self.threads.count, multiple=size)
        tasks = [
            partial(network.predict_chunks, inputs, outputs, size, rows)
            for network, rows in zip(self.networks, divided, strict=False)
        ]
        self.threads.run(tasks)
