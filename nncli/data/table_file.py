"""The file of a table source: column types, classes, and rows."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from nncli.config.diagnostics import counted, shown
from nncli.data import cache
from nncli.data.cached_table import cached_table
from nncli.data.columns import MISSING_TEXTS, Category, Column, Number
from nncli.data.columns.blocks import MakeBlocks, MemoryBlocks
from nncli.data.columns.number_errors import is_number
from nncli.data.dataset import DataSchema, Dataset
from nncli.data.delimited import TableError
from nncli.data.delimited.problems import MAX_PROBLEMS
from nncli.data.open_table import OpenTable, open_table
from nncli.data.read_table import ReadColumns, ReadTable, read_table
from nncli.data.source import SourceError
from nncli.data.table_settings import TableSettings
from nncli.data.table_weights import class_weights, require_classes, sample_weights


class TableFile:
    """The file that a table source names.

    After ``open``, ``read`` has the rows and the inferred types; ``class_names`` the classes in alphabetical order;
    None for regression.

    Args:
        settings: what the config says about it.
    """

    read: ReadTable

    def __init__(self, settings: TableSettings) -> None:
        self.settings = settings
        self.columns: Mapping[str, Column] = settings.columns
        given = settings.missing_values
        self.missing = MISSING_TEXTS if given is None else frozenset({"", *given})
        self.class_names: list[str] | None = None

    @property
    def is_large(self) -> bool:
        """Whether the rows of the file are in the cache instead of the memory."""
        return cache.is_cached(self.settings.path)

    def opened(self, file: Path | BinaryIO) -> OpenTable:
        """Open another file with the settings of this one.

        Raises:
            MissingExtraError: it is a Parquet file, and DuckDB is not installed.
            TableError: the file cannot be read.
        """
        return open_table(file, self.settings)

    def follow(self, other: "TableFile") -> None:
        """Use the column types and the classes of another file, which must be opened."""
        self.columns, self.class_names = dict(other.read.table.columns), other.class_names

    def open(self) -> DataSchema:
        """Read the file, infer the types of its columns, and return the schema.

        Raises:
            SourceError: the file is damaged, or contradicts the config.
        """
        self.read = self.read_file()
        self._require_types()
        self._require_targets()
        self.class_names = self._checked_classes()
        if self.settings.class_weights is not None:
            require_classes(self.settings.class_weights, self.class_names)
        return self._schema()

    def read_file(self) -> ReadTable:
        """Read the file, and infer the types of the other columns.

        Raises:
            SourceError: the file is damaged, or a column that is named does not exist.
        """
        file = self.opened(self.settings.path)
        self._require_columns(file)
        unread = {*self.settings.ignored, *([self.settings.id] if self.settings.id else [])}
        weights = {name: Number() for name in self._weight_columns}
        known = {**weights, **self.columns}

        def read(blocks: MakeBlocks) -> ReadColumns:
            return read_table(file, known, unread, self.missing, self.settings.targets, blocks)

        if not self.is_large:
            return read(MemoryBlocks).in_memory()
        form = (file.header, file.delimiter, self.settings.encoding, sorted(unread), sorted(self.missing))
        return cached_table(self.settings.path, (*form, self.settings.targets), known, self.missing, read)

    @property
    def _weight_columns(self) -> list[str]:
        """The column of weights, if there is one."""
        return [self.settings.sample_weight] if self.settings.sample_weight else []

    @property
    def inferred_types(self) -> dict[str, str]:
        """The type of each column that was inferred, by name."""
        return {name: each.type for name, each in self.read.inferred.items() if each.column}

    def inputs(self, used: Iterable[str] = ()) -> list[str]:
        """The names of the input columns.

        Args:
            used: columns that are not inputs, as a split uses them.
        """
        others = {*self.settings.targets, *self._weight_columns, *used}
        return [name for name in self.read.table.columns if name not in others]

    def dataset(self) -> Dataset:
        """All rows of the file. The inputs are a table, which preprocessing encodes."""
        table, names, targets = self.read.table, self.class_names, self._targets()
        weights = [sample_weights(table, name) for name in self._weight_columns]
        classes = None if names is None else len(names)
        return Dataset(table, targets, classes, weights=weights[0] if weights else None)  # type: ignore[arg-type]

    def _targets(self) -> NDArray[Any]:
        """Class labels (N,), or real values (N, M)."""
        table, names = self.read.table, self.class_names
        if names is None:
            return np.stack([table.values(name) for name in self.settings.targets], axis=1)
        positions = {name: index for index, name in enumerate(names)}
        order = np.array([positions.get(text, -1) for text in self._target_texts()])
        return np.asarray(order[table.values(self.settings.targets[0])])

    def class_weights(self, labels: NDArray[Any]) -> NDArray[Any] | None:
        """The weight (C,) of each class in the training loss, given the labels (N,); None if all count the same."""
        given, names = self.settings.class_weights, self.class_names
        return None if given is None or names is None else class_weights(given, names, labels)

    def _require_columns(self, file: OpenTable) -> None:
        """Require that each column in the config exists, and that the column of weights has no other use.

        Raises:
            SourceError: a column does not exist, or the column of weights has another use.
        """
        named: Mapping[str, Iterable[str]] = {
            "target": self.settings.targets,
            "columns": self.columns,
            "ignore": self.settings.ignored,
            "id": [self.settings.id] if self.settings.id else [],
            "sample_weight": self._weight_columns,
        }
        for key, names in named.items():
            for name in names:
                if name not in file.header:
                    raise SourceError(f"{file.name}: no column {shown(name)}{_known_columns(file.header)}", key)
        for name, key in product(self._weight_columns, ("target", "ignore", "id")):
            if name in named[key]:
                raise SourceError(f"the column {shown(name)} is under {key} too; name another one", "sample_weight")

    def _require_types(self) -> None:
        """Reject columns of free text, with the fix.

        Raises:
            TableError: there are such columns.
        """
        table = self.read.table
        refused = {name: each for name, each in self.read.inferred.items() if each.column is None}
        places = {name: f":{table.line(each.row - 1)}" if each.row else "" for name, each in refused.items()}
        if refused:
            listed = [f"{table.name}{places[name]}: column {shown(name)}: {each}" for name, each in refused.items()]
            more = len(listed) - MAX_PROBLEMS
            listed[MAX_PROBLEMS:] = [f"{table.name}: and {counted(more, 'more column')} of text"] if more > 0 else []
            raise TableError("\n".join(listed))

    def _require_targets(self) -> None:
        """Require numbers or one column of categories, without missing values.

        Raises:
            SourceError: a target is of another type, or missing in a row.
        """
        table = self.read.table
        for name in self.settings.targets:
            column = table.columns[name]
            missing = np.flatnonzero(column.is_missing(table.values(name)))
            if len(missing):
                first, rows = table.line(int(missing[0])), len(missing)
                found = f"the target {shown(name)} is missing in {counted(rows, 'row')}"
                raise SourceError(f"{table.name}:{first}: {found}; write it, or remove the row", "target")
            if not isinstance(column, Number) and (not isinstance(column, Category) or len(self.settings.targets) > 1):
                raise SourceError(f"the target {name} has to be of numbers, or a single column of categories", "target")

    def _target_texts(self) -> list[str]:
        """The texts of the codes of the target; none if it is a number."""
        column = self.read.table.columns[self.settings.targets[0]]
        return column.texts if isinstance(column, Category) else []

    def _checked_classes(self) -> list[str] | None:
        """The names of the classes in alphabetical order; None for regression.

        Raises:
            SourceError: a row has a class that is not in the training data, or there is only one class.
        """
        table, texts = self.read.table, self._target_texts()
        if self.class_names is None:
            if len(texts) == 1:
                found = f"the target {shown(self.settings.targets[0])} is {shown(texts[0])} in every row"
                raise SourceError(f"{table.name}: {found}; a classifier needs at least two classes", "target")
            return sorted(texts) or None
        codes = table.values(self.settings.targets[0])
        new = np.flatnonzero(np.array([text not in self.class_names for text in texts])[codes])
        if len(new):
            row = int(new[0])
            found = f"{table.name}:{table.line(row)}: {shown(texts[codes[row]])} is not a class of the training data"
            raise SourceError(f"{found}; its classes are {', '.join(self.class_names[:20])}", "target")
        return self.class_names

    def _schema(self) -> DataSchema:
        """The schema before preprocessing: a feature for each input column."""
        data, names = self.dataset(), self.class_names
        counts = [len(data)] if names is None else np.bincount(data.targets, minlength=len(names)).tolist()
        return DataSchema(
            features=self.inputs(), targets=list(self.settings.targets), class_names=names, class_counts=counts
        )


def _known_columns(header: Sequence[str]) -> str:
    """The names in a header, and the fix if they look like data."""
    known = f"; its columns are {', '.join(map(shown, header[:MAX_PROBLEMS]))}"
    if not any(map(is_number, header)):
        return known
    return f"{known}; if its first line is not a header, write header: with a list of names"
