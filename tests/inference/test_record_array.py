"""Structured arrays as NPY files: what NumPy writes for the same records, without the records in memory."""

import io

import numpy as np
import pytest

from nncli.errors import CommandLineError
from nncli.inference.record_array import MAX_CHARACTERS, write_record_array

FIELDS = [("row", int), ("größe", str), ("p", float)]


def written(fields, blocks):
    """The bytes of the file."""
    file = io.BytesIO()
    write_record_array(file, fields, iter(blocks), io.BytesIO())
    return file.getvalue()


@pytest.mark.parametrize("name", ["size", "größe", "尺寸"])
def test_blocks_become_the_array_of_all_rows(name):
    """Texts that become longer from block to block, and shorter again, are those of the array; names are any text."""
    blocks = [[range(2), ["a", "bc"], [5e-324, -0.0]], [range(2, 3), ["défgh"], [1e308]], [range(3, 4), [""], [0.1]]]
    fields = [("row", int), (name, str), ("p", float)]
    records = np.load(io.BytesIO(written(fields, blocks)), allow_pickle=False)
    dtype = [("row", np.int64), (name, "U5"), ("p", np.float64)]
    expected = np.array([(0, "a", 5e-324), (1, "bc", -0.0), (2, "défgh", 1e308), (3, "", 0.1)], dtype)
    assert records.dtype == expected.dtype
    assert records.tobytes() == expected.tobytes()
    assert (len(written(fields, blocks)) - records.nbytes) % 64 == 0  # so that records are aligned in a memory map


def test_no_rows_are_an_empty_array():
    """A file of arrays without rows has predictions without rows."""
    records = np.load(io.BytesIO(written(FIELDS, [])))
    assert (records.shape, records.dtype.names) == ((0,), ("row", "größe", "p"))


def test_text_that_every_row_would_take_the_space_of_is_rejected():
    """The longest text that fits is written, one more character is an error that names the column."""
    fields = [("name", str)]
    assert np.load(io.BytesIO(written(fields, [[["x" * MAX_CHARACTERS]]])))["name"][0] == "x" * MAX_CHARACTERS
    with pytest.raises(CommandLineError, match=r"'name' has a text of 1,001 characters.*write Parquet or CSV"):
        written(fields, [[["x" * (MAX_CHARACTERS + 1)]]])


def test_fields_that_numpy_would_not_read_are_rejected():
    """A header as long as ``np.load`` accepts is written; a longer one is an error before any row is predicted."""
    fields = [(f"probability_{index}", float) for index in range(280)]
    assert len(np.load(io.BytesIO(written(fields, [[[0.5]] * 280]))).dtype.names) == 280
    with pytest.raises(CommandLineError, match="does not read an array with 400 fields; write Parquet or CSV"):
        written([(f"probability_{index}", float) for index in range(400)], [None])


def test_whatever_is_written_can_be_read():
    """Up to the longest header; it grows with the length of the texts, which is known after the rows."""
    outcomes = set()
    for length in range(1, 65):
        fields = [("n" * length, str), *((f"probability_{index}", float) for index in range(356))]
        try:
            content = written(fields, [[["x" * MAX_CHARACTERS], *[[0.5]] * 356]])
        except CommandLineError:
            outcomes.add("rejected")
        else:
            outcomes.add(len(np.load(io.BytesIO(content)).dtype.names))
    assert outcomes == {"rejected", 357}
