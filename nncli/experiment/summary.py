"""Model summary before training: layers, shapes, parameters and multiply-accumulate operations."""

from math import ceil, prod
from typing import NamedTuple

import numpy as np

from nncli.config.model import Config
from nncli.data.folds import fold_size
from nncli.data.split import split_sizes
from nncli.experiment.data_plan import DataPlan
from nncli.experiment.sections import fractions, validation_fold
from nncli.nn.shapes import shapes, statistics, widths


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


def saved_bytes(config: Config, plan: DataPlan) -> int:
    """The bytes of all saved arrays: trainable parameters and running statistics."""
    layers, columns = [layer.build() for layer in config.layers], plan.schema.columns
    arrays = {**shapes(layers, columns), **statistics(layers, columns)}
    return np.dtype(config.dtype).itemsize * sum(map(prod, arrays.values()))
