"""Layers of the members of a tensor-parallel network, and what the members share.

Each member is a process with some of the units of each layer, see ``tensor_parallel``. It exchanges activations with
the others in shared memory.

Source: Shoeybi et al. 2019, arXiv:1909.08053, section 3; the exchanges (collective operations) have the names of MPI.
"""

from collections.abc import Mapping
from itertools import cycle
from typing import Any, NamedTuple

import numpy as np

from nncli.nn.layers.dense import Dense
from nncli.nn.layers.dropout import Dropout
from nncli.nn.layers.layer import Layer, PassSpec
from nncli.nn.parameters import Array
from nncli.processes import Barrier, shared_zeros


class Buffer:
    """A double buffer: shared memory for two arrays (N, M), its halves, which passes use in turn.

    A member that has begun the next pass thus does not overwrite what another one still reads; it cannot be two passes
    ahead, since the members wait for each other in every pass.

    Args:
        columns: M.
    """

    def __init__(self, columns: int) -> None:
        self.columns = columns
        self.halves: tuple[Array, ...] = ()

    def allocate(self, rows: int, dtype: np.dtype[Any]) -> None:
        """Allocate both halves, for passes of at most N rows."""
        self.halves = tuple(shared_zeros((rows, self.columns), dtype, "F") for _ in range(2))


class Group:
    """What the members of a tensor-parallel network share: a barrier, and buffers for what they exchange.

    Args:
        count: the number of members.
    """

    def __init__(self, count: int) -> None:
        self.count, self.barrier = count, Barrier(count)
        self.buffers: dict[str, Buffer] = {}

    def buffer(self, name: str, columns: int) -> Buffer:
        """The buffer of this name, which is the same for all members."""
        return self.buffers.setdefault(name, Buffer(columns))

    def allocate(self, rows: int, dtype: np.dtype[Any]) -> None:
        """Allocate all buffers, for passes of at most this number of rows, before the members are forked."""
        for buffer in self.buffers.values():
            buffer.allocate(rows, dtype)


class Member(NamedTuple):
    """A member of a group, by its number from 0 on: the rank."""

    group: Group
    rank: int

    def wait(self) -> None:
        """Wait until all members are here."""
        self.group.barrier.wait(self.rank)


class RowParallelDense(Dense):
    """A dense layer with some rows of W, for some columns of X: its outputs are a term (partial sum) of X W + b.

    The biases belong to the first member; those of the others stay 0.

    Args:
        layer: the whole layer.
        is_first: whether this is the first member.
    """

    def __init__(self, layer: Dense, is_first: bool) -> None:
        bias_penalties = (layer.bias_l1, layer.bias_l2) if is_first else (0.0, 0.0)
        super().__init__(layer.units, layer.l1, layer.l2, *bias_penalties)
        self.has_biases = is_first

    def parameter_gradients(self) -> None:
        """dL/dW, and dL/db in the first member."""
        super().parameter_gradients()
        if not self.has_biases:
            self.d_biases[...] = 0


class _Exchange(Layer):
    """The base of the layers that exchange activations between the members.

    Args:
        member: this one.
        buffers: the shared buffers of this layer, which all members have.
    """

    def __init__(self, member: Member, *buffers: Buffer) -> None:
        self.member, self.buffers, self._half = member, buffers, cycle((0, 1))

    def bind(self, spec: PassSpec, arrays: Mapping[str, Array]) -> None:
        """Extend ``Layer.bind`` with the rows of the buffers that the pass needs."""
        super().bind(spec, arrays)
        self._halves = [[buffer.halves[half][: spec.rows] for buffer in self.buffers] for half in (0, 1)]

    def next_half(self) -> list[Array]:
        """The half of each buffer for this pass, with its rows."""
        return self._halves[next(self._half)]


class AllReduce(_Exchange):
    """All-reduce: every member gets Y = Σ X_k, the sum over the members k; dL/dX_k = dL/dY.

    Args:
        member: this one.
        buffers: one (N, M) for each member.
    """

    def forward(self) -> Array:
        """Y = Σ X_k."""
        terms = self.next_half()
        terms[self.member.rank][...] = self.inputs
        self.member.wait()
        return _sum(terms, slice(None), self.outputs)

    def backward(self) -> Array:
        """dL/dX = dL/dY."""
        self.d_inputs[...] = self.d_outputs
        return self.d_inputs


class ReduceScatter(_Exchange):
    """Reduce-scatter: every member gets some columns of Y = Σ X_k, the sum over the members k; dL/dX_k = dL/dY.

    Each member has some columns of dL/dY, and needs all of them: the backward pass is an all-gather.

    Args:
        member: this one.
        columns: those that this member gets.
        buffers: one (N, M) for each member, and one for the gradient.
    """

    def __init__(self, member: Member, columns: slice, *buffers: Buffer) -> None:
        super().__init__(member, *buffers)
        self.columns = columns

    def width(self, inputs: int) -> int:
        """The number of columns of this member."""
        return len(range(inputs)[self.columns])

    def forward(self) -> Array:
        """The columns of Y = Σ X_k."""
        *terms, self._gradient = self.next_half()
        terms[self.member.rank][...] = self.inputs
        self.member.wait()
        return _sum(terms, self.columns, self.outputs)

    def backward(self) -> Array:
        """dL/dX = dL/dY, with the columns of all members."""
        self._gradient[:, self.columns] = self.d_outputs
        self.member.wait()
        self.d_inputs[...] = self._gradient
        return self.d_inputs


class AllGather(_Exchange):
    """All-gather: every member gets Y (N, M), the columns X_k of all members k; dL/dX_k are the same columns of dL/dY.

    All members compute the same dL/dY, so that the backward pass needs no exchange.

    Args:
        member: this one.
        columns: those of this member in Y.
        outputs: M.
        buffer: one (N, M).
    """

    def __init__(self, member: Member, columns: slice, outputs: int, buffer: Buffer) -> None:
        super().__init__(member, buffer)
        self.columns, self._outputs = columns, outputs

    def width(self, inputs: int) -> int:
        """M."""
        return self._outputs

    def forward(self) -> Array:
        """Y, with the columns of all members."""
        (gathered,) = self.next_half()
        gathered[:, self.columns] = self.inputs
        self.member.wait()
        self.outputs[...] = gathered
        return self.outputs

    def backward(self) -> Array:
        """The columns of dL/dY of this member."""
        self.d_inputs[...] = self.d_outputs[:, self.columns]
        return self.d_inputs


class SharedDropout(Dropout):
    """Dropout of some columns; the first member draws the mask of all columns, as the whole layer would.

    Args:
        layer: the whole layer.
        member: this one.
        columns: those of this member.
        buffer: one (N, M) for the mask of all columns.
    """

    def __init__(self, layer: Dropout, member: Member, columns: slice, buffer: Buffer) -> None:
        super().__init__(layer.rate)
        self._whole, self.member, self.columns = layer, member, columns
        self._buffer, self._half = buffer, cycle((0, 1))

    def draw(self) -> None:
        """Fill the mask with the columns of K / (1 − q), see ``Dropout``; the first member draws K."""
        mask = self._buffer.halves[next(self._half)][: len(self.mask)]
        if self.member.rank == 0:
            self._whole.fill(mask)
        self.member.wait()
        self.mask[...] = mask[:, self.columns]


def _sum(terms: list[Array], columns: slice, out: Array) -> Array:
    """The sum of some columns of the terms, added in the order of the members, so that all get the same bits."""
    first, second, *others = terms
    np.add(first[:, columns], second[:, columns], out=out)
    for term in others:
        np.add(out, term[:, columns], out=out)
    return out
