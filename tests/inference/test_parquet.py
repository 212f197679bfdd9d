"""Parquet files: what DuckDB reads is what was written, for any number of blocks and row groups."""

import io
import math
import random

import duckdb
import pytest

from nncli.inference import parquet
from nncli.inference.parquet import write_parquet_file

FIELDS = [("row", int), ('größe, "m"', str), ("p", float)]
BLOCKS = [
    [range(1, 4), ["a", "", "défgh"], [5e-324, -0.0, 1.7976931348623157e308]],
    [range(4, 6), ["x" * 100_000, "a\nb"], [0.1, 1 / 3]],
    [[-(2**63), 2**63 - 1], ["尺寸", "\t"], [1.0, math.pi]],
]


def written(path, fields, blocks):
    """Write a file, and return the columns that DuckDB reads, and their types."""
    with path.open("wb") as file:
        write_parquet_file(file, fields, iter(blocks))
    found = duckdb.sql(f"SELECT * FROM '{path}'")
    rows = found.fetchall()
    return found.columns, list(map(str, found.types)), rows


@pytest.mark.parametrize("size", [1, 150, 10**6])
def test_rows_of_all_blocks_are_read(tmp_path, monkeypatch, size):
    """Order, texts, and every bit of the numbers, whether a block is a row group or all of them are one."""
    monkeypatch.setattr(parquet, "ROW_GROUP", size)
    columns, types, rows = written(tmp_path / "x.parquet", FIELDS, BLOCKS)
    assert columns == [name for name, _ in FIELDS]
    assert types == ["BIGINT", "VARCHAR", "DOUBLE"]
    assert list(map(repr, rows)) == [repr(row) for block in BLOCKS for row in zip(*block, strict=True)]
    groups = duckdb.sql(f"SELECT num_row_groups FROM parquet_file_metadata('{tmp_path}/x.parquet')").fetchall()
    assert groups == [({1: 3, 150: 2, 10**6: 1}[size],)]


@pytest.mark.parametrize("count", [1, 14, 15, 16, 300])
def test_any_number_of_columns(tmp_path, count):
    """The size of a list is in its first byte up to 14, and stands after it from 15 on."""
    fields = [(f"probability_{index}", float) for index in range(count)]
    draw = random.Random(0)
    values = [[draw.random() for _ in range(5)] for _ in range(count)]
    columns, _, rows = written(tmp_path / "x.parquet", fields, [values])
    assert columns == [name for name, _ in fields]
    assert list(map(list, zip(*rows, strict=True))) == values


def test_no_rows(tmp_path):
    """A file without rows has its columns."""
    assert written(tmp_path / "x.parquet", FIELDS[::2], []) == (["row", "p"], ["BIGINT", "DOUBLE"], [])


def test_memory_is_that_of_a_row_group(monkeypatch):
    """Each row group is written before the next block is taken."""
    monkeypatch.setattr(parquet, "ROW_GROUP", 1000)
    file, sizes = io.BytesIO(), []

    def blocks():
        for _ in range(10):
            sizes.append(file.tell())
            yield [range(100), ["a"] * 100, [0.5] * 100]

    write_parquet_file(file, FIELDS, blocks())
    assert sizes == sorted(set(sizes))
