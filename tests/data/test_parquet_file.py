"""Parquet files: what is read is what was written, for any texts and numbers."""

import errno
import json
import math

import duckdb
import pytest

from nncli.data import parquet_file
from nncli.data.parquet_file import ParquetFile, write_parquet
from nncli.data.record_file import ROWS as ROWS_OF_A_BLOCK
from nncli.errors import MissingExtraError, StorageError

TYPES = {"row": int, 'größe, "m\'s"': str, "p": float}
ROWS = [
    (1, "a", 5e-324),
    (2, "", -0.0),
    (3, "NULL", 1.7976931348623157e308),
    (-(2**63), "x" * 1_000_000, 0.1),
    (2**63 - 1, "a\nb", 1 / 3),
    (4, 'a "b", c', math.pi),
    (5, " 尺寸\t", 1.0),
    (6, "\n\r,\"\n'\r\n", 2.0),
]


def written(directory, types, rows):
    """Write a file, and return the columns that DuckDB reads, and their types."""
    table, output = directory / "x.jsonl", directory / "o'x.parquet"
    lines = (json.dumps(dict(zip(types, row, strict=True)), ensure_ascii=False) for row in rows)
    table.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    write_parquet(table, output, types)
    found = duckdb.read_parquet(str(output))
    return found.columns, list(map(str, found.types)), found.fetchall()


@pytest.mark.parametrize("copies", [1, 40_000])
def test_rows_are_those_of_the_lines(tmp_path, copies):
    """Order, texts, and every bit of the numbers, in one row group or in several."""
    rows = ROWS + [(index, str(index % 7), index / 7) for index in range(copies)]
    columns, types, found = written(tmp_path, TYPES, rows)
    assert columns == list(TYPES)
    assert types == ["BIGINT", "VARCHAR", "DOUBLE"]
    assert list(map(repr, found)) == list(map(repr, rows))


def test_file_without_rows_has_its_columns(tmp_path):
    """With their types."""
    assert written(tmp_path, {"row": int, "p": float}, []) == (["row", "p"], ["BIGINT", "DOUBLE"], [])


def test_file_that_cannot_be_written_is_a_storage_error(tmp_path):
    """It names the file."""
    (tmp_path / "x.jsonl").write_text('{"row": 1}\n', encoding="utf-8")
    with pytest.raises(StorageError, match=r"missing/x\.parquet"):
        write_parquet(tmp_path / "x.jsonl", tmp_path / "missing" / "x.parquet", {"row": int})


def test_missing_extra_is_said(monkeypatch):
    """Before anything is predicted."""
    monkeypatch.setitem(__import__("sys").modules, "duckdb", None)
    with pytest.raises(MissingExtraError, match="parquet"):
        parquet_file.require_parquet()


def test_full_disk_is_an_error_of_the_operating_system(tmp_path, monkeypatch):
    """Which names the file that was asked for, instead of the temporary one in DuckDB's message."""

    class DuckDBError(Exception):
        """As DuckDB raises it."""

    def connect(**_):
        raise DuckDBError('IO Error: Async write failed: {"exception_type":"IO","errno":"28"}')

    monkeypatch.setattr(parquet_file, "_duckdb", lambda: (connect, DuckDBError))
    with pytest.raises(OSError, match="No space left on device") as raised:
        parquet_file.write_parquet(tmp_path / "x.jsonl", tmp_path / "x.parquet", {"row": int})
    assert raised.value.errno == errno.ENOSPC


def test_rows_are_numbered_from_1_and_names_are_stripped(tmp_path):
    """In every block, as messages name them."""
    path = tmp_path / "x.parquet"
    duckdb.execute(f"""COPY (SELECT range AS " a " FROM range({2 * ROWS_OF_A_BLOCK})) TO '{path}' (FORMAT parquet)""")
    file = ParquetFile(path)
    assert file.header == ["a"]
    assert [number for number, _ in file.records()] == [1, ROWS_OF_A_BLOCK + 1]
