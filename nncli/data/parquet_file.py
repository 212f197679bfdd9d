"""Parquet files, read and written by DuckDB."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from nncli.data.delimited import TableError
from nncli.data.delimited.header import checked_header
from nncli.data.delimited.text_file import shown_path
from nncli.data.reading import reading
from nncli.data.record_file import ROWS, RecordFile
from nncli.errors import MissingExtraError, StorageError

MAGIC = b"PAR1"
TYPES: Mapping[type, str] = {int: "BIGINT", float: "DOUBLE", str: "VARCHAR"}
# One thread keeps the order of the rows in constant memory; a line may have 4 MiB.
CONSTANT_MEMORY = {"threads": 1, "memory_limit": "100MB"}
COPY = """
    COPY (FROM read_json(?, format = 'newline_delimited', columns = {columns}, maximum_object_size = 4194304))
    TO {output} (FORMAT parquet, ROW_GROUP_SIZE 20480, USE_TMP_FILE false)
"""


class ParquetFile(RecordFile):
    """The rows of a Parquet file; in messages the line of a row is its number from 1.

    Args:
        path: the file.

    Raises:
        MissingExtraError: DuckDB is not installed.
        TableError: the file is damaged, or has columns without names.
    """

    def __init__(self, path: Path) -> None:
        self._path, name = path, shown_path(path)
        names = [column[0].strip() for column in self._opened(name).description]
        super().__init__(name, checked_header(names, name, 1))

    def records(self) -> Iterator[tuple[int, Sequence[Sequence[Any]]]]:
        """The rows in blocks of ROWS, each with the number of its first row."""
        opened, row = self._opened(self.name), 1
        (count,) = self._opened(self.name, "sum(num_rows) FROM parquet_file_metadata(?)").fetchone()
        with self._path.open("rb") as file, reading(self.name, file) as advance:
            while rows := self._read(opened):
                advance(len(rows) * self._path.stat().st_size // count)
                yield row, rows
                row += len(rows)

    def _opened(self, name: str, selected: str = "* FROM read_parquet(?)") -> Any:
        """A cursor over the result of a query on the file."""
        connect, error_type = _duckdb()
        try:
            return connect().execute(f"SELECT {selected}", [str(self._path)])
        except error_type as error:
            raise TableError(f"{name}: {_first_line(error)}") from None

    def _read(self, opened: Any) -> Sequence[Sequence[Any]]:
        _, error_type = _duckdb()
        try:
            rows: Sequence[Sequence[Any]] = opened.fetchmany(ROWS)
        except error_type as error:
            raise TableError(f"{self.name}: {_first_line(error)}") from None
        return rows


def write_parquet(table: Path, output: Path, types: Mapping[str, type]) -> None:
    """Write the rows of a file of JSON lines as a Parquet file, in constant memory.

    Args:
        table: the file, with an object that has all columns in each line.
        output: the Parquet file.
        types: the type of each column: int, float or str.

    Raises:
        MissingExtraError: DuckDB is not installed.
        OSError: the operating system refuses to write, as on a full disk.
        StorageError: the file cannot be written for another reason.
    """
    connect, error_type = _duckdb()
    columns = ", ".join(f"{_quoted(name)}: '{TYPES[each]}'" for name, each in types.items())
    statement = COPY.format(columns=f"{{{columns}}}", output=_quoted(str(output)))
    try:
        connect(config=CONSTANT_MEMORY).execute(statement, [str(table)])
    except error_type as error:
        if refused := re.search(r'"errno":"([0-9]+)"', str(error)):
            raise OSError(int(refused[1]), os.strerror(int(refused[1]))) from None
        raise StorageError(f"{output}: {_first_line(error)}") from None


def _quoted(text: str) -> str:
    """A text as a literal of SQL."""
    return "'" + text.replace("'", "''") + "'"


def require_parquet() -> None:
    """Check that Parquet files can be read and written.

    Raises:
        MissingExtraError: DuckDB is not installed.
    """
    _duckdb()


def is_parquet(path: Path) -> bool:
    """Whether a file is a regular file with the magic number of Parquet; False if it cannot be read."""
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError:
        return False


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def _duckdb() -> tuple[Any, type[Exception]]:
    """DuckDB's function to connect, and its error; the package need not be installed."""
    try:
        from duckdb import Error, connect
    except ImportError:
        raise MissingExtraError("Parquet files", "parquet") from None
    return connect, Error
