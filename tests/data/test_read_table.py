"""Tables: columns whose fields are plain decimals are parsed many at a time, with the values and messages of texts."""

import io
import random

import numpy as np
import pytest

from nncli.data.columns import MISSING_TEXTS, Boolean, Category, Date, Number
from nncli.data.delimited import DelimitedFile, TableError
from nncli.data.delimited.rows import Rows
from nncli.data.read_table import read_table

NUMBERS = ["0", "-1", "2.5", "1e-3", ".5", "5.", "123456789012345678901", "0.1234567890123456789", "-0.0", "1E5"]
DAYS = ["2024-02-29", "1999-12-31", "0001-01-01", "2023-01-01"]
TIMES = [f"{day} {time}" for day in DAYS for time in ("00:00:00", "23:59:59")]
FIELDS = {
    "number": NUMBERS,
    "category": ["red", "green", "blue", '"a, b"', '"say ""x"""', "ä"],
    "word": ["yes", "no"],
    "bit": ["0", "1"],
    "date": DAYS,
    "time": TIMES,
    "code": ["007", "12", "0"],
}
ODD = ["", "NA", "x", "1e999", "1_000", " 1", "1 ", '"1"', "nan", "inf", "2023-02-29", "2024-03-01T10:00", "٣", "-999"]


def random_table(rng):
    """A table of up to 60 rows, of which some have odd fields, too few or too many fields, or are blank."""
    kinds = [rng.choice(list(FIELDS)) for _ in range(rng.randint(1, 5))]
    dirt = rng.choice([0, 0, 0.01, 0.1])
    lines = [",".join(f"c{index}" for index in range(len(kinds)))]
    for _ in range(rng.randint(1, 60)):
        fields = [rng.choice(ODD if rng.random() < dirt else FIELDS[kind]) for kind in kinds]
        if rng.random() < dirt / 20:
            fields = rng.choice([fields[:-1], [*fields, "1"], [], [*fields[:-1], '"open'], [*fields[:-1], "a\0"]])
        lines.append(",".join(fields))
    return kinds, rng.choice(["\n", "\r\n"]).join([*lines, ""]).encode()


def read(content, columns, missing):
    """The values as bits, the types and the lines of a table, or the message of its error."""
    known = {name: make() for name, make in columns.items()}
    try:
        table, inferred = read_table(DelimitedFile(content, delimiter=","), known, (), missing).in_memory()
    except TableError as error:
        return str(error)
    values = {name: table.values(name) for name in table.columns}
    bits = {name: (each.dtype.str, each.tobytes()) for name, each in values.items()}
    texts = {name: each.texts for name, each in table.columns.items() if isinstance(each, Category)}
    return bits, texts, {name: str(each) for name, each in inferred.items()}, list(table._lines)


def compare(monkeypatch, tmp_path, tables):
    """Read random tables with and without the fast path; return the number of errors."""
    path, rng, errors = tmp_path / "data.csv", random.Random(tables), 0
    monkeypatch.setattr("nncli.data.delimited.text_file.PIECE", 200)  # several blocks
    monkeypatch.setattr("nncli.data.delimited.rows.MIN_LINES", 1)
    monkeypatch.setattr("nncli.data.delimited.text_file.START", 100)
    for _ in range(tables):
        kinds, content = random_table(rng)
        path.write_bytes(content)
        makes = {"number": Number, "word": Boolean, "bit": Number, "date": Date, "time": Date, "code": Category}
        columns = {f"c{index}": makes[kind] for index, kind in enumerate(kinds) if kind in makes and rng.random() < 0.4}
        missing = rng.choice([MISSING_TEXTS, frozenset({"", "-999", "0"})])
        fast = read(path, columns, missing)
        with monkeypatch.context() as patched:
            patched.setattr(Rows, "numbers", lambda self, columns, width: {})
            patched.setattr("nncli.data.columns.date.plain_dates", lambda texts: None)
            strict = read(path, columns, missing)
        assert fast == strict, content
        errors += isinstance(fast, str)
    return errors


def test_fast_and_strict_reading_agree(monkeypatch, tmp_path):
    """Values, types, lines and messages of random tables, clean and damaged ones."""
    assert compare(monkeypatch, tmp_path, 60) > 3


@pytest.mark.slow
def test_fast_and_strict_reading_agree_on_2000_tables(monkeypatch, tmp_path):
    """Values, types, lines and messages of many random tables."""
    assert compare(monkeypatch, tmp_path, 2000) > 200


def test_columns_of_numbers_are_parsed_beside_texts():
    """The fast path is taken for each column by itself, beside columns that are asked for as texts."""
    file = DelimitedFile(io.BytesIO(b'a,b,c\n1,"x, y",2.5\n-3,z,0x1\n'))
    (block,) = file.blocks({1})
    assert isinstance(block.columns[0], np.ndarray)
    assert [list(block.columns[index]) for index in range(3)] == [[1, -3], ["x, y", "z"], ["2.5", "0x1"]]
