"""Summaries of tables: columns with types and values, classes, and warnings."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from nncli.config.diagnostics import counted
from nncli.data.columns import MISSING_TEXTS, Category, Column, Summary
from nncli.data.integer_classes import read_for_target
from nncli.data.open_table import open_table
from nncli.data.read_table import ReadTable, read_table
from nncli.data.sources.table import TableSource
from nncli.data.table import Table
from nncli.data.table_warnings import column_warnings, row_hashes, type_warnings
from nncli.nn.parameters import Array


class ColumnOverview(NamedTuple):
    """The summary of a column.

    Args:
        name: its name.
        type: number, category, boolean, date or text.
        reason: why it has this type.
        use: input, target, weight or not used.
        summary: its values; None for text.
        inputs: the number of network inputs of the column; 0 if it is not an input.
    """

    name: str
    type: str
    reason: str
    use: str
    summary: Summary | None
    inputs: int


class DataOverview(NamedTuple):
    """The summary of a table.

    Args:
        path: the file.
        rows: the number of rows.
        columns: the columns in the order of the file.
        classes: the number of rows of each class; None if the target is not a category.
        warnings: what may be wrong.
    """

    path: Path
    rows: int
    columns: list[ColumnOverview]
    classes: dict[str, int] | None
    warnings: list[str]


def overview_of_file(path: Path, target: str | None = None) -> DataOverview:
    """Summarize a file whose types are inferred.

    Raises:
        SourceError: the file is damaged, or has no such column.
    """
    if target is not None:
        return _overview(path, read_for_target(path, target), [target])
    return _overview(path, read_table(open_table(path), {}, (), MISSING_TEXTS).in_memory(), [])


def overview_of_source(source: TableSource) -> DataOverview:
    """Summarize the table of a config.

    Raises:
        SourceError: the file is damaged, or a column that is named does not exist.
    """
    settings = source.settings
    weights = [settings.sample_weight] if settings.sample_weight else []
    return _overview(settings.path, source.file.read_file(), settings.targets, weights)


def _overview(path: Path, read: ReadTable, targets: Sequence[str], weights: Sequence[str] = ()) -> DataOverview:
    table = read.table
    columns = [_column(name, read, targets, weights) for name in {**read.inferred, **table.columns}]
    is_whole = all(each.column for each in read.inferred.values())  # without its texts, a row may only look equal
    repeated = equal_to_earlier(row_hashes(table, list(table.columns))) if is_whole else ()
    found = [*type_warnings(read), *repeated, *_warnings(table, targets, weights)]
    return DataOverview(path, len(table), columns, _classes(table, targets), found)


def _column(name: str, read: ReadTable, targets: Sequence[str], weights: Sequence[str]) -> ColumnOverview:
    column, inferred = read.table.columns.get(name), read.inferred.get(name)
    type_ = inferred.type if inferred else _type(column)
    reason = inferred.reason if inferred else "as the config says"
    if column is None:
        return ColumnOverview(name, type_, reason, "not used", None, 0)
    values = read.table.values(name)
    if name in (*targets, *weights):
        use = "target" if name in targets else "weight"
        return ColumnOverview(name, type_, reason, use, column.summary(values), 0)
    return ColumnOverview(name, type_, reason, "input", column.summary(values), _inputs(column, values))


def _type(column: Column | None) -> str:
    return type(column).__name__.lower()


def _inputs(column: Column, values: Array) -> int:
    """The number of network inputs of a column that is fitted to all of its rows."""
    known = values[~column.is_missing(values)]
    if not len(known):
        return 0
    column.fit(known)
    return 0 if column.is_constant else len(column.names(""))


def _classes(table: Table, targets: Sequence[str]) -> dict[str, int] | None:
    """The number of rows of each class."""
    column = table.columns.get(targets[0]) if len(targets) == 1 else None
    if not isinstance(column, Category):
        return None
    codes = table.values(targets[0])
    counts = np.bincount(codes[codes >= 0], minlength=len(column.texts)).tolist()
    return dict(sorted(zip(column.texts, counts, strict=True)))


def _warnings(table: Table, targets: Sequence[str], weights: Sequence[str]) -> Iterator[str]:
    """Warnings about a table, one sentence each."""
    inputs = [name for name in table.columns if name not in (*targets, *weights)]
    for name in inputs:
        column, values = table.columns[name], table.values(name)
        missing = column.is_missing(values)
        if missing.any():
            yield f"{name}: {counted(int(missing.sum()), 'value')} missing; write missing: for the column"
        known = values[~missing]
        if len(known) and (known == known[0]).all():
            yield f"{name}: always the same value; it is left out"
    yield from column_warnings(table, inputs, targets)


def equal_to_earlier(hashes: Array) -> Iterator[str]:
    """A sentence with the number of rows that are equal to an earlier row, from their hashes (N,), if there are any."""
    if duplicates := len(hashes) - len(np.unique(hashes)):
        number = f"{counted(duplicates, 'row')} of {len(hashes):,}"
        equal, them = ("is equal", "both") if duplicates == 1 else ("are equal", "them")
        yield f"{number} {equal} to an earlier one; a split may put {them} into different sets"
