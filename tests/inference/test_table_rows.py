"""What is counted of the values of a file while its rows are predicted."""

import numpy as np

from nncli.inference.table_rows import MAX_NAMED, CountedValues


def test_first_values_are_kept_and_all_are_counted():
    """Any number of blocks takes no more memory than the values that are named."""
    found, values = CountedValues(), np.arange(15.0)
    for start in range(100, 10_000, 15):
        found.add(np.arange(0, 15, 2), values, range(start, start + 15))
    assert found.count == 660 * 8
    assert len(found.first) == MAX_NAMED
    assert found.first[:9] == [(100 + row, float(row)) for row in range(0, 15, 2)] + [(115, 0.0)]
