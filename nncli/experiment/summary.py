"""Model summary before training: layers, shapes, parameters, memory and multiply-accumulate operations."""

from collections.abc import Sequence
from math import ceil, prod
from typing import Any, NamedTuple

import numpy as np

from nncli.config.model import Config
from nncli.data.folds import fold_size
from nncli.data.split import split_sizes
from nncli.experiment.data_plan import DataPlan
from nncli.experiment.sections import fractions, validation_fold
from nncli.nn.layers.layer import Layer, Pass
from nncli.nn.losses.loss import is_fused
from nncli.nn.microbatching import balanced_chunk, can_microbatch, micro_batch_rows
from nncli.nn.pass_plan import PassPlan, layers_with_gradient
from nncli.nn.shapes import shapes, statistics, widths

COPIES = 6  # per output column and row of data: encoded targets twice, outputs, and temporaries of the loss
SNAPSHOT_COPIES = 3  # of each snapshot: its vector, all of them stacked, and the file being written
VECTORS = 9  # of all parameters: values, gradients, two moments, best weights, those of the last step, and a checkpoint


class LayerSummary(NamedTuple):
    """One layer: its input and output columns, trainable parameters, and MACs per row of a forward pass."""

    type: str
    inputs: int
    outputs: int
    parameters: int
    multiply_adds: int


def summarize(config: Config, plan: DataPlan) -> list[LayerSummary]:
    """Summarize each layer; needs the sections layers and data."""
    layers = [layer.build() for layer in config.layers]
    columns = widths(layers, plan.schema.columns)
    return [
        LayerSummary(
            component.type,
            columns[index],
            columns[index + 1],
            sum(map(prod, layer.shapes(columns[index]).values())),
            layer.multiply_adds(columns[index]),
        )
        for index, (component, layer) in enumerate(zip(config.layers, layers, strict=True))
    ]


def split_rows(config: Config, plan: DataPlan) -> dict[str, int]:
    """The number of rows in each split; needs data, validation and test."""
    if plan.rows is not None:
        return dict(plan.rows)
    sizes = [split_sizes(count, fractions(config)) for count in plan.schema.class_counts]
    rows = {name: sum(each[name] for each in sizes) for name in sizes[0]}
    if fold := validation_fold(config):
        size = fold_size(rows["training"], fold)
        rows |= {"training": rows["training"] - size, "validation": size}
    return rows | {name: schema.rows for name, schema in plan.schemas.items() if name != "data"}


def training_rows(config: Config, plan: DataPlan) -> int:
    """The number of rows in the training set; needs data, validation and test."""
    return split_rows(config, plan)["training"]


def step_rows(config: Config, plan: DataPlan) -> int:
    """The number of rows of one training step."""
    rows = training_rows(config, plan)
    return min(config.training.batch_size or rows, rows)


def batches_per_epoch(config: Config, plan: DataPlan) -> int:
    """The number of training steps per epoch, a smaller last one included."""
    return ceil(training_rows(config, plan) / max(1, step_rows(config, plan)))


def step_macs(config: Config, plan: DataPlan, rows: int) -> int:
    """MACs of a training step: forward pass, weight gradients, and input gradients above the first trainable layer."""
    macs = [layer.multiply_adds for layer in summarize(config, plan)]
    first = next((count for count in macs if count), 0)
    return rows * (3 * sum(macs) - first)


def memory_bytes(config: Config, plan: DataPlan) -> int:
    """Estimate the bytes of all arrays during training: data, activations and gradients, parameters."""
    layers, dtype = summarize(config, plan), np.dtype(config.dtype)
    rows = sum(schema.rows for schema in plan.schemas.values())
    inputs, outputs = layers[0].inputs, layers[-1].outputs
    parameters = VECTORS * sum(layer.parameters for layer in layers)
    values = 2 * _converted_rows(config, plan) * inputs + COPIES * rows * outputs
    converted = dtype.itemsize * (values + parameters) + _pass_bytes(config, plan) + _snapshot_bytes(config, plan)
    drawn = 1 if _is_read_by_batch(config, plan) else inputs + 1  # what was read is in memory already
    return int(converted + 8 * rows * drawn)  # the data set as it was drawn is float64


def saved_bytes(config: Config, plan: DataPlan) -> int:
    """The bytes of all saved arrays: trainable parameters and running statistics."""
    layers, columns = [layer.build() for layer in config.layers], plan.schema.columns
    arrays = {**shapes(layers, columns), **statistics(layers, columns)}
    return np.dtype(config.dtype).itemsize * sum(map(prod, arrays.values()))


def _snapshot_bytes(config: Config, plan: DataPlan) -> int:
    """The bytes of the snapshots during training, if their number is given; by default they are negligible."""
    training = config.training
    logged = training.epochs // training.log_interval + 2
    return SNAPSHOT_COPIES * min(training.snapshots or 0, logged) * saved_bytes(config, plan)


def _is_read_by_batch(config: Config, plan: DataPlan) -> bool:
    source = plan.sources.get("data") or config.data.build()
    return bool(source.is_read_by_batch)


def _converted_rows(config: Config, plan: DataPlan) -> int:
    """The rows that are in memory as inputs of the network; of those that are read by batch only a full batch is."""
    if not _is_read_by_batch(config, plan):
        return sum(schema.rows for schema in plan.schemas.values())
    rows = training_rows(config, plan)
    return rows if step_rows(config, plan) == rows else 0


def _pass_bytes(config: Config, plan: DataPlan) -> int:
    """The bytes of the arrays of all passes, as the network plans them."""
    layers, columns = [layer.build() for layer in config.layers], plan.schema.columns
    gradients = layers_with_gradient(layers, columns, is_fused(layers[-1], config.loss.build()))
    dtype = np.dtype(config.dtype)
    return sum(
        PassPlan(of, layers, columns, dtype, gradients if of.training else ()).nbytes
        for of in _passes(config, plan, layers, dtype)
    )


def _passes(config: Config, plan: DataPlan, layers: Sequence[Layer], dtype: np.dtype[Any]) -> set[Pass]:
    """The passes of a training: micro-batches, and chunks of the splits that are evaluated; remainders of both."""
    columns, batch, trained = plan.schema.columns, max(1, step_rows(config, plan)), training_rows(config, plan)
    micro_batch, prefers_row_major = micro_batch_rows(layers, columns, dtype), layers[0].prefers_row_major(columns)
    batches = {batch, trained % batch} - {0}
    if can_microbatch(layers):
        batches = {size for rows in batches for size in _chunk_sizes(rows, balanced_chunk(rows, micro_batch))}
    chunks = set[int]().union(*(_chunk_sizes(rows, micro_batch) for rows in split_rows(config, plan).values()))
    training = {Pass(rows, True, prefers_row_major and batch < trained) for rows in batches - {0}}
    return training | {Pass(rows, False, prefers_row_major) for rows in chunks - {0}}


def _chunk_sizes(rows: int, size: int) -> set[int]:
    """The sizes of the chunks of a number of rows: ``size``, and the remainder."""
    return {min(rows, size), rows % size}
