"""Errors of tables: a list of problems, each with its line."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import NamedTuple, Protocol

from nncli.config.diagnostics import shown
from nncli.data.source import SourceError

MAX_PROBLEMS = 20
MAX_LINES = 3  # of one column; more problems share one line
MAX_VALUES = 5  # of a column that are shown in the shared line


class TableError(SourceError):
    """A file cannot be read as a table.

    Args:
        message: one problem per line, each as ``path:line: what is wrong; the fix``.
        key: the parameter of the source that causes the error.
    """

    def __init__(self, message: str, key: str = "path") -> None:
        super().__init__(message, key)


class CellProblem(Protocol):
    """A problem of a value: the index of its row in a block, its text, and the reason."""

    @property
    def row(self) -> int:
        """The index of the row."""

    @property
    def text(self) -> str:
        """The text; empty if the value is missing."""

    @property
    def reason(self) -> str:
        """What is wrong, with the value and the fix."""


class Problem(NamedTuple):
    """A problem in a line of a file; lines and columns count from 1, column 0 means the whole line."""

    line: int
    column: int
    message: str


class ColumnProblems:
    """The problems of the values of a column: the first ones with their lines, and the number of all."""

    def __init__(self) -> None:
        self.count = 0
        self.first: list[tuple[int, CellProblem]] = []

    def add(self, cells: Sequence[CellProblem], line: Callable[[int], int]) -> None:
        """Add problems, in the order of their lines."""
        self.first += ((line(each.row), each) for each in cells[: MAX_VALUES - len(self.first)])
        self.count += len(cells)

    def listed(self, column: str) -> Iterator[tuple[Problem, int]]:
        """The problems, each with the number of values it covers; more than MAX_LINES are merged into one."""
        of_each = [Problem(line, 0, f"column {shown(column)}: {cell.reason}") for line, cell in self.first]
        if self.count <= MAX_LINES:
            yield from ((each, 1) for each in of_each)
            return
        others = [
            f"{shown(cell.text)} in line {line}" if cell.text else f"line {line}" for line, cell in self.first[1:]
        ]
        more = ", ..." if self.count > len(self.first) else ""
        message = f"{of_each[0].message}; and {self.count - 1:,} more values of the column: {', '.join(others)}{more}"
        yield of_each[0]._replace(message=message), self.count


class FatalProblemError(Exception):
    """A problem after which the rest of the file cannot be parsed."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


class Problems:
    """The problems of a file: the first ones with their text, and the number of all.

    Args:
        name: the name of the file in messages.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._count = 0
        self._first: list[Problem] = []
        self._columns: dict[str, ColumnProblems] = {}

    @property
    def count(self) -> int:
        """The number of all problems."""
        return self._count + sum(each.count for each in self._columns.values())

    def add(self, problems: Iterable[Problem], count: int) -> None:
        """Add problems in the order of their lines; only those that can be shown are taken from the iterable."""
        self._first += islice(problems, min(count, MAX_PROBLEMS))
        self._count += count

    def add_cells(self, column: str, cells: Sequence[CellProblem], line: Callable[[int], int]) -> None:
        """Add the problems of a column.

        Args:
            column: its name.
            cells: the problems of its values.
            line: maps the index of a row to its line.
        """
        if cells:
            self._columns.setdefault(column, ColumnProblems()).add(cells, line)

    def error(self) -> TableError:
        """The error that lists the problems in the order of their lines."""
        of_columns = chain.from_iterable(each.listed(name) for name, each in self._columns.items())
        listed = sorted([*((each, 1) for each in self._first), *of_columns])[:MAX_PROBLEMS]
        lines = [f"{self.name}:{line}{f':{column}' * bool(column)}: {message}" for (line, column, message), _ in listed]
        if more := self.count - sum(number for _, number in listed):
            lines.append(f"{self.name}: and {more:,} more")
        return TableError("\n".join(lines))
