"""Read a delimited file into a table: the types of its columns, and their values."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nncli.data.columns import Category, CellProblem, Column
from nncli.data.columns.blocks import Blocks, CompactBlocks, MakeBlocks, MemoryBlocks
from nncli.data.columns.inference import Inference
from nncli.data.columns.inferred import Inferred
from nncli.data.delimited.problems import Problems
from nncli.data.open_table import OpenTable
from nncli.data.table import Table

Array = NDArray[Any]


class ReadTable(NamedTuple):
    """A table, and the type of each column whose type was inferred."""

    table: Table
    inferred: Mapping[str, Inferred]


class ReadColumns(NamedTuple):
    """The columns of a table that was read; their values can be taken once.

    Args:
        name: the name of the file.
        columns: how each column was parsed.
        inferred: the type of each column whose type was inferred.
        lines: the line of the file where each row begins.
        sources: the values of each column.
    """

    name: str
    columns: Mapping[str, Column]
    inferred: Mapping[str, Inferred]
    lines: Sequence[int]
    sources: "Mapping[str, _Reader | Inference]"

    def stored_dtype(self, name: str) -> np.dtype[Any]:
        """int32 for categories; otherwise float32 if it represents all values exactly, else float64."""
        if isinstance(self.columns[name], Category):
            return np.dtype(np.int32)
        return np.dtype(np.float32 if self.sources[name].blocks.is_exact_in_float32 else np.float64)

    def in_memory(self) -> ReadTable:
        """The table with all values in memory."""
        return ReadTable(
            Table(self.name, self.columns, {name: self._values(name) for name in self.columns}, self.lines),
            self.inferred,
        )

    def _values(self, name: str) -> Array:
        values = np.empty(len(self.lines), np.int32 if isinstance(self.columns[name], Category) else np.float64)
        start = 0
        for block in self.sources[name].take_blocks():
            values[start : start + len(block)] = block
            start += len(block)
        return values


def read_table(
    file: OpenTable,
    known: Mapping[str, Column],
    ignored: Collection[str],
    missing: frozenset[str],
    targets: Collection[str] = (),
    blocks: MakeBlocks = MemoryBlocks,
) -> ReadColumns:
    """Read all rows of a file; the types of columns that are not known are inferred from all of them.

    Args:
        file: the file.
        known: the columns whose type is known, by name.
        ignored: the columns that are not read.
        missing: the texts of missing values.
        targets: the columns to predict, in which true and false are class names.
        blocks: makes the storage of the values of a column.

    Raises:
        TableError: rows or values are damaged.
        StorageError: the operating system refuses to read the file.
    """
    names = [name for name in file.header if name not in ignored]
    inferences = {
        name: Inference(name, missing, is_label=name in targets, blocks=blocks) for name in names if name not in known
    }
    while True:
        readers = {name: _Reader(name, known[name], missing, blocks()) for name in names if name in known}
        lines = _read_blocks(file, readers, inferences)
        contradictions = {name: each.contradiction for name, each in inferences.items() if each.contradiction}
        if not contradictions:
            break
        inferences = {
            name: Inference(name, missing, contradictions.get(name), each.is_label, blocks)
            for name, each in inferences.items()
        }
    inferred = {name: each.result for name, each in inferences.items()}
    columns = {**known, **{name: each.column for name, each in inferred.items() if each.column}}
    in_order = {name: columns[name] for name in names if name in columns}
    return ReadColumns(file.name, in_order, inferred, lines, {**readers, **inferences})


class _Reader:
    """Parses the blocks of a column of known type, and keeps their values."""

    def __init__(self, name: str, column: Column, missing: frozenset[str], blocks: Blocks) -> None:
        self.name, self.column, self.missing = name, column, missing
        self.blocks = CompactBlocks(blocks)

    def feed(self, block: Any) -> list[CellProblem]:
        """Parse a block, and return the texts that are not values of the column."""
        values, problems = self.column.parse(block, self.missing)
        self.blocks.append(values)
        return problems

    def take_blocks(self) -> Iterator[Array]:
        """Yield the values block by block, and release their memory."""
        return self.blocks.drain()


def _read_blocks(file: OpenTable, readers: Mapping[str, _Reader], inferences: Mapping[str, Inference]) -> Sequence[int]:
    """Read all blocks of a file once; return the line of each row.

    Raises:
        TableError: a value is not of the known type of its column.
    """
    problems, lines = Problems(file.name), _Lines()
    positions = {name: index for index, name in enumerate(file.header)}
    texts = {positions[name] for name, each in readers.items() if not each.column.reads_numbers}
    texts |= {positions[name] for name, each in inferences.items() if each.needs_texts}
    for block in file.blocks(texts):
        lines.add(block.lines)
        for name, reader in readers.items():
            found = reader.feed(block.columns[positions[name]])
            problems.add_cells(name, found, block.lines.__getitem__)
        for name, inference in inferences.items():
            inference.feed(block.columns[positions[name]])
            if inference.needs_texts:
                texts.add(positions[name])
    if problems.count:
        raise problems.error()
    return lines.all()


class _Lines:
    """The lines where rows begin; a range if every row takes one line."""

    def __init__(self) -> None:
        self._blocks: list[Sequence[int]] = []

    def add(self, lines: Sequence[int]) -> None:
        """Add the lines of a block."""
        self._blocks.append(lines)

    def all(self) -> Sequence[int]:
        """The lines of all rows."""
        ranges = [each for each in self._blocks if isinstance(each, range)]
        is_joined = all(one.stop == following.start for one, following in pairwise(ranges))
        if ranges and len(ranges) == len(self._blocks) and is_joined:
            return range(ranges[0].start, ranges[-1].stop)
        return np.concatenate([np.asarray(each, np.int64) for each in self._blocks]) if self._blocks else range(0)  # type: ignore[return-value]
