"""The columns of a table: their values in the training rows, and their permutation importance."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from nncli.data.columns import Column as ColumnOfTable
from nncli.data.columns import Number
from nncli.data.preprocessing import Preprocessing
from nncli.report.page.blocks import Block, Column, Table
from nncli.report.page.words import figure
from nncli.report.trained_run import TrainedRun

REPEATS = 5
ROWS = 1000  # whose values are permuted; of more, those at equal distances
MAX_COLUMNS = 200
SEED = 0  # of the permutations, so that a report is the same each time


def columns_of(trained: TrainedRun) -> list[Block]:
    """The columns of a table with their permutation importance; none if the data is no table."""
    preprocessing = trained.predictor.predictor.preprocessing
    if not isinstance(preprocessing, Preprocessing) or len(preprocessing.columns) > MAX_COLUMNS:
        return []
    importance = permutation_importance(trained, preprocessing)
    order = sorted(importance, key=lambda name: (-importance[name][0], name))
    rows = [_row(name, preprocessing.columns[name], *importance[name]) for name in order]
    columns = [
        Column("column"),
        Column("type"),
        Column("inputs", "number"),
        Column("range in training"),
        Column("importance", "bar"),
        Column("standard deviation", "number"),
    ]
    message = (
        f"{_verdict(order[0], *importance[order[0]])} "
        f"Permutation importance is how much the {trained.held_out} loss rises if the values "
        f"of a column are shuffled between rows, as the mean of {REPEATS} shuffles; it is near 0 if the network does "
        "not use the column, or another column says the same."
    )
    left_out = (
        f" Left out, since they are constant: {', '.join(preprocessing.left_out)}." if preprocessing.left_out else ""
    )
    return [Table("Columns and their importance", message + left_out, columns, rows)]


def _verdict(first: str, mean: float, deviation: float) -> str:
    """Which column matters most, if its importance is more than chance."""
    return f"{first} matters most." if mean > deviation else "No column clearly matters."


def _row(name: str, column: ColumnOfTable, mean: float, deviation: float) -> list[Any]:
    return [name, type(column).__name__.lower(), len(column.names(name)), _range(column), mean, deviation]


def _range(column: ColumnOfTable) -> str:
    bounds = column.training_range if isinstance(column, Number) else None
    return "–" if bounds is None else f"{figure(bounds[0])} to {figure(bounds[1])}"


def permutation_importance(trained: TrainedRun, preprocessing: Preprocessing) -> dict[str, tuple[float, float]]:
    """Mean and standard deviation of the rise of the loss, for each column.

        mean over r of L(X with column j permuted) − L(X)

    Source: Breiman 2001, doi:10.1023/A:1010933404324, section 10; Fisher, Rudin and Dominici 2019 with the difference.
    """
    rows = trained.predicted().examples
    chosen = np.arange(len(rows.targets))[:: max(1, -(-len(rows.targets) // ROWS))]
    inputs, encoded, network = np.array(rows.inputs[chosen]), rows.encoded[chosen], trained.experiment.network
    loss = network.data_loss(network.predict(inputs), encoded)
    generator = np.random.default_rng(SEED)
    orders = [generator.permutation(len(chosen)) for _ in range(REPEATS)]

    def rises(part: slice) -> Iterator[float]:
        for order in orders:
            permuted = inputs.copy()
            permuted[:, part] = inputs[order, part]
            yield network.data_loss(network.predict(permuted), encoded) - loss

    found = {name: np.array(list(rises(part))) for name, part in parts(preprocessing).items()}
    return {name: (float(each.mean()), float(each.std())) for name, each in found.items()}


def parts(preprocessing: Preprocessing) -> dict[str, slice]:
    """The inputs that each column becomes."""
    widths = [len(column.names(name)) for name, column in preprocessing.columns.items()]
    ends = np.cumsum(widths).tolist()
    return {name: slice(end - width, end) for name, width, end in zip(preprocessing.columns, widths, ends, strict=True)}
