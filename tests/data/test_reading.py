"""An observer of reading is notified of each file and of all its bytes, within its block only."""

import gzip
import io
import os
from contextlib import contextmanager

import duckdb
import pytest

from nncli.data.delimited.text_file import PIECE, TextFile
from nncli.data.parquet_file import ParquetFile
from nncli.data.reading import observed_by
from nncli.data.record_file import ROWS


@pytest.fixture
def observed():
    """What an observer is notified of: ``(name, size)``, the sizes of pieces, and ``end``."""
    reported = []

    @contextmanager
    def observer(name, size):
        reported.append((name, size))
        try:
            yield reported.append
        finally:
            reported.append("end")

    with observed_by(observer):
        yield reported


@pytest.mark.parametrize("compress", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_all_bytes_of_a_file_are_reported(tmp_path, observed, compress):
    """The pieces add up to the size of the file, which is that of the compressed one."""
    path = tmp_path / "data.csv"
    path.write_bytes(compress(os.urandom(PIECE).hex().encode()))
    size = path.stat().st_size
    list(TextFile(path).pieces())
    assert (observed[0], observed[-1]) == ((str(path), size), "end")
    assert len(observed) > 3
    assert sum(observed[1:-1]) == size


def test_rows_of_a_parquet_file_are_reported_as_its_bytes(tmp_path, observed):
    """The rows that DuckDB gives stand for as large a part of the file."""
    path = tmp_path / "data.parquet"
    duckdb.execute(f"COPY (SELECT range AS a FROM range({2 * ROWS})) TO '{path}' (FORMAT parquet)")
    list(ParquetFile(path).records())
    size = path.stat().st_size
    assert observed == [(str(path), size), size // 2, size // 2, "end"]


def test_reading_ends_when_the_reader_stops(tmp_path, observed):
    """A file that is not read to its end is let go of."""
    path = tmp_path / "data.csv"
    path.write_bytes(b"a,b\n" * PIECE)
    pieces = TextFile(path).pieces()
    next(pieces)
    assert observed[-1] != "end"
    pieces.close()
    del pieces
    assert observed[-1] == "end"


def test_streams_without_a_size_are_not_reported(observed):
    """Neither a stream in memory nor a pipe."""
    list(TextFile(io.BytesIO(b"a\n1\n")).pieces())
    ours, theirs = os.pipe()
    os.write(theirs, b"a\n1\n")
    os.close(theirs)
    with os.fdopen(ours, "rb") as stream:
        assert b"".join(TextFile(stream).pieces()) == b"a\n1\n"
    assert observed == []


def test_nothing_is_reported_after_the_block(tmp_path):
    """The observer is forgotten at the end of its block."""
    reported = []
    with observed_by(lambda name, size: reported.append(name)):
        pass
    (tmp_path / "data.csv").write_bytes(b"a\n1\n")
    list(TextFile(tmp_path / "data.csv").pieces())
    assert reported == []
