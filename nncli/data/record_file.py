"""Base class of files with typed values, such as Parquet and JSON Lines, with the interface of a delimited file."""

from collections.abc import Collection, Iterator, Sequence
from types import NoneType
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from nncli.config.diagnostics import shown
from nncli.data.cell_text import MISSING_TEXT, cell_text
from nncli.data.delimited import Block, TableError
from nncli.data.delimited.problems import Problem, Problems

Array = NDArray[Any]
PLAIN_NUMBERS = {float, int, NoneType}  # which become float64 at once; None is NaN
ROWS = 10_000  # of a block


class RecordFile:
    """Rows of typed values as blocks of a table; values that are not numbers become their text in a CSV file.

    Args:
        name: the name of the file in messages.
        header: the names of the columns.
        rereadable: whether ``blocks`` can be called more than once.
    """

    delimiter: ClassVar[str] = ""

    def __init__(self, name: str, header: Sequence[str], rereadable: bool = True) -> None:
        self.name, self.header, self.rereadable = name, list(header), rereadable

    def records(self) -> Iterator[tuple[int, Sequence[Sequence[Any]]]]:
        """The rows in blocks of ROWS, each with the line of its first row.

        Raises:
            TableError: the file is damaged.
        """
        raise NotImplementedError(f"{type(self).__name__} has no records")

    def blocks(self, texts: Collection[int] = ()) -> Iterator[Block]:
        """Read the rows, some thousands at once.

        Args:
            texts: the columns that are given as texts, even if all values are numbers.

        Raises:
            TableError: the file is damaged, has no rows, or a value is neither a number nor a text, a date or missing.
            StorageError: the operating system refuses to read the file.
        """
        problems, first_row = Problems(self.name), 0
        for line, rows in self.records():
            lines, columns = range(line, line + len(rows)), dict[int, Array | list[str]]()
            for index, values in enumerate(zip(*rows, strict=True)):
                columns[index], found = _column(values, index in texts)
                where = shown(self.header[index])
                problems.add((Problem(lines[row], 0, f"column {where}: {text}") for row, text in found), len(found))
            if not problems.count:
                yield Block(columns, first_row, lines)
            first_row += len(rows)
        if problems.count:
            raise problems.error()
        if not first_row:
            raise TableError(f"{self.name}: has no rows; write at least one row")


def _column(values: Sequence[Any], as_texts: bool) -> tuple[Array | list[str], list[tuple[int, str]]]:
    """The values of a column as numbers (N,) or texts, and the rows of what is neither."""
    if not as_texts and PLAIN_NUMBERS.issuperset(map(type, values)):
        try:
            numbers = np.array(values, np.float64)
        except OverflowError:  # an integer that float64 cannot hold
            numbers = np.array([np.inf])
        if not np.isinf(numbers).any():
            return numbers, []
    texts, refused = list[str](), list[tuple[int, str]]()
    for row, value in enumerate(values):
        try:
            texts.append(cell_text(value))
        except TypeError as error:
            texts.append(MISSING_TEXT)
            refused.append((row, str(error)))
    return texts, refused
