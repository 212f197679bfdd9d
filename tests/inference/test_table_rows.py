"""What is counted of the values of a file while its rows are predicted."""

from types import SimpleNamespace

import numpy as np
import pytest

from nncli.cli.render.table_notes import notes
from nncli.data.columns import Category, Number
from nncli.data.delimited import DelimitedFile, TableError
from nncli.inference.table_rows import MAX_NAMED, MAX_UNSEEN, CountedValues, TableRows


def test_first_values_are_kept_and_all_are_counted():
    """Any number of blocks takes no more memory than the values that are named."""
    found, values = CountedValues(), np.arange(15.0)
    for start in range(100, 10_000, 15):
        found.add(np.arange(0, 15, 2), values, range(start, start + 15))
    assert found.count == 660 * 8
    assert len(found.first) == MAX_NAMED
    assert found.first[:9] == [(100 + row, float(row)) for row in range(0, 15, 2)] + [(115, 0.0)]


def test_many_columns_that_lack_are_listed_in_part():
    """All are counted."""
    preprocessing = SimpleNamespace(columns={f"column {index}": Number() for index in range(MAX_NAMED + 5)})
    with pytest.raises(TableError, match="lacks 25 columns") as error:
        TableRows(SimpleNamespace(name="new.csv", header=["x"]), preprocessing, frozenset())
    assert str(error.value).count("'column ") == MAX_NAMED


def test_texts_of_a_block_are_forgotten_with_it(tmp_path, monkeypatch):
    """A column of categories keeps those of a single block, and counts no more than some unseen ones."""
    monkeypatch.setattr("nncli.data.delimited.text_file.PIECE", 300)
    monkeypatch.setattr("nncli.data.delimited.rows.MIN_LINES", 1)
    (tmp_path / "new.csv").write_text("\n".join(["color", *map(str, range(1000))]), encoding="utf-8")
    column = Category()
    column.fit(column.parse(["1", "2"], frozenset())[0])
    rows = TableRows(DelimitedFile(tmp_path / "new.csv"), SimpleNamespace(columns={"color": column}), frozenset())
    assert sum(len(block.rows) for block in rows.blocks()) == 1000
    assert len(column.texts) < 200
    assert column.texts[-1] == "999"
    assert len(rows.unseen["color"]) == MAX_UNSEEN
    (note,) = notes(rows)
    assert note.endswith("'5' (1 row, first in line 7), '6' (1 row, first in line 8) and at least 95 more")
