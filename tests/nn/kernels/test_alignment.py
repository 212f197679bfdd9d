"""Cache-line alignment and row padding."""

import numpy as np
import pytest

from nncli.nn.kernels.alignment import CACHE_LINE, aligned_offset, pad_to_odd_cache_lines, zeros
from nncli.nn.optimizers.adam import Adam
from nncli.nn.parameters import Parameters, stacked


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(1,), (7,), (3, 5), (100_000,)])
def test_zeros_are_aligned(shape, dtype):
    """Shape, dtype and values are those of NumPy's zeros, and the array starts at a cache line."""
    array = zeros(shape, np.dtype(dtype))
    np.testing.assert_array_equal(array, np.zeros(shape, dtype), strict=True)
    assert array.ctypes.data % CACHE_LINE == 0
    assert array.flags.c_contiguous
    assert array.flags.writeable


def test_offset_is_less_than_a_cache_line():
    """From any byte, the next cache line starts within one cache line."""
    raw = np.zeros(3 * CACHE_LINE, np.uint8)
    for start in range(CACHE_LINE):
        tail = raw[start:]
        assert 0 <= aligned_offset(tail) < CACHE_LINE
        assert (tail.ctypes.data + aligned_offset(tail)) % CACHE_LINE == 0


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_padding_gives_an_odd_number_of_cache_lines(dtype):
    """Padding adds less than two cache lines, and none to short rows."""
    size = np.dtype(dtype).itemsize
    for columns in range(1, 300):
        found = pad_to_odd_cache_lines(columns, np.dtype(dtype))
        if columns * size < 4 * CACHE_LINE:
            assert found == columns
        else:
            assert 0 <= found - columns < 2 * CACHE_LINE // size
            assert found * size % (2 * CACHE_LINE) == CACHE_LINE


def test_parameters_and_optimizer_state_are_aligned():
    """Values, gradients and each state vector of an optimizer start at a cache line."""
    parameters, adam = Parameters({"weights": (3, 7)}, np.dtype("float32")), Adam()
    adam.attach(parameters.trainable, parameters.gradients)
    vectors = parameters.values, parameters.gradients, *adam.state.values()
    assert [vector.ctypes.data % CACHE_LINE for vector in vectors] == [0] * 4


def test_arrays_that_are_not_adjacent_are_not_stacked():
    """[W; b] is one view only if b directly follows W in memory."""
    vector = np.arange(9.0)
    weights, biases = vector[:6].reshape(2, 3), vector[6:]
    np.testing.assert_array_equal(stacked(weights, biases), vector.reshape(3, 3))
    for upper, lower in ((weights.copy(), biases), (weights, vector[5:8]), (vector[:6].reshape(3, 2).T, biases)):
        with pytest.raises(ValueError, match="not adjacent in memory"):
            stacked(upper, lower)
