"""Units with the same output for all rows."""

import numpy as np
import pytest

from nncli.nn.trace import Kind, Operation
from nncli.training.constant_units import ConstantUnits


def observed(*blocks):
    """What is found in the outputs of a layer, block by block of rows."""
    units = ConstantUnits()
    for block in blocks:
        units.after(Operation(Kind.FORWARD, 1), np.array(block))
    return units


@pytest.mark.parametrize("output", [0.0, 1.0, -1.0])
def test_layer_of_which_all_units_are_constant(output):
    """Dead ReLUs, and tanh that is saturated on either side."""
    units = observed([[output, output], [output, output]])
    assert units.fraction(1) == 1
    assert units.layers[1].tolist() == [output, output]


def test_difference_that_is_only_rounding_is_none():
    """A millionth of the largest output of the layer, of either sign, separates the units."""
    largest = -200.0
    outputs = [[largest, 0.0, 0.0], [0.0, 1.9e-4, 2.1e-4]]
    assert observed(outputs).are_constant(1).tolist() == [False, True, False]


def test_units_that_differ_between_blocks_are_not_constant():
    """The range is that of all rows: lower ones and higher ones later."""
    units = observed([[1.0, 1.0, 1.0]], [[2.0, 0.0, 1.0]])
    assert (units.are_constant(1).tolist(), units.fraction(1)) == ([False, False, True], 1 / 3)
