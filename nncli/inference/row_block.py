"""Some rows of a file, as they are predicted at once."""

from collections.abc import Sequence
from typing import Any, NamedTuple


class RowBlock(NamedTuple):
    """Some rows of a file.

    Args:
        rows: the rows as the preprocessing takes them: a table of the input columns, or an array (N, …).
        texts: the texts that name the rows, by column: fields of other columns, or the names of files.
        first_row: the index of the first row in the file.
        lines: the line of a table where each row begins.
    """

    rows: Any
    texts: dict[str, list[str]]
    first_row: int
    lines: Sequence[int] = ()
