"""What is in a table: its columns with their types and values, its classes, and what is suspicious."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from nncli.config.diagnostics import counted
from nncli.data.columns import MISSING_TEXTS, Category, Column, Summary
from nncli.data.delimited import DelimitedFile
from nncli.data.read_table import ReadTable, read_table
from nncli.data.sources.table import TableSource
from nncli.data.table import Table
from nncli.nn.parameters import Array

NEARLY_ONE = 0.999  # a correlation or an accuracy of a single column that leaves nothing to learn
UNIQUE = 0.95  # of the rows that have a value of their own, in a column that tells rows apart


class ColumnOverview(NamedTuple):
    """One column.

    Args:
        name: its name.
        type: number, category, boolean, date or text.
        reason: why.
        use: input, target or not used.
        summary: its values; None for text.
        inputs: the number of inputs of the network that it becomes; 0 if it is none.
    """

    name: str
    type: str
    reason: str
    use: str
    summary: Summary | None
    inputs: int


class DataOverview(NamedTuple):
    """A table.

    Args:
        path: the file.
        rows: the number of rows.
        columns: the columns in the order of the file.
        classes: the number of rows of each class; None unless the target is a category.
        suspicions: what may be wrong.
    """

    path: Path
    rows: int
    columns: list[ColumnOverview]
    classes: dict[str, int] | None
    suspicions: list[str]


def overview_of_file(path: Path, target: str | None = None) -> DataOverview:
    """Summarize a file whose types are inferred.

    Raises:
        SourceError: the file is damaged, or has no such column.
    """
    if target is not None:
        return overview_of_source(TableSource(path, target))
    return _overview(path, read_table(DelimitedFile(path), {}, (), MISSING_TEXTS), [])


def overview_of_source(source: TableSource) -> DataOverview:
    """Summarize the table of a config.

    Raises:
        SourceError: the file is damaged, or a column that is named does not exist.
    """
    return _overview(source.settings.path, source.file.read_file(), source.settings.targets)


def _overview(path: Path, read: ReadTable, targets: Sequence[str]) -> DataOverview:
    table = read.table
    columns = [_column(name, read, targets) for name in {**read.inferred, **table.columns}]
    return DataOverview(path, len(table), columns, _classes(table, targets), list(_suspicions(table, targets)))


def _column(name: str, read: ReadTable, targets: Sequence[str]) -> ColumnOverview:
    column, inferred = read.table.columns.get(name), read.inferred.get(name)
    type_ = inferred.type if inferred else _type(column)
    reason = inferred.reason if inferred else "as the config says"
    if column is None:
        return ColumnOverview(name, type_, reason, "not used", None, 0)
    values = read.table.values(name)
    if name in targets:
        return ColumnOverview(name, type_, reason, "target", column.summary(values), 0)
    return ColumnOverview(name, type_, reason, "input", column.summary(values), _inputs(column, values))


def _type(column: Column | None) -> str:
    return type(column).__name__.lower()


def _inputs(column: Column, values: Array) -> int:
    """The number of inputs that a column becomes, if all of its rows were training rows."""
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


def _suspicions(table: Table, targets: Sequence[str]) -> Iterator[str]:
    """What may be wrong with the table."""
    if duplicates := _duplicate_rows(table):
        yield f"{counted(duplicates, 'row')} of {len(table):,} are equal to an earlier one; a split may tear them apart"
    for name, column in table.columns.items():
        if name in targets:
            continue
        values = table.values(name)
        known = values[~column.is_missing(values)]
        if column.is_missing(values).any():
            yield f"{name}: {counted(len(values) - len(known), 'value')} missing; write missing: for the column"
        if len(known) and (known == known[0]).all():
            yield f"{name}: always the same value; it is left out"
        elif _tells_rows_apart(column, known):
            yield f"{name}: nearly every row has a value of its own; if it names the row, write id: {name}"
    yield from _giveaways(table, targets)


def _duplicate_rows(table: Table) -> int:
    """The number of rows that are equal to an earlier one."""
    rows = np.column_stack([table.values(name).astype(np.float64) for name in table.columns])
    rows[np.isnan(rows)] = np.inf
    return len(rows) - len(np.unique(rows, axis=0))


def _tells_rows_apart(column: Column, known: Array) -> bool:
    """Whether integers or categories differ in nearly all rows, as identifiers do."""
    is_name = isinstance(column, Category) or (_type(column) == "number" and bool((known == np.floor(known)).all()))
    return is_name and len(known) > 1 and len(np.unique(known)) > UNIQUE * len(known)


def _giveaways(table: Table, targets: Sequence[str]) -> Iterator[str]:
    """Columns that alone nearly decide the target: probably known only together with it."""
    for target in targets:
        values, is_class = table.values(target).astype(np.float64), isinstance(table.columns[target], Category)
        for name, column in table.columns.items():
            if name in targets:
                continue
            score = _score(column, table.values(name), values, is_class)
            if score >= NEARLY_ONE:
                what = f"predicts {100 * score:.1f} % of the rows" if is_class else f"has correlation {score:.4f}"
                yield f"{name}: alone {what} of {target}; if it is known only afterwards, ignore it"


def _score(column: Column, values: Array, target: Array, is_class: bool) -> float:
    """How well a column alone predicts a target: the accuracy of the best rule, or the correlation."""
    if is_class and isinstance(column, Category):
        return _accuracy_by_value(values, target)
    if is_class or isinstance(column, Category):
        return 0.0
    known = ~np.isnan(values) & ~np.isnan(target)
    if known.sum() < 3 or not values[known].std() or not target[known].std():
        return 0.0
    return abs(float(np.corrcoef(values[known], target[known])[0, 1]))


def _accuracy_by_value(values: Array, target: Array) -> float:
    """The accuracy of predicting, for each value of a column, its most frequent class."""
    _, of_row = np.unique(values, return_inverse=True)
    classes, of_target = np.unique(target, return_inverse=True)
    counts = np.bincount(of_row * len(classes) + of_target, minlength=(of_row.max() + 1) * len(classes))
    return float(counts.reshape(-1, len(classes)).max(axis=1).sum() / len(values))
