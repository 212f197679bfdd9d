"""A network in figures before it is trained: layers, shapes, parameters, memory, work."""

from math import ceil, prod
from typing import Any, NamedTuple

import numpy as np

from nncli.config.model import Fraction
from nncli.data.split import part_sizes
from nncli.nn.microbatching import balanced_chunk, can_microbatch, micro_batch_rows
from nncli.nn.shapes import widths
from nncli.registry import ComponentConfig

COPIES = 6  # targets twice, outputs, and what a loss makes of them
BUFFERS = 3  # outputs, the gradient that comes back, and a mask or scratch
VECTORS = 8  # values, gradients, two moments, early stopping's best, and a checkpoint on its way to the disk


class LayerSummary(NamedTuple):
    """One layer in figures: columns in and out, trained numbers, products summed for one row forward."""

    type: str
    inputs: int
    outputs: int
    parameters: int
    multiply_adds: int


def summarize(config: Any) -> list[LayerSummary]:
    """A summary of each layer; ``config`` needs its sections layers and data."""
    layers = [layer.build() for layer in config.layers]
    columns = widths(layers, config.data.build().columns)
    return [
        LayerSummary(
            part.type,
            columns[index],
            columns[index + 1],
            sum(map(prod, layer.shapes(columns[index]).values())),
            layer.multiply_adds(columns[index]),
        )
        for index, (part, layer) in enumerate(zip(config.layers, layers, strict=True))
    ]


def split_rows(config: Any) -> dict[str, int]:
    """The rows of each split, as they are going to be drawn and split; needs data, validation and test."""
    parts = {"validation": config.validation, "test": config.test}
    fractions = {name: part.fraction for name, part in parts.items() if isinstance(part, Fraction)}
    counts = [part_sizes(count, fractions) for count in config.data.build().class_counts]
    rows = {name: sum(sizes[name] for sizes in counts) for name in ("training", *fractions)}
    return rows | {name: part.build().rows for name, part in parts.items() if isinstance(part, ComponentConfig)}


def training_rows(config: Any) -> int:
    """How many rows are left to train on; needs data, validation and test."""
    return split_rows(config)["training"]


def step_rows(config: Any) -> int:
    """Rows of one training step."""
    rows = training_rows(config)
    return min(config.training.batch_size or rows, rows)


def batches_per_epoch(config: Any) -> int:
    """Training steps of one epoch, the last of which may have fewer rows."""
    return ceil(training_rows(config) / max(1, step_rows(config)))


def step_macs(config: Any, rows: int) -> int:
    """Multiply-adds of one training step of ``rows`` rows: forward, weights' gradient, and inputs' above the lowest."""
    each = [layer.multiply_adds for layer in summarize(config)]
    lowest = next((count for count in each if count), 0)
    return rows * (3 * sum(each) - lowest)


def memory_bytes(config: Any) -> int:
    """About how many bytes of arrays a training holds: data, outputs and gradients of each layer, parameters."""
    layers, dtype = summarize(config), np.dtype(config.dtype)
    parts = (config.data, config.validation, config.test)
    rows = sum(part.build().rows for part in parts if isinstance(part, ComponentConfig))
    passing = sum(_passing_rows(config, dtype)) * (layers[0].inputs + sum(layer.outputs for layer in layers))
    trained = VECTORS * sum(layer.parameters for layer in layers)
    held = 2 * layers[0].inputs + COPIES * layers[-1].outputs  # numbers for each row of data
    return int(dtype.itemsize * (rows * held + BUFFERS * passing + trained) + 8 * rows * (layers[0].inputs + 1))


def _passing_rows(config: Any, dtype: np.dtype[Any]) -> set[int]:
    """For how many rows the layers make buffers: those of portions, and what remains of a batch and of each split."""
    built, batch, trained = [part.build() for part in config.layers], max(1, step_rows(config)), training_rows(config)
    at_once = micro_batch_rows(built, config.data.build().columns, dtype)
    batches = {batch, trained % batch} - {0}
    if can_microbatch(built):
        batches = {size for rows in batches for size in _sizes(rows, balanced_chunk(rows, at_once))}
    return batches.union(*(_sizes(rows, at_once) for rows in split_rows(config).values()))


def _sizes(rows: int, size: int) -> set[int]:
    """The sizes of so many rows in parts of one size: that, and what remains."""
    return {min(rows, size), rows % size}
