"""Values of a program as a column parses the fields of a file."""

import pytest

from nncli.data.columns import Category
from nncli.inference.cells import parsed


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (["3", "5"], ["3", "3", "5", "5"]),
        (["3.0", "5.0"], ["3.0", "3.0", "5.0", "5.0"]),
        (["3", "3.0", "5"], ["3", "3.0", "5", "5"]),
    ],
)
def test_numbers_are_the_categories_of_the_training_rows(known, expected):
    """An integer may come as a float and the other way round, unless training rows had both."""
    column = Category()
    column.fit(column.parse(known, frozenset())[0])
    values, problems = parsed([3, 3.0, 5, 5.0], column, frozenset())
    assert ([column.texts[code] for code in values], problems) == (expected, [])
