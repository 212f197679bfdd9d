"""Parquet files, read by DuckDB."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from nncli.data.delimited import TableError
from nncli.data.delimited.header import checked_header
from nncli.data.delimited.text_file import shown_path
from nncli.data.reading import reading
from nncli.data.record_file import ROWS, RecordFile
from nncli.errors import MissingExtraError

MAGIC = b"PAR1"


class ParquetFile(RecordFile):
    """The rows of a Parquet file; the line of a row in messages is its number, from 1.

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
        """The rows, ROWS at once, each with the number of its first row."""
        opened, row = self._opened(self.name), 1
        (count,) = self._opened(self.name, "sum(num_rows) FROM parquet_file_metadata(?)").fetchone()
        with self._path.open("rb") as file, reading(self.name, file) as advance:
            while rows := self._read(opened):
                advance(len(rows) * self._path.stat().st_size // count)
                yield row, rows
                row += len(rows)

    def _opened(self, name: str, selected: str = "* FROM read_parquet(?)") -> Any:
        """A cursor over all rows."""
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


def is_parquet(path: Path) -> bool:
    """Whether a regular file begins as Parquet; what cannot be read is none."""
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
