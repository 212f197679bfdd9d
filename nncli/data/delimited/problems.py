"""The error of a file that cannot be read as a table, and the problems it lists, each with its line."""

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import NamedTuple, Protocol

from nncli.config.diagnostics import shown
from nncli.data.source import SourceError

MAX_PROBLEMS = 20


class TableError(SourceError):
    """A file cannot be read as a table.

    Args:
        message: one problem per line, each as ``path:line: what is wrong; the fix``.
        key: the parameter of the source that causes the error.
    """

    def __init__(self, message: str, key: str = "path") -> None:
        super().__init__(message, key)


class CellProblem(Protocol):
    """What is wrong with a value: the index of its row in a block, and the reason."""

    @property
    def row(self) -> int:
        """The index of the row."""

    @property
    def reason(self) -> str:
        """Why, with the value and the fix."""


class Problem(NamedTuple):
    """What is wrong in a line of a file; lines and columns count from 1, column 0 is the line as a whole."""

    line: int
    column: int
    message: str


class FatalProblemError(Exception):
    """A problem after which the rest of the file cannot be understood."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


class Problems:
    """The problems of a file: the first ones with their text, all of them by number.

    Args:
        name: the name of the file in messages.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.count = 0
        self.first: list[Problem] = []

    def add(self, problems: Iterable[Problem], count: int) -> None:
        """Add problems in the order of their lines; no more of them are taken from the iterable than are shown."""
        self.first += islice(problems, min(count, MAX_PROBLEMS))
        self.count += count

    def add_cells(self, column: str, cells: Sequence[CellProblem], line: Callable[[int], int]) -> None:
        """Add the problems of a column.

        Args:
            column: its name.
            cells: what is no value of the column, or cannot be encoded.
            line: gives the line of a row from its index.
        """
        self.add((Problem(line(each.row), 0, f"column {shown(column)}: {each.reason}") for each in cells), len(cells))

    def error(self) -> TableError:
        """The error that lists the problems in the order of their lines."""
        listed = sorted(self.first)[:MAX_PROBLEMS]
        lines = [f"{self.name}:{line}{f':{column}' * bool(column)}: {message}" for line, column, message in listed]
        if self.count > len(lines):
            lines.append(f"{self.name}: and {self.count - len(lines):,} more")
        return TableError("\n".join(lines))
