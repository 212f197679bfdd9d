"""Rows of a delimited file as tables for a fitted preprocessing, block by block."""

from collections.abc import Iterator, Sequence

import numpy as np

from nncli.config.diagnostics import counted, shown
from nncli.config.hints import similar
from nncli.data.columns import Category
from nncli.data.delimited import Block, TableError
from nncli.data.delimited.problems import Problems
from nncli.data.open_table import OpenTable
from nncli.data.preprocessing import Preprocessing
from nncli.data.table import Table
from nncli.inference.row_block import RowBlock
from nncli.nn.parameters import Array

MAX_NAMED = 20
MAX_UNSEEN = 100  # categories of a column that are counted, so that memory is bounded


class CountedValues:
    """The number of certain values of a column, and the line and value of the first ones."""

    def __init__(self) -> None:
        self.count = 0
        self.first: list[tuple[int, float]] = []

    @property
    def line(self) -> int:
        """The line of the first value."""
        return self.first[0][0]

    def add(self, rows: Array, values: Array, lines: Sequence[int]) -> None:
        """Count the values in these rows of a block."""
        self.count += len(rows)
        self.first += [(lines[row], float(values[row])) for row in rows[: MAX_NAMED - len(self.first)].tolist()]


class TableRows:
    """The rows of a table for predictions; columns are found by name, in any order.

    After ``blocks`` there are, by column: ``unseen``, the rows of each category that no training row has;
    ``replaced``, the missing values; ``out_of_range``, the values far outside of the training range.

    Args:
        file: the file.
        preprocessing: the preprocessing of the run.
        missing: the texts of missing values.
        wanted: further columns whose texts are needed.

    Raises:
        TableError: columns are missing; the message names them.
    """

    def __init__(
        self, file: OpenTable, preprocessing: Preprocessing, missing: frozenset[str], wanted: Sequence[str] = ()
    ) -> None:
        self.file, self.preprocessing, self.missing, self.wanted = file, preprocessing, missing, wanted
        self.unseen: dict[str, dict[str, CountedValues]] = {}
        self.replaced: dict[str, CountedValues] = {}
        self.out_of_range: dict[str, CountedValues] = {}
        lacking = [name for name in (*preprocessing.columns, *wanted) if name not in file.header]
        if lacking:
            listed = ", ".join(f"{shown(name)}{_similar(name, file.header)}" for name in lacking[:MAX_NAMED])
            found = f"lacks {counted(len(lacking), 'column')} of the training data: {listed}"
            raise TableError(f"{file.name}: {found}; rows need all of them")
        self._positions = {name: file.header.index(name) for name in (*preprocessing.columns, *wanted)}

    @property
    def ignored(self) -> list[str]:
        """The columns that are not used."""
        return [name for name in self.file.header if name not in self._positions]

    def counts_all_unseen(self, name: str) -> bool:
        """Whether all unseen categories of a column are counted, or only the first ones."""
        return len(self.unseen[name]) < MAX_UNSEEN

    def blocks(self) -> Iterator[RowBlock]:
        """Parse the rows in blocks of some thousands.

        Raises:
            TableError: the file is damaged, or values are not valid in their column; the first ones are listed.
        """
        columns = self.preprocessing.columns
        texts = {self._positions[name] for name in self.wanted}
        texts |= {self._positions[name] for name, column in columns.items() if not column.reads_numbers}
        for block in self.file.blocks(texts):
            table = self._table(block)
            self._count(table, block.lines)
            wanted = {name: list(block.columns[self._positions[name]]) for name in self.wanted}
            yield RowBlock(table, wanted, block.first_row, block.lines)

    def _table(self, block: Block) -> Table:
        problems, values = Problems(self.file.name), dict[str, Array]()
        for name, column in self.preprocessing.columns.items():
            if isinstance(column, Category):
                column.clear_vocabulary()
            values[name], found = column.parse(block.columns[self._positions[name]], self.missing)
            problems.add_cells(name, found, block.lines.__getitem__)
        if problems.count:
            raise problems.error()
        return Table(self.file.name, self.preprocessing.columns, values, block.lines)

    def _count(self, table: Table, lines: Sequence[int]) -> None:
        """Count unseen categories, missing values and values out of range in a block."""
        for name, column in self.preprocessing.columns.items():
            values = table.values(name)
            for text, rows in column.unseen(values).items():
                counts = self.unseen.setdefault(name, {})
                if text in counts or len(counts) < MAX_UNSEEN:
                    counts.setdefault(text, CountedValues()).add(rows, values, lines)
            missing = np.flatnonzero(column.is_missing(values))
            for found, rows in ((self.replaced, missing), (self.out_of_range, column.out_of_range(values))):
                if len(rows):
                    found.setdefault(name, CountedValues()).add(rows, values, lines)


def _similar(name: str, header: Sequence[str]) -> str:
    """The column with a similar name, in brackets; empty if there is none."""
    found = similar(name, header).removeprefix("; ")
    return f" ({found})" if found else ""
