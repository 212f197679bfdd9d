"""Tensor parallelism: the units of a network are divided among members, each of which has a network of its own.

    X → Dense → ReLU → Dense → ReduceScatter → ReLU → Dense → AllReduce → Softmax
    D   M/T     M/T    K       K/T             K/T    C       C           C           columns in each of T members

Activations are complete if each member has all of their columns, and divided if each member has some of them.

A dense layer is column-parallel if its inputs are complete: a member has some columns of W, and computes some of the
units. It is row-parallel if its inputs are divided: a member has some rows of W, and computes a term (a partial sum) of
each unit; the members then exchange their terms, and add them. The layers between two dense layers work on each column
alone. Each parameter belongs to one member, which computes its gradient alone: gradients of parameters are not
exchanged.
"""

import copy
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from nncli.nn.layers.dense import Dense
from nncli.nn.layers.dropout import Dropout
from nncli.nn.layers.layer import Layer
from nncli.nn.layers.parallel import (
    AllGather,
    AllReduce,
    Group,
    Member,
    ReduceScatter,
    RowParallelDense,
    SharedDropout,
)
from nncli.nn.microbatching import micro_batch_rows
from nncli.nn.shapes import widths
from nncli.processes import CAN_FORK
from nncli.threads import balanced_slices

ALL = slice(None)
# multiply-accumulate operations (MACs) that take as long as
MACS_PER_ACTIVATION = 16  # the element-wise functions of one activation
MACS_PER_EXCHANGE = 64  # the exchange of one activation between two cores that share no cache
MIN_DIVIDED_MACS = 2_000_000  # of the forward pass of a step, less those of exchanges: with fewer it is not divided


class Part(NamedTuple):
    """The layers of one member.

    Args:
        layers: its layers.
        sources: by the name of each of its parameters: the name in the whole network, and the index of this part there.
    """

    layers: list[Layer]
    sources: dict[str, tuple[str, Any]]


def can_divide(layers: Sequence[Layer], inputs: int, count: int) -> bool:
    """Whether a network can be divided among members.

    Each member needs at least one column of all divided activations. The first layer with parameters has to be dense,
    and all others have to have divided inputs: with complete inputs, the parameters of batch normalization would belong
    to all members, and a dense layer would have to add the gradients of its inputs over the members.

    Args:
        layers: those of the network.
        inputs: its number of input columns.
        count: the number of members.
    """
    divided, columns = _divided_activations(layers), widths(layers, inputs)
    is_wide = all(width >= count for width, is_divided in zip(columns, divided, strict=True) if is_divided)
    trainable = [index for index, layer in enumerate(layers) if layer.shapes(1)]
    starts_dense = bool(trainable) and isinstance(layers[trainable[0]], Dense)
    return is_wide and starts_dense and all(divided[index] for index in trainable[1:])


def divides(layers: Sequence[Layer], columns: Sequence[int], rows: int, count: int) -> bool:
    """Whether the steps of a training are divided among processes: it is possible, and a step is long enough.

    The rule depends on shapes only, never on the clock, so that results can be repeated. ``nncli profile`` measures a
    step on several numbers of threads.

    Args:
        layers: those of the network.
        columns: the number of inputs of each layer, and the number of outputs.
        rows: the rows of a step.
        count: the number of processes.
    """
    if count == 1 or not CAN_FORK or not can_divide(layers, columns[0], count):
        return False
    divided, macs = _divided_activations(layers), MACS_PER_ACTIVATION * sum(columns)
    for layer, inputs, outputs, is_divided in zip(layers, columns, columns[1:], divided, strict=False):
        macs += layer.multiply_adds(inputs)
        macs -= MACS_PER_EXCHANGE * outputs * (is_divided and isinstance(layer, Dense))
    return rows * macs >= MIN_DIVIDED_MACS


def _divided_activations(layers: Sequence[Layer]) -> list[bool]:
    """Whether activations are divided: the inputs of each layer, and last the outputs of the network."""
    divided = [False]
    for index, layer in enumerate(layers):
        if isinstance(layer, Dense):
            divided.append(not (divided[-1] and _need_complete_inputs(layers[index + 1 :])))
        else:
            divided.append(divided[-1] and not _need_complete_inputs(layers[index:]))
    return divided


def _need_complete_inputs(layers: Sequence[Layer]) -> bool:
    """Whether a layer that couples columns, or the loss, comes before the next layer with parameters."""
    for layer in layers:
        if layer.couples_columns or layer.shapes(1):
            return layer.couples_columns
    return True


def divide(layers: Sequence[Layer], inputs: int, group: Group) -> list[Part]:
    """The layers of each member of a group.

    Args:
        layers: those of a network that ``can_divide`` allows.
        inputs: its number of input columns.
        group: the group, which gets the buffers of all exchanges.
    """
    return [_PartBuilder(layers, inputs, Member(group, rank)).build() for rank in range(group.count)]


def divided_micro_batch_rows(
    layers: Sequence[Layer], parts: Sequence[Sequence[Layer]], inputs: int, dtype: np.dtype[Any]
) -> int:
    """The largest number of rows in a micro-batch, which is the same for all members.

    It is the least of the parts; with dropout that of the whole network, since the masks depend on it.

    Args:
        layers: those of the network.
        parts: the layers of each member.
        inputs: the number of input columns.
        dtype: of the activations.
    """
    if any(layer.stochastic for layer in layers):
        return micro_batch_rows(layers, inputs, dtype)
    return min(micro_batch_rows(part, inputs, dtype) for part in parts)


class _PartBuilder:
    """Builds the layers of one member."""

    def __init__(self, layers: Sequence[Layer], inputs: int, member: Member) -> None:
        self.whole, self.member, self.group = layers, member, member.group
        self.widths, self.divided = widths(layers, inputs), _divided_activations(layers)
        self.part = Part([], {})

    def build(self) -> Part:
        """The layers of this member."""
        for index, layer in enumerate(self.whole):
            if not isinstance(layer, Dense):
                self._add_column_wise(index, layer)
            elif self.divided[index]:
                self._add_row_parallel(index, layer)
            else:
                self._add_column_parallel(index, layer)
        if self.divided[-1]:
            self._gather(len(self.whole))
        return self.part

    def _columns(self, index: int) -> slice:
        """The columns that this member has of the inputs of a layer, or of the outputs of the one before."""
        width, group = self.widths[index], self.group
        return balanced_slices(width, group.count)[self.member.rank] if self.divided[index] else slice(0, width)

    def _add(self, index: int, layer: Layer, **sources: Any) -> None:
        """Add a layer; the source of each of its parameters is its index in that of the whole layer."""
        own = len(self.part.layers)
        self.part.layers.append(layer)
        self.part.sources.update(
            {f"layers.{own}.{name}": (f"layers.{index}.{name}", part) for name, part in sources.items()}
        )

    def _add_column_parallel(self, index: int, layer: Dense) -> None:
        """A column-parallel layer."""
        columns, part = self._columns(index + 1), copy.copy(layer)
        part.units = columns.stop - columns.start
        self._add(index, part, weights=(ALL, columns), biases=columns)

    def _add_row_parallel(self, index: int, layer: Dense) -> None:
        """A row-parallel layer, and the exchange of its terms."""
        is_first, group, columns = self.member.rank == 0, self.group, self._columns(index + 1)
        biases = {"biases": ALL} if is_first else {}
        self._add(index, RowParallelDense(layer, is_first), weights=self._columns(index), **biases)
        buffers = [group.buffer(f"{index}.term.{rank}", layer.units) for rank in range(group.count)]
        if self.divided[index + 1]:
            gradient = group.buffer(f"{index}.gradient", layer.units)
            self._add(index, ReduceScatter(self.member, columns, *buffers, gradient))
        else:
            self._add(index, AllReduce(self.member, *buffers))

    def _add_column_wise(self, index: int, layer: Layer) -> None:
        """A layer that works on each column alone, or on complete inputs, which are gathered first if they are not."""
        columns, part = self._columns(index + 1), copy.copy(layer)
        if self.divided[index] and not self.divided[index + 1]:
            self._gather(index)
        if isinstance(layer, Dropout):
            part = SharedDropout(layer, self.member, columns, self.group.buffer(f"{index}.mask", self.widths[index]))
        width = self.widths[index]
        self._add(index, part, **dict.fromkeys([*layer.shapes(width), *layer.statistics(width)], columns))

    def _gather(self, index: int) -> None:
        """The exchange that makes the inputs of a layer complete, or the outputs of the network."""
        width = self.widths[index]
        gather = AllGather(self.member, self._columns(index), width, self.group.buffer(f"{index}.gathered", width))
        self._add(index, gather)
