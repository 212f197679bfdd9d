"""Tables: selected rows keep their index in the file."""

from tests.data.test_table_warnings import table


def test_rows_keep_their_lines():
    """However often some are taken of others."""
    some = table(x=[1.0, 2, 3, 4])[[1, 3]]
    assert [some.line(row) for row in range(2)] == [3, 5]
    assert some[[1]].line(0) == 5
    assert some[[1]].values("x").tolist() == [4]
