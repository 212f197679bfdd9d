"""Columns of dates."""

import re
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nncli.data.columns import MISSING_TEXTS, ColumnError, Date
from nncli.data.columns.date import PARTS, date_text
from nncli.data.transforms.imputation import Constant, Median
from nncli.data.transforms.quantile import Quantile
from nncli.data.transforms.scaling import Unscaled


def seconds(*arguments):
    """Seconds of a moment in UTC."""
    return datetime(*arguments, tzinfo=UTC).timestamp()


def only_problem(column, text):
    """The reason why a text is no date."""
    values, (problem,) = column.parse([text], MISSING_TEXTS)
    assert np.isnan(values).all()
    return problem.reason


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-03-01", seconds(2024, 3, 1)),
        ("1969-12-31", -86400),
        ("0001-01-01", seconds(1, 1, 1)),
        ("9999-12-31", seconds(9999, 12, 31)),
        ("2024-02-29T10:30", seconds(2024, 2, 29, 10, 30)),
        ("2024-03-01 10:30:15", seconds(2024, 3, 1, 10, 30, 15)),
        ("2024-03-01T10:30:15.25", seconds(2024, 3, 1, 10, 30, 15) + 0.25),
        ("2024-03-01T10:30Z", seconds(2024, 3, 1, 10, 30)),
        ("2024-03-01T10:30:00+02:00", seconds(2024, 3, 1, 8, 30)),
        ("2024-03-01T10:30:00-0530", seconds(2024, 3, 1, 16)),
    ],
)
def test_iso_dates_are_read(text, expected):
    """With a time, a fraction, and an offset; UTC without one."""
    assert Date().parse([text], MISSING_TEXTS)[0].tolist() == [expected]


ISO = "is not an ISO 8601 date such as 2024-03-31"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("01.03.2024", f'{ISO}; write it so, or train with format: "%d.%m.%Y"'),
        ("1/2/2024", f'{ISO}; write it so, or train with format: "%d/%m/%Y" or "%m/%d/%Y"'),
        ("01-02-2024", f'{ISO}; write it so, or train with format: "%d-%m-%Y" or "%m-%d-%Y"'),
        ("2024/03/01", f'{ISO}; write it so, or train with format: "%Y/%m/%d"'),
        ("20240301", f'{ISO}; write it so, or train with format: "%Y%m%d"'),
        ("March", f'{ISO}; write it so, or train with its format, such as format: "%d.%m.%Y"'),
        ("2024-3-1", f'{ISO}; write it so, or train with its format, such as format: "%d.%m.%Y"'),
        ("2024-03-01T24:00", f'{ISO}; write it so, or train with its format, such as format: "%d.%m.%Y"'),
        ("2024-03-01x", f'{ISO}; write it so, or train with its format, such as format: "%d.%m.%Y"'),
        ("２０２４-03-01", f'{ISO}; write it so, or train with its format, such as format: "%d.%m.%Y"'),
    ],
)
def test_without_a_format_no_other_date_is_read(text, reason):
    """Day and month are not guessed; the message has the format to write."""
    assert only_problem(Date(), text) == f"'{text}' {reason}"


@pytest.mark.parametrize(
    ("format_", "text"),
    [
        (None, "2024-02-30"),
        (None, "2023-02-29"),
        (None, "2024-13-01"),
        (None, "2024-03-01T10:61"),
        ("%d.%m.%Y", "30.02.2024"),
    ],
)
def test_date_that_does_not_exist_is_a_problem(format_, text):
    """February 30 is not March 1."""
    assert re.fullmatch(f"'{text}' does not exist: .*; correct it", only_problem(Date(format_), text))


@pytest.mark.parametrize(
    "text", ["2024-02-28", "32.01.2024", "1.1.24", "01.01.2024 10:00", "٠١.٠١.٢٠٢٤", "01.01.20245"]
)
def test_with_a_format_only_that_is_read(text):
    """The message has an example."""
    reason = only_problem(Date("%d.%m.%Y"), text)
    assert reason == f"'{text}' is not a date in the format '%d.%m.%Y', such as 31.03.2024; correct it"


def test_format_with_time_and_offset():
    """All directives of strptime."""
    values, problems = Date("%d/%b/%Y:%H:%M:%S %z").parse(["10/Oct/2000:13:55:36 -0700", "NA"], MISSING_TEXTS)
    np.testing.assert_equal(values, [seconds(2000, 10, 10, 20, 55, 36), float("nan")])
    assert problems == []


@pytest.mark.parametrize(
    ("format_", "message"),
    [
        ("%d.%m.", 'has no year; write one, such as "%d.%m.%Y"'),
        ("%%Y", "has no year"),
        ("%Y %q", "bad directive"),
        ("%Y%", "stray %"),
    ],
)
def test_format_that_gives_no_date_is_rejected(format_, message):
    """When the column is built; the error names the key."""
    with pytest.raises(ColumnError, match=message) as error:
        Date(format_)
    assert error.value.key == "format"


@given(st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)))
def test_parts_are_those_of_datetime(moment):
    """Before and after 1970."""
    values = np.array([(moment.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()])
    moment = datetime.fromisoformat(date_text(float(values[0])))  # to the millisecond
    values = np.array([(moment.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()])
    expected = {name: getattr(moment, name) for name in ("year", "month", "day", "hour")}
    expected |= {"weekday": moment.weekday(), "seconds": values[0]}
    assert {name: part(values)[0] for name, part in PARTS.items()} == expected


def test_each_part_is_an_input_that_is_scaled_by_itself():
    """In the order of ``parts``; those that are constant are left out."""
    column = Date(parts=["month", "year", "day", "seconds"], transform=Unscaled())
    values, _ = column.parse(["2024-01-31", "2024-03-31"], MISSING_TEXTS)
    column.fit(values)
    assert column.names("joined") == ["joined_month", "joined_seconds"]
    assert column.apply(values).tolist() == [[1, values[0]], [3, values[1]]]
    scaled = Date(transform=Quantile("uniform"))
    scaled.fit(np.array([seconds(2023, 1, 1), seconds(2024, 5, 2)]))
    assert scaled.names("x") == ["x_year", "x_month", "x_day", "x_weekday"]
    assert scaled.apply(np.array([seconds(2024, 1, 1)])).tolist() == [[0.75, 0.25, 0.25, 0.25]]  # a Monday


def test_same_date_everywhere_is_constant():
    """No part is left."""
    column = Date()
    column.fit(np.full(3, seconds(2024, 1, 1)))
    assert column.is_constant
    assert column.names("x") == []


def test_missing_date_is_replaced_by_a_date():
    """The median, or a constant in the format of the column."""
    column = Date(parts=["day"], transform=Unscaled(), missing=Median())
    column.fit(np.array([seconds(2024, 1, 1), seconds(2024, 1, 5), seconds(2024, 1, 3), float("nan")]))
    assert column.apply(np.array([float("nan")])).tolist() == [[3]]
    assert Date("%d.%m.%Y", missing=Constant("02.01.1970")).fitted_fill(np.zeros(0)) == 86400


@pytest.mark.parametrize("value", ["2024-01-01", "30.02.2024", 3.0, True])
def test_constant_has_to_be_a_date(value):
    """In the format of the column."""
    with pytest.raises(ColumnError) as error:
        Date("%d.%m.%Y", missing=Constant(value))
    assert error.value.key == "missing"


def test_damaged_state_names_the_key():
    """Also that of a part."""
    column = Date(parts=["year"])
    column.fit(np.array([seconds(2023, 1, 1), seconds(2024, 5, 2)]))
    state = column.state()
    for parts, key in (
        ({"month": {"center": 1.0, "scale": 1.0}}, r"parts\.month: not one of year"),
        ({"year": {"center": 1.0, "scale": 0.0}}, r"parts\.year\.scale"),
        ({"year": None}, r"parts\.year"),
    ):
        with pytest.raises(ValueError, match=f"^{key}"):
            Date(parts=["year"]).restore({**state, "parts": parts})
