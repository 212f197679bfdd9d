"""The rows with the largest loss."""

from typing import Any, NamedTuple

import numpy as np

from nncli.data.columns import Category
from nncli.data.lazy_rows import RawRows
from nncli.data.table import Table
from nncli.nn.metrics.classification import predicted_classes
from nncli.report.trained_run import PredictedRows, TrainedRun

ROWS = 20


class ErrorRow(NamedTuple):
    """One row with a large loss.

    Args:
        row: its index in the split, from 0.
        line: the line of the file where it begins; None if it is not a row of a table.
        loss: its loss, without weight and penalties.
        target: the name of its class, or its values.
        prediction: the name of the predicted class, or the predicted values in the unit of the targets.
        probability: the probability of the predicted class; None for a regression.
        target_probability: the probability of the actual class; None for a regression.
        inputs: its values by column in the unit of the data, or an array of the shape of a row, such as an image.
    """

    row: int
    line: int | None
    loss: float
    target: Any
    prediction: Any
    probability: float | None
    target_probability: float | None
    inputs: Any


def largest_errors(trained: TrainedRun, split: str | None = None, count: int = ROWS) -> list[ErrorRow]:
    """The rows of a split with the largest losses, largest first; of equal losses the first row first."""
    rows = trained.predicted(split)
    network, examples = trained.experiment.network, rows.examples
    losses = network.losses(rows.encoded_outputs, examples.encoded).astype(np.float64)
    chosen = np.argsort(-losses, kind="stable")[:count]
    raw = trained.raw(rows.split)
    return [_row(trained, rows, raw, index, float(losses[index])) for index in chosen.tolist()]


def _row(trained: TrainedRun, rows: PredictedRows, raw: Any, index: int, loss: float) -> ErrorRow:
    line = raw.line(index) if isinstance(raw, Table) else None
    inputs = _inputs(raw, index, list(trained.predictor.feature_names))
    if rows.classes is None:
        target, prediction = rows.targets[index].tolist(), rows.outputs[[index]][0].tolist()
        return ErrorRow(index, line, loss, target, prediction, None, None, inputs)
    names, label = trained.class_names or [], int(rows.targets[index])
    output = rows.encoded_outputs[[index]]
    predicted = int(predicted_classes(output, trained.threshold)[0])
    probabilities = rows.probabilities[index]
    both = float(probabilities[predicted]), float(probabilities[label])
    return ErrorRow(index, line, loss, names[label], names[predicted], *both, inputs)


def _inputs(raw: Any, index: int, names: list[str]) -> Any:
    """The values of a row in the unit of the data."""
    if isinstance(raw, Table):
        return {name: _cell(raw, name, index) for name in names}
    if isinstance(raw, RawRows):
        return raw.read([index]).reshape(raw.values.shape[1:])
    return dict(zip(names, np.asarray(raw[index]).tolist(), strict=True))


def _cell(table: Table, name: str, index: int) -> Any:
    """A value of a table: a number, the text of a category, or None if it is missing."""
    column, value = table.columns[name], table[[index]].values(name)
    if column.is_missing(value)[0]:
        return None
    return column.texts[int(value[0])] if isinstance(column, Category) else float(value[0])
