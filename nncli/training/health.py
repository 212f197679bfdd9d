"""The health of a network while it learns: norms of gradients, updates and weights by layer, and dead units.

It is observed at logged epochs only. Nothing that training computes changes, and no pass over the data is added: the
gradients are those that are there after the last step of the epoch, and outputs are those of the evaluation.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import prod

import numpy as np

from nncli.experiment.numerics import allow_non_finite
from nncli.nn.kernels.alignment import zeros
from nncli.nn.layers.layer import Layer
from nncli.nn.network import Network
from nncli.nn.parameters import Array
from nncli.nn.shapes import widths
from nncli.nn.trace import forward_methods, observed
from nncli.training.constant_units import ConstantUnits

NORMS = ("gradient_norm", "update_norm", "weight_norm")  # of a trainable layer
DEAD = "dead_fraction"  # of a hidden activation layer


def health_columns(layers: Sequence[Layer], inputs: int) -> tuple[str, ...]:
    """The names of the observed values, such as ``layers.0.gradient_norm`` and ``layers.1.dead_fraction``.

    Args:
        layers: the layers of the network.
        inputs: the number of its inputs.
    """
    columns: list[str] = []
    for index, (layer, width) in enumerate(zip(layers, widths(layers, inputs), strict=False)):
        if layer.shapes(width):
            columns += [_column(index, name) for name in NORMS]
        elif not layer.stochastic and index + 1 < len(layers):
            columns.append(_column(index, DEAD))
    return tuple(columns)


class Health:
    """Observes the last step before a logged epoch, and the evaluation of the training set at it.

        gradient_norm  |g|         g the gradient of the last batch, all parameters of a layer as one vector, clipped if
                                   there is clipping
        update_norm    |w − w'|    w' the parameters before the last step
        weight_norm    |w|
        dead_fraction  units of a hidden activation layer that have the same output for every training row / all units

    Args:
        network: the network that is trained.
    """

    def __init__(self, network: Network) -> None:
        self.network, self.columns = network, health_columns(network.layers, network.widths[0])
        hidden = {index for index in range(len(network.layers)) if _column(index, DEAD) in self.columns}
        methods = forward_methods(network.inference or network)  # which of them computes the evaluation
        self._methods = [each for each in methods if each.operation.layer in hidden]
        self._before = zeros(network.parameters.trainable.shape, network.dtype)
        self._has_step, self._constant = False, ConstantUnits()
        vectors = network.parameters.gradients, self._before, network.parameters.trainable
        self._vectors = {  # the part of each vector that belongs to a layer, by the name of the column of its norm
            _column(index, name): vector[part]
            for index, part in _slices(network).items()
            for name, vector in zip(NORMS, vectors, strict=True)
        }

    def before_step(self) -> None:
        """Copy the parameters before the last step of an epoch that will be logged."""
        self._before[...] = self.network.parameters.trainable
        self._has_step = True

    @contextmanager
    def outputs_observed(self) -> Iterator[None]:
        """Find the dead units in the forward passes over the training set within the context."""
        self._constant = ConstantUnits()
        with self.network.without_replicas(), observed(self._methods, self._constant):
            yield

    @allow_non_finite
    def row(self) -> dict[str, float]:
        """The values at a logged epoch, by column; NaN if no step was observed, or the norm is too large."""
        np.subtract(self.network.parameters.trainable, self._before, out=self._before)  # w − w'
        values = {name: _norm(vector) for name, vector in self._vectors.items()}
        values |= {_column(index, DEAD): self._constant.fraction(index) for index in self._constant.lowest}
        if not self._has_step:
            values |= {name: math.nan for name in values if name.endswith(NORMS[:2])}
        self._has_step = False
        return values


def _slices(network: Network) -> dict[int, slice]:
    """The part of the trainable parameters that belongs to each trainable layer, by its index."""
    slices, start = dict[int, slice](), 0
    for index, (layer, width) in enumerate(zip(network.layers, network.widths, strict=False)):
        size = sum(map(prod, layer.shapes(width).values()))
        if size:
            slices[index] = slice(start, start + size)
            start += size
    return slices


def _norm(vector: Array) -> float:
    """|v|, or NaN if its square is too large for the dtype."""
    square = vector.dot(vector)
    return math.sqrt(square) if math.isfinite(square) else math.nan


def _column(layer: int, name: str) -> str:
    return f"layers.{layer}.{name}"
