"""A config to start from for a file: each column with its type, and a network that suits the task."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from nncli.config.yaml_output import to_yaml_value
from nncli.data.columns import Category, Number
from nncli.data.read_table import ReadTable
from nncli.data.sources.table import TableSource
from nncli.nn.parameters import Array

MAX_CLASSES = 20  # different integers of a target that are classes; more are numbers
MANY_ROWS = 10_000

TEXT = """\
seed: 0

data:
  type: table
  path: {path}
  target: {target}
  columns:                       # types were inferred from all rows: number, category, boolean or date
{columns}
{ignore}
validation: {{fraction: 0.2}}      # held out for early stopping{stratified}
test: {{fraction: 0.2}}            # held out for the final evaluation

layers:
  - {{type: dense, units: 64}}
  - relu
  - {{type: dense, units: 64}}
  - relu
  - {{type: dense, units: {outputs}}}
{activation}
loss: {loss}
optimizer: {{type: adam, learning_rate: {learning_rate}}}
regularization: {{l2: 1e-4}}

training:
  epochs: {epochs}
  batch_size: {batch_size}
  log_every: 1
  early_stopping: {{metric: validation_loss, patience: {patience}}} # the best weights are kept
"""


class _Training(NamedTuple):
    """How a network is trained, which was chosen on data sets of 150 to 54,000 rows (configs/README.md)."""

    learning_rate: float
    batch_size: int
    epochs: int
    patience: int


_LARGE = _Training(0.001, 128, 100, 10)
_SMALL_CLASSES = _Training(0.002, 16, 1000, 100)
_SMALL_REGRESSION = _Training(0.005, 16, 1000, 100)


def config_for_file(path: Path, shown_path: str, target: str) -> str:
    """A commented config that trains on a CSV or TSV file.

    Args:
        path: the file.
        shown_path: its path as the config has it.
        target: the column to predict.

    Raises:
        SourceError: the file is damaged, or has no such column.
    """
    read = TableSource(path, target).file.read_file()
    classes = _classes(read, target)
    outputs = 1 if classes is None else classes
    training = _LARGE if len(read.table) > MANY_ROWS else _SMALL_REGRESSION if classes is None else _SMALL_CLASSES
    return TEXT.format(
        path=to_yaml_value(shown_path),
        target=to_yaml_value(target),
        columns="\n".join(_column_lines(read, target, classes)),
        ignore=_ignored(read),
        stratified="" if classes is None else "; each class is split alike",
        outputs=outputs,
        activation="" if classes is None else "  - softmax\n",
        loss="mean_squared_error" if classes is None else "categorical_crossentropy",
        **training._asdict(),
    )


def _classes(read: ReadTable, target: str) -> int | None:
    """The number of classes of the target; None if it is to be predicted as a number."""
    column = read.table.columns.get(target)
    if isinstance(column, Number):
        values = np.unique(read.table.values(target))
        return len(values) if _are_labels(values) else None
    return len(column.texts) if isinstance(column, Category) else 2


def _are_labels(values: Array) -> bool:
    """Whether the different values of a number can be the labels of classes: a few consecutive integers."""
    return len(values) <= MAX_CLASSES and bool(np.array_equal(values, np.arange(len(values)) + values[0]))


def _column_lines(read: ReadTable, target: str, classes: int | None) -> Iterator[str]:
    """The type of each column, with the reason as a comment."""
    types = {name: (each.type, each.reason) for name, each in read.inferred.items() if each.column}
    if classes is not None:
        types[target] = ("category", types[target][1])
    entries = {}
    for name, (type_, reason) in types.items():
        missing = "mode" if type_ in {"category", "boolean"} else "median"
        has_missing = "missing" in reason and name != target
        value = f"{{type: {type_}, missing: {missing}}}" if has_missing else type_
        entries[f"    {to_yaml_value(name)}: {value}"] = reason
    width = min(max(map(len, entries)), 44)
    for entry, reason in entries.items():
        yield f"{entry:<{width}} # {reason}"


def _ignored(read: ReadTable) -> str:
    """The columns of text, which are ignored, each with the reason as a comment."""
    texts = {name: each.reason.partition(";")[0] for name, each in read.inferred.items() if each.column is None}
    if not texts:
        return ""
    lines = [f"    - {to_yaml_value(name)} # {reason}" for name, reason in texts.items()]
    return "\n".join(["  ignore:", *lines, ""])
