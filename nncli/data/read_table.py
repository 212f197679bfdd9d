"""Read a delimited file into a table: the types of its columns, and their values."""

from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nncli.data.columns import CellProblem, Column
from nncli.data.columns.inference import Inference
from nncli.data.columns.inferred import Inferred
from nncli.data.delimited import DelimitedFile
from nncli.data.delimited.problems import Problems
from nncli.data.table import Table

Array = NDArray[Any]


class ReadTable(NamedTuple):
    """A table, and the type of each column whose type was inferred."""

    table: Table
    inferred: Mapping[str, Inferred]


def read_table(
    file: DelimitedFile,
    known: Mapping[str, Column],
    ignored: Collection[str],
    missing: frozenset[str],
    targets: Collection[str] = (),
) -> ReadTable:
    """Read all rows of a file; the types of columns that are not known are inferred from all of them.

    Args:
        file: the file.
        known: the columns whose type is known, by name.
        ignored: the columns that are not read.
        missing: the texts that stand for missing values.
        targets: the columns to predict, in which true and false are names of classes.

    Raises:
        TableError: rows or values are damaged.
        StorageError: the operating system refuses to read the file.
    """
    names = [name for name in file.header if name not in ignored]
    inferences = {name: Inference(name, missing, is_label=name in targets) for name in names if name not in known}
    while True:
        readers = {name: _Reader(name, known[name], missing) for name in names if name in known}
        lines = _read_blocks(file, readers, inferences)
        contradictions = {name: each.contradiction for name, each in inferences.items() if each.contradiction}
        if not contradictions:
            break
        inferences = {
            name: Inference(name, missing, contradictions.get(name), each.is_label) for name, each in inferences.items()
        }
    inferred = {name: each.result for name, each in inferences.items()}
    values = {name: each.values() for name, each in readers.items()}
    values |= {name: each.take_values() for name, each in inferences.items() if inferred[name].column}
    columns = {**known, **{name: each.column for name, each in inferred.items() if each.column}}
    in_order = {name: columns[name] for name in names if name in columns}
    return ReadTable(Table(file.name, in_order, values, lines), inferred)


class _Reader:
    """Parses the blocks of a column of known type, and keeps their values."""

    def __init__(self, name: str, column: Column, missing: frozenset[str]) -> None:
        self.name, self.column, self.missing = name, column, missing
        self._blocks: list[Array] = []

    def feed(self, block: Any) -> list[CellProblem]:
        """Parse a block, and return what is no value of the column."""
        values, problems = self.column.parse(block, self.missing)
        self._blocks.append(values)
        return problems

    def values(self) -> Array:
        """The values of all rows (N,)."""
        return np.concatenate(self._blocks)


def _read_blocks(
    file: DelimitedFile, readers: Mapping[str, _Reader], inferences: Mapping[str, Inference]
) -> Sequence[int]:
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
    """The lines where rows begin, block by block: a range as long as no row takes more than a line."""

    def __init__(self) -> None:
        self._blocks: list[Sequence[int]] = []

    def add(self, lines: Sequence[int]) -> None:
        """Add those of a block."""
        self._blocks.append(lines)

    def all(self) -> Sequence[int]:
        """Those of all rows."""
        ranges = [each for each in self._blocks if isinstance(each, range)]
        is_joined = all(one.stop == following.start for one, following in pairwise(ranges))
        if ranges and len(ranges) == len(self._blocks) and is_joined:
            return range(ranges[0].start, ranges[-1].stop)
        return np.concatenate([np.asarray(each, np.int64) for each in self._blocks]) if self._blocks else range(0)  # type: ignore[return-value]
