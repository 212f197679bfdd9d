"""How arrays are printed: aligned, and long ones abbreviated."""

from pathlib import Path

import numpy as np
import pytest

from nncli.analysis.explanation import explain
from nncli.cli.render.explain import array_lines, as_document

SHORT, LONG = 7, 8  # the most entries that are shown completely, and the fewest that are not


def words(line):
    return line.split()


def test_scalar_follows_its_name():
    """A scalar takes one line."""
    assert array_lines("mean", np.asarray(0.123456), 4) == ["mean = 0.1235"]


def test_vector_is_one_row():
    """The shape of a vector is written as in Python, with its values below."""
    assert array_lines("biases", np.array([1.5, -2.0]), 4) == ["biases (2,)", "    1.5   -2"]


def test_matrix_has_one_line_per_row():
    """Values are right-aligned over all rows."""
    assert array_lines("W", np.array([[1, -20], [0.25, 3]]), 4) == ["W (2, 2)", "       1   -20", "    0.25     3"]


def test_column_has_one_line_per_row():
    """One column is a matrix like any other."""
    assert array_lines("Y", np.array([[1.0], [2.0]]), 4) == ["Y (2, 1)", "    1", "    2"]


def test_integers_have_no_decimal_point():
    """Class labels have no decimal point, whatever their dtype."""
    assert array_lines("targets", np.array([0, 2, 1], np.uint8), 4)[1] == "    0  2  1"


@pytest.mark.parametrize("count", [1, 6, SHORT])
def test_short_arrays_are_complete(count):
    """Up to seven entries of a vector, a row or a column are all shown."""
    numbers = np.arange(count, dtype=float)
    assert words(array_lines("v", numbers, 4)[1]) == [str(i) for i in range(count)]
    assert "…" not in "".join(array_lines("m", np.outer(numbers, numbers), 4))
    assert len(array_lines("m", np.outer(numbers, numbers), 4)) == 1 + count


@pytest.mark.parametrize("count", [LONG, 64, 1000])
def test_long_arrays_are_abbreviated(count):
    """The first four and the last two are shown around an ellipsis; the shape has the count."""
    ends = ["0", "1", "2", "3", "…", str(count - 2), str(count - 1)]
    shape, row = array_lines("v", np.arange(count, dtype=float), 4)
    assert (shape, words(row)) == (f"v ({count},)", ends)
    column = array_lines("c", np.arange(count, dtype=float)[:, None], 4)
    assert [words(line)[0] for line in column[1:]] == ends


def test_large_matrix_shows_its_corners():
    """A matrix with many rows and columns shows its corners, and an ellipsis for the rows between."""
    lines = array_lines("m", np.arange(100.0).reshape(10, 10), 4)
    assert lines[0] == "m (10, 10)"
    assert words(lines[1]) == ["0", "1", "2", "3", "…", "8", "9"]
    assert words(lines[5]) == ["…"]
    assert words(lines[7]) == ["90", "91", "92", "93", "…", "98", "99"]
    assert len({len(line) for line in (*lines[1:5], *lines[6:])}) == 1


@pytest.mark.parametrize(("digits", "written"), [(1, "0.7"), (3, "0.667"), (17, "0.66666666666666663")])
def test_digits(digits, written):
    """Values are rounded to the given number of digits; 17 digits are bit-exact."""
    assert words(array_lines("x", np.array([2 / 3]), digits)[1]) == [written]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_minus_zero_is_zero(dtype):
    """Negative zero is shown without its sign; a tiny negative value keeps it."""
    assert words(array_lines("x", np.array([-0.0, 0.0, -1e-30], dtype), 2)[1]) == ["0", "0", "-1e-30"]
    assert array_lines("x", np.asarray(-0.0, dtype), 2) == ["x = 0"]


def test_array_is_not_written_to():
    """Rendering changes no value, not even the sign of a zero."""
    numbers = np.array([[-0.0, 1.0]])
    numbers.flags.writeable = False
    array_lines("x", numbers, 3)
    assert np.signbit(numbers[0, 0])


def test_document_has_complete_arrays(workdir):
    """In the JSON document every array is a complete list, and the explanation is unchanged."""
    explanation = explain(Path("config.yaml"), ("layers[0].units=64",), 2)
    for step, written in zip(explanation.steps, as_document(explanation)["steps"], strict=True):
        assert list(written["arrays"]) == list(step.arrays)
        for name, array in step.arrays.items():
            assert isinstance(array, np.ndarray)
            np.testing.assert_array_equal(np.array(written["arrays"][name], array.dtype), array)


@pytest.mark.parametrize("digits", [2, 6, 12])
def test_rows_stay_within_the_width(digits):
    """Of long values fewer are shown, so that no line exceeds the width."""
    array = np.random.default_rng(0).normal(size=(3, 40)) * 1e-5
    assert all(len(line) <= 78 for line in array_lines("x", array, digits, 78))
