"""health.csv is written at full precision, and read strictly."""

import math

import numpy as np
import pytest

from nncli.store import health_csv
from nncli.training.health import DEAD

COLUMNS = ("layers.0.gradient_norm", "layers.0.update_norm", "layers.0.weight_norm", f"layers.1.{DEAD}")
FIRST = health_csv.header(COLUMNS)
ROW = b"0,,,2.0,0.5\n"


def parse(data, last=100):
    return health_csv.parse(data, COLUMNS, last)


@pytest.mark.parametrize("value", [0.1 + 0.2, 5e-324, 1.7976931348623157e308, 0.0, 1 / 3])
def test_value_passes_through_a_row(value):
    """To the last bit, and the row is written again as it was."""
    row = health_csv.line(7, COLUMNS, {**dict.fromkeys(COLUMNS, value), COLUMNS[-1]: 1.0})
    table = parse(FIRST + row)
    assert (table.epochs.tolist(), table.problem) == ([7], None)
    assert table.columns[COLUMNS[0]].tolist() == [value]
    values = {name: column[0].item() for name, column in table.columns.items()}
    assert health_csv.line(7, COLUMNS, values) == row


def test_missing_value_is_empty():
    """In the row of the untrained network there is no gradient."""
    row = health_csv.line(0, COLUMNS, dict(zip(COLUMNS, (math.nan, math.nan, 2.0, 0.5), strict=True)))
    assert row == ROW
    assert np.isnan(parse(FIRST + row).columns["layers.0.update_norm"]).tolist() == [True]


def test_columns_by_layer_have_the_ratio_of_updates():
    """Norm of the update / norm of the weights, NaN where the weights are 0."""
    layers = parse(FIRST + ROW + b"1,1.0,0.5,2.0,0.0\n2,1.0,0.5,0.0,0.0\n").layers()
    assert list(layers) == [0, 1]
    assert np.array_equal(layers[0]["update_ratio"], [np.nan, 0.25, np.nan], equal_nan=True)
    assert layers[1][DEAD].tolist() == [0.5, 0.0, 0.0]


@pytest.mark.parametrize(
    "row",
    [
        b"0,1.0,1.0,2.0,0.5\n",
        b"101,1.0,1.0,2.0,0.5\n",
        b"-1,1.0,1.0,2.0,0.5\n",
        b"x,1.0,1.0,2.0,0.5\n",
        b"1,1.0,1.0,2.0\n",
        b"1,1.0,1.0,2.0,0.5,0.5\n",
        b"1,-1.0,1.0,2.0,0.5\n",
        b"1,1e999,1.0,2.0,0.5\n",
        b"1,nan,1.0,2.0,0.5\n",
        b"1,inf,1.0,2.0,0.5\n",
        b"1, 1.0,1.0,2.0,0.5\n",
        b"1,1.0,1.0,2.0,1.5\n",
        b"1,\xff,1.0,2.0,0.5\n",
        b"\n",
    ],
)
def test_invalid_row_ends_the_rows(row):
    """With its line; the rows before it are there."""
    table = parse(FIRST + ROW + row + b"50,1.0,1.0,2.0,0.5\n")
    assert table.epochs.tolist() == [0]
    assert table.problem.startswith("line 3: ")


def test_incomplete_last_line_is_ignored():
    """As after a power failure."""
    table = parse(FIRST + ROW + b"10,1.0,1.")
    assert (table.epochs.tolist(), table.problem) == ([0], None)


@pytest.mark.parametrize("data", [b"", b"epoch\n", FIRST[:-1], FIRST.replace(b"layers.1", b"layers.2")])
def test_other_first_line_is_rejected(data):
    """Columns follow from the config."""
    with pytest.raises(ValueError, match="its first line does not name the columns"):
        parse(data)
