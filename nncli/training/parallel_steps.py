"""The steps of a training, each divided among processes by tensor parallelism."""

import copy
from collections.abc import Iterator
from functools import reduce
from operator import add

import numpy as np

from nncli.data.batches import Batches
from nncli.errors import WorkerError
from nncli.experiment.numerics import allow_non_finite
from nncli.nn.clipping import Clipping
from nncli.nn.kernels.alignment import CACHE_LINE
from nncli.nn.kernels.blas import one_blas_thread
from nncli.nn.layers.parallel import Group
from nncli.nn.network import Network
from nncli.nn.optimizers.optimizer import Optimizer
from nncli.nn.parameters import Array
from nncli.nn.tensor_parallel import Part, divide, divided_micro_batch_rows
from nncli.processes import WorkerProcesses, shared_zeros

GRADIENTS, UPDATE = range(2)  # what the processes compute
FOR_CHECK, FOR_CLIPPING = range(2)  # why a process adds the squares of its gradients: the column of the sum
FLOAT64 = np.dtype(np.float64)


class _Shard:
    """What one process computes: a part of the network, and the optimizer of its parameters.

    Args:
        whole: the whole network.
        optimizer: its optimizer.
        part: the layers of this process.
    """

    def __init__(self, whole: Network, optimizer: Optimizer, part: Part) -> None:
        self.network = Network(
            part.layers, copy.copy(whole.loss), whole.widths[0], whole.dtype, whole.is_fused, allocate=shared_zeros
        )
        own, self.optimizer = self.network.parameters, copy.copy(optimizer)
        self.optimizer.attach(own.trainable, own.gradients, optimizer.schedule, shared_zeros)
        self._part, self._whole, self._whole_state = part, whole.parameters, optimizer.state
        self.gradients = own.gradients

    def load(self) -> None:
        """Copy values and optimizer state of the whole network to this part."""
        for whole, own in self._values():
            own[...] = whole

    def store(self) -> None:
        """Copy values, gradients and optimizer state of this part to the whole network."""
        for whole, own in (*self._values(), *self._views(self._whole.gradients, self.gradients)):
            whole[...] = own

    def _values(self) -> Iterator[tuple[Array, Array]]:
        yield from self._views(self._whole.values, self.network.parameters.values)
        for name, state in self.optimizer.state.items():
            yield from self._views(self._whole_state[name], state)

    def _views(self, whole: Array, own: Array) -> Iterator[tuple[Array, Array]]:
        """The arrays of this part in two vectors of the same kind."""
        whole_views, own_views = self._whole.views(whole), self.network.parameters.views(own)
        for own_name, (name, index) in self._part.sources.items():
            if own_name in own_views:
                yield whole_views[name][index], own_views[own_name]


class ParallelSteps:
    """Computes the steps of a training in several processes, each with a part of the network and of the optimizer.

    The parts have parameters, gradients and optimizer states of their own: ``load`` copies those of the whole
    network to them, ``store`` copies them back. The worker processes start with this object; ``close`` ends them.

    Args:
        network: the network that is trained.
        optimizer: its optimizer.
        batches: the batches of the training set.
        count: the number of processes, which ``can_divide`` allows.
        clipping: the gradient clipping, if any.
        losses: if given, filled with the loss of each row of a batch (N,), without penalties.
    """

    def __init__(
        self,
        network: Network,
        optimizer: Optimizer,
        batches: Batches,
        count: int,
        clipping: Clipping | None = None,
        losses: Array | None = None,
    ) -> None:
        batches.share_order()
        self._optimizer, self._batches, self._clipping, self._losses = optimizer, batches, clipping, losses
        group = Group(count)
        parts = divide(network.layers, network.widths[0], group)
        self._shards = [_Shard(network, optimizer, part) for part in parts]
        divided = [part.layers for part in parts]
        rows = divided_micro_batch_rows(network.layers, divided, network.widths[0], network.dtype)
        for shard in self._shards:
            shard.network.micro_batch_rows = rows
        group.allocate(min(rows, batches.size) if network.can_microbatch else batches.size, network.dtype)
        self._squares = shared_zeros((count, CACHE_LINE // FLOAT64.itemsize), FLOAT64)  # a line of each process
        self._processes: WorkerProcesses | None = WorkerProcesses(count, self._compute, group.barrier)
        self.load()
        with one_blas_thread():  # which the processes keep
            allow_non_finite(self._processes.start)()  # now: later forks would also keep the arrays of evaluations

    def load(self) -> None:
        """Copy the training state to the parts."""
        for shard in self._shards:
            shard.load()
        self._is_stored = True

    def store(self) -> None:
        """Copy the training state of the parts, and the gradients, to the whole network and its optimizer."""
        if not self._is_stored:
            for shard in self._shards:
                shard.store()
            self._optimizer.last_coefficients = self._shards[0].optimizer.last_coefficients
        self._is_stored = True

    def close(self) -> None:
        """End the worker processes, store the training state, and free the parts; no more steps are possible then."""
        processes, self._processes = self._processes, None  # it refers to this object, which would keep the batches
        try:
            if processes:
                processes.close()
        finally:
            self.store()
            self._shards.clear()
            self._batches.share_order(False)

    def gradients(self, batch: slice) -> float:
        """Compute the gradients on a batch of ``Batches.epoch``; return the sum of their squares.

        Raises:
            WorkerError: a worker process has ended, such as by a signal.
        """
        self._run(GRADIENTS, batch.start, batch.stop)
        return self._sum_of_squares(FOR_CHECK)

    def update(self) -> None:
        """Clip the gradients, and update the parameters.

        Raises:
            WorkerError: as for ``gradients``.
        """
        self._run(UPDATE, self._optimizer.updates)
        self._optimizer.updates += 1

    def _run(self, task: int, *arguments: int) -> None:
        """Compute a task in all processes, which changes the training state; an error ends them."""
        if not self._processes:
            raise RuntimeError("the processes that divide steps have ended")
        self._is_stored = False
        try:
            self._processes.run(task, *arguments)
        except BaseException as error:
            self.close()  # the processes may be at different places of the step
            if isinstance(error, WorkerError):
                raise WorkerError(f"{error}; if it happens again, train a new run with fewer threads") from None
            raise

    def _sum_of_squares(self, purpose: int) -> float:
        """The sum over the processes, which is infinite if it is too large."""
        squares: list[float] = self._squares[:, purpose].tolist()
        return reduce(add, squares)  # from Python 3.12 on, sum() rounds in another way

    def _compute(self, rank: int, task: int, *arguments: int) -> None:
        """Compute what a task needs of the process with this rank."""
        if task == GRADIENTS:
            self._compute_gradients(rank, slice(*arguments))
        else:
            self._update_part(rank, *arguments)

    def _compute_gradients(self, rank: int, batch: slice) -> None:
        shard, squares = self._shards[rank], self._squares[rank]
        inputs, targets, weights = self._batches.gather(batch)
        losses = self._losses[: len(inputs)] if rank == 0 and self._losses is not None else None
        shard.network.forward_backward(inputs, targets, losses, weights)
        squares[FOR_CHECK] = shard.gradients.dot(shard.gradients)
        if self._clipping:
            squares[FOR_CLIPPING] = self._clipping.squares(shard.gradients)

    def _update_part(self, rank: int, updates: int) -> None:
        shard = self._shards[rank]
        shard.optimizer.updates = updates
        if self._clipping:
            self._clipping.clip(shard.gradients, self._sum_of_squares(FOR_CLIPPING))
        shard.optimizer.step()
