"""A block of rows that are predicted together."""

from collections.abc import Sequence
from typing import Any, NamedTuple


class RowBlock(NamedTuple):
    """A block of rows of a file.

    Args:
        rows: the rows as the preprocessing takes them: a table of the input columns, or an array (N, …).
        texts: texts (n,) by column: fields of columns that are not inputs, or the names of image files.
        first_row: the index of the first row in the file.
        lines: the line of a table where each row begins.
    """

    rows: Any
    texts: dict[str, list[str]]
    first_row: int
    lines: Sequence[int] = ()
