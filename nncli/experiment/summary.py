"""A network in figures before it is trained: layers, shapes, parameters, memory, work."""

from math import ceil, prod
from typing import Any, NamedTuple

import numpy as np

from nncli.config.model import Fraction
from nncli.data.split import part_sizes
from nncli.nn.microbatching import even_size, is_divisible, rows_at_once
from nncli.nn.shapes import widths
from nncli.registry import ComponentSpec

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


def summarize(spec: Any) -> list[LayerSummary]:
    """A summary of each layer; ``spec`` needs its sections layers and data."""
    layers = [layer.build() for layer in spec.layers]
    columns = widths(layers, spec.data.build().columns)
    return [
        LayerSummary(
            part.type,
            columns[index],
            columns[index + 1],
            sum(map(prod, layer.shapes(columns[index]).values())),
            layer.multiply_adds(columns[index]),
        )
        for index, (part, layer) in enumerate(zip(spec.layers, layers, strict=True))
    ]


def split_rows(spec: Any) -> dict[str, int]:
    """The rows of each split, as they are going to be drawn and split; needs data, validation and test."""
    parts = {"validation": spec.validation, "test": spec.test}
    fractions = {name: part.fraction for name, part in parts.items() if isinstance(part, Fraction)}
    counts = [part_sizes(count, fractions) for count in spec.data.build().class_counts]
    rows = {name: sum(sizes[name] for sizes in counts) for name in ("training", *fractions)}
    return rows | {name: part.build().rows for name, part in parts.items() if isinstance(part, ComponentSpec)}


def training_rows(spec: Any) -> int:
    """How many rows are left to train on; needs data, validation and test."""
    return split_rows(spec)["training"]


def step_rows(spec: Any) -> int:
    """Rows of one training step."""
    rows = training_rows(spec)
    return min(spec.training.batch_size or rows, rows)


def batches_an_epoch(spec: Any) -> int:
    """Training steps of one epoch, the last of which may have fewer rows."""
    return ceil(training_rows(spec) / max(1, step_rows(spec)))


def step_multiply_adds(spec: Any, rows: int) -> int:
    """Multiply-adds of one training step of ``rows`` rows: forward, weights' gradient, and inputs' above the lowest."""
    each = [layer.multiply_adds for layer in summarize(spec)]
    lowest = next((count for count in each if count), 0)
    return rows * (3 * sum(each) - lowest)


def memory_bytes(spec: Any) -> int:
    """About how many bytes of arrays a training holds: data, outputs and gradients of each layer, parameters."""
    layers, dtype = summarize(spec), np.dtype(spec.dtype)
    parts = (spec.data, spec.validation, spec.test)
    rows = sum(part.build().rows for part in parts if isinstance(part, ComponentSpec))
    passing = sum(_passing_rows(spec, dtype)) * (layers[0].inputs + sum(layer.outputs for layer in layers))
    trained = VECTORS * sum(layer.parameters for layer in layers)
    held = 2 * layers[0].inputs + COPIES * layers[-1].outputs  # numbers for each row of data
    return int(dtype.itemsize * (rows * held + BUFFERS * passing + trained) + 8 * rows * (layers[0].inputs + 1))


def _passing_rows(spec: Any, dtype: np.dtype[Any]) -> set[int]:
    """For how many rows the layers make buffers: those of portions, and what remains of a batch and of each split."""
    built, batch, trained = [part.build() for part in spec.layers], max(1, step_rows(spec)), training_rows(spec)
    portion = rows_at_once(built, spec.data.build().columns, dtype)
    batches = {batch, trained % batch} - {0}
    if is_divisible(built):
        batches = {size for rows in batches for size in _sizes(rows, even_size(rows, portion))}
    return batches.union(*(_sizes(rows, portion) for rows in split_rows(spec).values()))


def _sizes(rows: int, size: int) -> set[int]:
    """The sizes of so many rows in parts of one size: that, and what remains."""
    return {min(rows, size), rows % size}
