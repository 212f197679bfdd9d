"""Tables: the parsed values of each column, row by row."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nncli.data.columns import Column
from nncli.data.dataset import index_dtype

Array = NDArray[Any]


class Table:
    """The values of some or all rows of a file, by column.

    Args:
        name: the name of the file in messages.
        columns: how each column was parsed.
        values: the values (N,) of each column in all rows of the file.
        lines: the line of the file where each row begins.
        rows: the indices of the rows of this table in the file; all of them if None.
        key: the key of the values of all rows in the cache; None if they are not cached.
    """

    def __init__(
        self,
        name: str,
        columns: Mapping[str, Column],
        values: Mapping[str, Any],
        lines: Sequence[int],
        rows: Array | None = None,
        key: str | None = None,
    ) -> None:
        self.name, self.columns, self._values, self._lines = name, columns, values, lines
        self.rows = np.arange(len(lines), dtype=index_dtype(len(lines))) if rows is None else rows
        self._key = key

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, indices: Any) -> "Table":
        return Table(self.name, self.columns, self._values, self._lines, self.rows[indices], self._key)

    @property
    def key(self) -> str | None:
        """A key of the values of these rows for the cache; None if they are not cached."""
        return self._key and f"{self._key}-{hashlib.sha256(self.rows.data).hexdigest()}"

    @property
    def nbytes(self) -> int:
        """The size of the values of all rows of the file."""
        return sum(int(values.nbytes) for values in self._values.values())

    def values(self, column: str) -> Array:
        """The values of a column (N,), in a new array."""
        values = np.asarray(self._values[column][self.rows])
        return values.astype(np.float64, copy=False) if values.dtype.kind == "f" else values

    def equals(self, column: str, value: Any) -> Array:
        """A mask (N,) of the rows in which a column has a value, given as in a config."""
        text = str(value).lower() if isinstance(value, bool) else str(value)
        parsed, problems = self.columns[column].parse([text], frozenset())
        return np.zeros(len(self), bool) if problems else self.values(column) == parsed[0]

    def line(self, row: int) -> int:
        """The line of the file where a row begins."""
        return self._lines[int(self.rows[row])]
