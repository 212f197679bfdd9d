"""The curves of the live display: their scale, their ends, and that each line has its width."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nncli.cli.render.live_curves import Curve, axis_of, diagram


def curve(values, label="training"):
    """A curve with a value at each epoch."""
    return Curve(label, "red", range(len(values)), values)


def drawn(curves, width=50, height=5, *, is_colored=False):
    """The lines as strings."""
    return [line.plain for line in diagram(curves, "loss", width, height, is_colored=is_colored)]


@pytest.mark.parametrize(
    ("values", "is_logarithmic"),
    [([1.0, 0.2], False), ([1.0, 0.1], True), ([1.0, 0.0], False), ([1.0, 0.05, 0.0], True), ([1.0, -0.001], False)],
)
def test_scale_is_logarithmic_where_values_span_a_decade(values, is_logarithmic):
    """Zero has no logarithm and is drawn at the bottom; with negative values the scale stays linear."""
    assert axis_of([curve(values)]).is_logarithmic == is_logarithmic
    assert ("(log)" in "".join(drawn([curve(values)]))) == is_logarithmic


def test_logarithmic_scale_gives_each_decade_the_same_height():
    """A loss that falls by a decade in each epoch is a straight line."""
    lines = drawn([curve([1.0, 0.1, 0.01, 0.001, 0.0001])], height=5)
    lengths = [line.count("t", 0, 50 - len(" training")) for line in lines[:-1]]
    assert np.ptp(lengths[1:-1]) <= 1
    assert min(lengths) > 3


def test_curves_begin_and_end_where_their_values_are():
    """The training loss falls from the top to the bottom, the validation loss rises; each ends beside its name."""
    lines = drawn([curve([4.0, 3.0, 1.0]), curve([2.0, 3.0, 4.0], "validation")])
    assert lines[0].startswith("4.00 t")
    assert lines[0].endswith("v validation")
    assert lines[4].endswith("t training")
    assert lines[5].split() == ["0", "epoch", "2"]


def test_first_curve_is_on_top():
    """Where two have the same values, the letter is that of the first one."""
    lines = drawn([curve([1.0, 2.0]), curve([1.0, 2.0], "validation")])
    drawings = "".join(line[5 : 50 - len(" validation")] for line in lines[:-1])
    assert set(drawings) == {" ", "t"}


def test_braille_has_the_dots_of_the_curve():
    """A constant is one row of dots, in the color of the curve."""
    line = diagram([curve([1.0, 1.0])], "loss", 40, 3, is_colored=True)[1]
    dots = [character for character in line.plain if "\u2801" <= character <= "\u28ff"]
    assert len(set(dots)) == 1
    assert len(dots) == 40 - len("1.00 ") - len(" training")
    assert {str(span.style) for span in line.spans} == {"dim", "red"}


@given(
    st.lists(st.floats(-1e308, 1e308), min_size=1, max_size=60),
    st.integers(34, 120),
    st.integers(2, 24),
    st.booleans(),
)
def test_every_line_fits(values, width, height, is_colored):
    """Whatever the values are, even of the largest magnitude, there is one line per height, and one for the epochs."""
    lines = drawn([curve(values), curve(values[:1], "validation")], width, height, is_colored=is_colored)
    assert len(lines) == height + 1
    assert max(map(len, lines)) <= width
