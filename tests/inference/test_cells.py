"""Values of a program as a column parses the fields of a file."""

import numpy as np
import pytest

from nncli.data.columns import Category, Date
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


def test_missing_dates_of_an_array_are_missing():
    """Also if the config does not list NaT."""
    values, problems = parsed(np.array(["2024-03-31", "NaT"], "datetime64[D]"), Date(), frozenset({""}))
    assert (np.isnan(values).tolist(), problems) == ([False, True], [])


def test_numbers_that_stand_for_missing_values_are_missing():
    """In either form."""
    column = Category()
    column.fit(column.parse(["3", "5"], frozenset())[0])
    assert column.is_missing(parsed([9.0, 9, 3], column, frozenset({"", "9"}))[0]).tolist() == [True, True, False]
