"""ISO dates many at a time, against those of ``datetime``."""

import random

import numpy as np
import pytest

from nncli.data.columns import Date
from nncli.data.columns.iso_dates import plain_dates


@pytest.mark.parametrize("time", ["", " {:02}:{:02}", "T{:02}:{:02}:{:02}"])
def test_dates_are_those_of_datetime(time):
    """Each date that exists has its seconds; a date that does not exist leaves all of them to the strict reader."""
    rng, read = random.Random(time), Date().value
    for _ in range(300):
        day = f"{rng.randint(0, 9999):04}-{rng.randint(0, 13):02}-{rng.randint(0, 32):02}"
        text = day + time.format(rng.randint(0, 24), rng.randint(0, 60), rng.randint(0, 60))
        values = plain_dates(["2024-02-29" + time.format(1, 2, 3), text])
        assert np.isnan(read(text)) if values is None else values[1] == read(text), text


OTHERS = ["2024-3-001", "2024-03-0x", "2024-03-0٣", "2024/03/01", "20240301  ", "-024-03-01", ""]


@pytest.mark.parametrize("text", OTHERS)
def test_other_texts_are_left_to_the_strict_reader(text):
    """Texts of the same length that are no dates, and of another one."""
    assert plain_dates(["2024-03-01", text]) is None
    assert plain_dates([text]) is None
