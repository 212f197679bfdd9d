"""Estimate of the memory of a training: the arrays that exist at its peak.

Arrays that stay until the end are added to those of the part of the training that needs most: a step, an evaluation, a
checkpoint, or the end. Mapped files do not count, since the system frees their pages when memory is short.
"""

from collections.abc import Collection
from math import ceil, prod
from typing import Any, TypeAlias

import numpy as np

from nncli.config.model import Config
from nncli.data.dataset import BLOCK_BYTES
from nncli.experiment.data_plan import DataPlan
from nncli.experiment.sections import parts
from nncli.experiment.summary import saved_bytes, split_rows, step_rows, training_rows
from nncli.nn.layers.layer import Layer, PassSpec
from nncli.nn.layers.parallel import Group
from nncli.nn.losses.loss import is_fused
from nncli.nn.microbatching import ROWWISE_ROWS, balanced_chunk, can_microbatch, micro_batch_rows
from nncli.nn.network import LOSS_ROWS, MAX_PASSES
from nncli.nn.pass_plan import PassPlan, layers_with_gradient
from nncli.nn.shapes import shapes, widths
from nncli.nn.tensor_parallel import divide, divided_micro_batch_rows, divides

FLOAT64 = np.dtype(np.float64)
OBJECTS = 1 << 20  # bytes of what is not an array
FREED_BLOCKS = 2  # of a file that was read; the allocator keeps their memory

Passes: TypeAlias = dict[tuple[PassSpec, np.dtype[Any]], int]  # number of threads that have one, by spec and dtype


def memory_bytes(config: Config, plan: DataPlan) -> int:
    """Estimate the bytes of all arrays at the peak of a training.

    Args:
        config: a config, which may be partial, but has the sections of layers, loss, optimizer, data and training.
        plan: its data.
    """
    return TrainingMemory(config, plan).peak()


class TrainingMemory:
    """The sizes of the arrays of a training, in bytes.

        N rows of a split, D inputs, M outputs, P trainable parameters, S running statistics

    Args:
        config: that of the training.
        plan: its data.
    """

    def __init__(self, config: Config, plan: DataPlan) -> None:
        self.config, self.plan, self.settings = config, plan, config.training
        self.layers, self.inputs = [layer.build() for layer in config.layers], plan.schema.columns
        self.outputs, self.dtype = widths(self.layers, self.inputs)[-1], np.dtype(config.dtype)
        self.rows, self.trained = split_rows(config, plan), training_rows(config, plan)
        self.batch = max(1, step_rows(config, plan))
        self.is_full_batch, self.threads = self.batch >= self.trained, self.settings.threads
        source = plan.sources.get("data") or config.data.build()
        self.is_read, self.is_read_by_batch = source.is_read, source.is_read_by_batch
        self.has_inference_network = self.is_read and self.dtype != FLOAT64
        self.group = Group(self.threads)
        self.parts = self._parts()
        self.micro_batch = micro_batch_rows(self.layers, self.inputs, self.dtype)
        self.gradients = self.dtype.itemsize * sum(map(prod, shapes(self.layers, self.inputs).values()))  # P
        self.values = saved_bytes(config, plan)  # P + S
        self.state = len(config.optimizer.build().state_names) * self.gradients
        self.best = self.values if self.settings.early_stopping else 0
        logged = self.settings.epochs // self.settings.log_interval + 2
        self.snapshots = min(self.settings.snapshots or 0, logged) * self.values

    def _parts(self) -> list[list[Layer]]:
        """The layers of each process among which training steps are divided; those of the network if they are not."""
        if not divides(self.layers, widths(self.layers, self.inputs), self.batch, self.threads):
            return [self.layers]
        return [part.layers for part in divide(self.layers, self.inputs, self.group)]

    def peak(self) -> int:
        """The sum of what lasts and of the part of the training that needs most."""
        rows, validation = list(self.rows.values()), self.rows.get("validation", self.trained)
        passes = self.training_passes() | self.evaluation_passes([self.trained, validation])
        while_training = max(self._step(), self._evaluation(max(self.trained, validation)), self._checkpoint())
        evaluated = passes | self.evaluation_passes(rows)
        checked = self.learning_passes() | evaluated
        end = max(self._evaluation(validation), self._chunk(self.micro_batch), self.values)  # weights.npz
        lasting = self._objects() + self._data() + self._encoded_targets() + self._batches() + self._vectors()
        return lasting + max(
            self.planned(passes) + while_training,
            self.planned(evaluated) + self._evaluation(max(rows)),
            self.planned(checked) + end,
        )

    def _objects(self) -> int:
        """What is not an array, in each process, and freed memory."""
        return len(self.parts) * OBJECTS + self.is_read * FREED_BLOCKS * BLOCK_BYTES

    def _data(self) -> int:
        """Inputs and targets as they were drawn or read, and those of splits that take some of the rows."""
        rows = sum(schema.rows for schema in self.plan.schemas.values())
        label = 8 if self.is_read else 1  # int64 and uint8
        target = label if self.plan.schema.classes else 8 * self.plan.schema.target_columns
        if not self.is_read:
            return rows * (8 * self.inputs + target)
        read = sum(source.resident_bytes for source in self.plan.sources.values())
        scaled = 0 if self.is_read_by_batch else rows * self.inputs * self.dtype.itemsize
        split = self.plan.schema.rows * (target + 8) if parts(self.config) else 0  # targets and indices
        return read + scaled + rows * target + split

    def _encoded_targets(self) -> int:
        """The encoded targets of the splits that are evaluated while training."""
        return (self.trained + self.rows.get("validation", 0)) * self.outputs * self.dtype.itemsize

    def _batches(self) -> int:
        """A copy of the inputs of a full batch; or a row-major copy of the targets, and buffers of each process."""
        size = self.dtype.itemsize
        if self.is_full_batch:
            return self.trained * self.inputs * size
        copied = self.trained * self.outputs * size if self.outputs > 1 else 0
        buffers = self.batch * (self.inputs * (size if self.is_read else 8) + 2 * self.outputs * size)
        return copied + len(self.parts) * buffers

    def _vectors(self) -> int:
        """Values, gradients, optimizer state, values before a step, best values, snapshots, values in float64.

        If steps are divided, all processes together have a second copy of values, gradients and optimizer state, and
        each worker process keeps a copy of the values as they were when it was forked.
        """
        parts = self.values + self.gradients + self.state if len(self.parts) > 1 else 0
        copies = (len(self.parts) - 1) * self.values
        lasting = parts + copies + self.values + 2 * self.gradients + self.state + self.best + self.snapshots
        if not self.has_inference_network:
            return lasting
        inputs = self.threads * self._evaluation_rows() * self.inputs if self._is_row_major() else 0  # of the last pass
        return lasting + FLOAT64.itemsize * (self.values // self.dtype.itemsize + inputs)

    def _step(self) -> int:
        """The order of the rows, and buffers of exchanges; and the largest of what a step needs one after the other.

        These are rows that are read, the sum of the gradients of micro-batches, and the squares of gradients.
        """
        order = 0 if self.is_full_batch else 8 * self.trained
        has_micro_batches = self._step_rows(self.batch) < self.batch
        is_clipped = getattr(self.config, "clipping", None) is not None
        squares = is_clipped * FLOAT64.itemsize * self.gradients // self.dtype.itemsize
        block = min(BLOCK_BYTES, self._chunk(self.batch)) * (not self.is_full_batch)
        exchanged = 2 * self.dtype.itemsize * self._step_rows(self.batch) * self._exchanged_columns()
        return order + exchanged + max(block, has_micro_batches * self.gradients, squares)

    def _evaluation(self, rows: int) -> int:
        """The outputs of some rows; and a chunk of their inputs, their losses, or what metrics need."""
        size = self.dtype.itemsize
        losses = min(rows, LOSS_ROWS) * (self.outputs + 1) * size
        if rows > LOSS_ROWS:
            losses = rows * size + max(losses, rows * size)
        chunks = self._chunk(self._evaluation_rows()) * (1 + self.has_inference_network)
        metrics = rows * (8 + 1 if self.plan.schema.classes else 3 * 8 * self.outputs)  # classes, or real values
        return rows * self.outputs * size + max(losses, chunks, metrics)

    def _chunk(self, rows: int) -> int:
        """The inputs of some rows, if they are read by batch."""
        return self.is_read_by_batch * min(rows, max(self.rows.values())) * self.inputs * self.dtype.itemsize

    def _checkpoint(self) -> int:
        """The content of a checkpoint, or of snapshots.npz and its arrays."""
        return max(self.values + self.state + self.best, 2 * self.snapshots)

    def _is_row_major(self) -> bool:
        return bool(self.layers[0].prefers_row_major(self.inputs))

    def _evaluation_rows(self) -> int:
        """The rows of a pass at inference; for data that is read from files, always as many."""
        if not self.is_read:
            return self.micro_batch
        return min(micro_batch_rows(self.layers, self.inputs, FLOAT64), ROWWISE_ROWS)

    def _exchanged_columns(self) -> int:
        """The columns of all buffers of exchanges, each of which has two halves."""
        return sum(buffer.columns for buffer in self.group.buffers.values())

    def _step_rows(self, rows: int) -> int:
        """The rows of the largest pass of a step on a batch: a micro-batch, if the batch can be split."""
        if not can_microbatch(self.layers):
            return rows
        return balanced_chunk(rows, divided_micro_batch_rows(self.layers, self.parts, self.inputs, self.dtype))

    def training_passes(self) -> Passes:
        """The micro-batches of a batch, and of the remainder batch."""
        passes: Passes = {}
        row_major = self.parts[0][0].prefers_row_major(self.inputs) and not self.is_full_batch
        for rows in {self.batch, self.trained % self.batch} - {0}:
            for size in _chunk_sizes(rows, self._step_rows(rows)):
                passes[PassSpec(size, True, row_major), self.dtype] = 1
        return passes

    def evaluation_passes(self, splits: Collection[int]) -> Passes:
        """The chunks of splits with these numbers of rows."""
        most = self._evaluation_rows()
        threads = min(self.threads, ceil(max(splits) / most))
        if self.is_read:
            return {(PassSpec(most, False, self._is_row_major()), FLOAT64): threads}
        sizes = set[int]().union(*(_chunk_sizes(rows, most) for rows in splits))
        return {
            (PassSpec(size, False, self._is_row_major()), self.dtype): threads if size == most else 1 for size in sizes
        }

    def learning_passes(self) -> Passes:
        """The first chunk of the training set; others follow only if a layer seems to be dead."""
        return {(PassSpec(min(self.trained, self.micro_batch), False, self._is_row_major()), self.dtype): 1}

    def planned(self, passes: Passes) -> int:
        """The bytes of the arrays of passes, as networks plan them; only the last passes are kept."""
        sizes = [threads * self._planned(*of_pass) for of_pass, threads in passes.items()]
        return sum(sorted(sizes)[-MAX_PASSES:])

    def _planned(self, spec: PassSpec, dtype: np.dtype[Any]) -> int:
        """The bytes of the arrays of a pass: in training those of all processes."""
        if not spec.training:
            return PassPlan(spec, self.layers, self.inputs, dtype).resident_bytes
        fused = is_fused(self.layers[-1], self.config.loss.build())
        return sum(
            PassPlan(spec, layers, self.inputs, dtype, layers_with_gradient(layers, self.inputs, fused)).resident_bytes
            for layers in self.parts
        )


def _chunk_sizes(rows: int, most: int) -> set[int]:
    """The sizes of the chunks of some rows: the given one, and that of the remainder."""
    return {min(rows, most), rows % most} - {0}
