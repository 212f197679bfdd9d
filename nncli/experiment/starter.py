"""Starter configs for tables: the type of each column, and a network for the task."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from nncli.config.diagnostics import sanitized_line, shown
from nncli.config.yaml_output import to_yaml_value
from nncli.data.columns import Category, Number
from nncli.data.columns.number_errors import is_number
from nncli.data.integer_classes import MAX_CLASSES, are_few_integers, read_for_target
from nncli.data.read_table import ReadTable
from nncli.data.source import SourceError
from nncli.data.table_warnings import FEWEST_ROWS, column_warnings, located_warning, type_warnings

MANY_ROWS = 10_000
FEWEST_OF_A_CLASS = 3  # one for each split

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
    """Hyperparameters, tuned on data sets of 150 to 54,000 rows (configs/README.md)."""

    learning_rate: float
    batch_size: int
    epochs: int
    patience: int


_LARGE = _Training(0.001, 128, 100, 10)
_SMALL_CLASSES = _Training(0.002, 16, 1000, 100)
_SMALL_REGRESSION = _Training(0.005, 16, 1000, 100)


class Starter(NamedTuple):
    """A config for a file.

    Args:
        text: the config, with comments.
        notes: notes on its columns, one sentence each.
    """

    text: str
    notes: list[str]


def config_for_file(path: Path, shown_path: str, target: str) -> Starter:
    """A commented config that trains on a table.

    Args:
        path: the file.
        shown_path: its path as the config has it.
        target: the column to predict.

    Raises:
        SourceError: the file is damaged, or has no such column, or one that cannot be predicted.
    """
    read = read_for_target(path, target)
    column = read.table.columns.get(target)
    if column is None:
        found = f"the target {shown(target)} is neither numbers nor categories"
        raise SourceError(f"{path}: {found}: {read.inferred[target].reason}")
    classes = len(column.texts) if isinstance(column, Category) else None
    outputs = 1 if classes is None else classes
    training = _LARGE if len(read.table) > MANY_ROWS else _SMALL_REGRESSION if classes is None else _SMALL_CLASSES
    rows, name = len(read.table), _row_numbers(read, target)
    text = TEXT.format(
        path=to_yaml_value(shown_path),
        target=to_yaml_value(target),
        columns="\n".join(_column_lines(read, target, name)),
        ignore=_ignored(read)
        + (f"  id: {to_yaml_value(name)}   # consecutive integers; it is not an input\n" if name else ""),
        stratified="" if classes is None else "; each class is split alike",
        outputs=outputs,
        activation="" if classes is None else "  - softmax\n",
        loss="mean_squared_error" if classes is None else "categorical_crossentropy",
        **training._replace(batch_size=min(training.batch_size, max(1, rows // 2)))._asdict(),
    )
    return Starter(text, list(_notes(read, target, name)))


def _notes(read: ReadTable, target: str, name: str | None) -> Iterator[str]:
    """Columns that are left out, classes that are too small to split, and warnings, one sentence each."""
    table = read.table
    for column, each in read.inferred.items():
        if each.column is None:
            ignore = f"write ignore: {to_yaml_value([column])}"  # which the config has
            reason = "write columns".join(each.reason.removesuffix(f"; {ignore}").split(f"{ignore} or columns"))
            yield f"{column}: left out: {reason}"
    if isinstance(labels := table.columns[target], Category):
        codes, counts = np.unique(table.values(target), return_counts=True)
        few = [labels.texts[code] for code in codes[counts < FEWEST_OF_A_CLASS]]
        if few:
            listed = ", ".join(map(shown, few[:MAX_CLASSES]))
            yield f"{target}: fewer than {FEWEST_OF_A_CLASS} rows of {listed}, too few for three splits"
    inputs = [each for each in table.columns if each not in {target, name}]
    yield from type_warnings(read)
    yield from column_warnings(table, inputs, [target])


def _row_numbers(read: ReadTable, target: str) -> str | None:
    """The first column of row numbers: distinct consecutive integers; None if there is none."""
    for name, column in read.table.columns.items():
        values = np.sort(read.table.values(name)) if isinstance(column, Number) and name != target else np.zeros(0)
        if len(values) >= FEWEST_ROWS and (np.diff(values) == 1).all():
            return name
    return None


def _column_lines(read: ReadTable, target: str, row_numbers: str | None) -> Iterator[str]:
    """The type of each column, with the reason as a comment."""
    inferred = {name: each for name, each in read.inferred.items() if each.column and name != row_numbers}
    entries = {}
    for name, each in inferred.items():
        missing = "mode" if each.type in {"category", "boolean"} else "median"
        has_missing = "missing" in each.reason and name != target
        value = f"{{type: {each.type}, missing: {missing}}}" if has_missing else each.type
        other = _other_task(read, target) if name == target else ""
        comment = "; ".join(filter(None, (each.reason, located_warning(read.table, each), other)))
        entries[f"    {to_yaml_value(name)}: {value}"] = sanitized_line(comment)
    width = min(max(map(len, entries)), 44)
    for entry, reason in entries.items():
        yield f"{entry:<{width}} # {reason}"


def _other_task(read: ReadTable, target: str) -> str:
    """How to predict integers as numbers instead of classes, or as classes instead of numbers; else empty."""
    column, values = read.table.columns[target], np.unique(read.table.values(target))
    if isinstance(column, Category):
        regression = "to predict numbers: number, units: 1, no softmax, loss: mean_squared_error"
        return regression if all(map(is_number, column.texts)) else ""
    if not isinstance(column, Number) or len(values) < 2 or not are_few_integers(values):
        return ""
    return f"to predict classes: category, units: {len(values)}, then softmax, loss: categorical_crossentropy"


def _ignored(read: ReadTable) -> str:
    """The key ``ignore`` with the columns of free text, each with the reason as a comment."""
    texts = {name: each.reason.partition(";")[0] for name, each in read.inferred.items() if each.column is None}
    if not texts:
        return ""
    lines = [f"    - {to_yaml_value(name)} # {reason}" for name, reason in texts.items()]
    return "\n".join(["  ignore:", *lines, ""])
