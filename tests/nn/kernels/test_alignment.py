"""BufferStorage that begins where a line of the cache does."""

import numpy as np
import pytest

from nncli.nn.kernels.alignment import CACHE_LINE, aligned_offset, pad_to_odd_cache_lines, zeros
from nncli.nn.optimizers.adam import Adam
from nncli.nn.parameters import Parameters, stacked


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(1,), (7,), (3, 5), (100_000,)])
def test_zeros_begin_a_line(shape, dtype):
    """Shape, format and content are those of NumPy's zeros, and the first number begins a line."""
    array = zeros(shape, np.dtype(dtype))
    np.testing.assert_array_equal(array, np.zeros(shape, dtype), strict=True)
    assert array.ctypes.data % CACHE_LINE == 0
    assert array.flags.c_contiguous
    assert array.flags.writeable


def test_a_line_begins_within_a_line():
    """Wherever bytes begin, the next line is less than a line away."""
    raw = np.zeros(3 * CACHE_LINE, np.uint8)
    for start in range(CACHE_LINE):
        part = raw[start:]
        assert 0 <= aligned_offset(part) < CACHE_LINE
        assert (part.ctypes.data + aligned_offset(part)) % CACHE_LINE == 0


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_rows_of_an_odd_number_of_lines(dtype):
    """No fewer columns than asked for, fewer than two lines more; each row but a short one begins a line."""
    size = np.dtype(dtype).itemsize
    for columns in range(1, 300):
        found = pad_to_odd_cache_lines(columns, np.dtype(dtype))
        if columns * size < 4 * CACHE_LINE:
            assert found == columns
        else:
            assert 0 <= found - columns < 2 * CACHE_LINE // size
            assert found * size % (2 * CACHE_LINE) == CACHE_LINE


def test_the_vectors_of_a_training_are_aligned():
    """Values, gradients and what an optimizer remembers each begin a line."""
    parameters, adam = Parameters({"weights": (3, 7)}, np.dtype("float32")), Adam()
    adam.attach(parameters.trainable, parameters.gradients)
    vectors = parameters.values, parameters.gradients, *adam.state.values()
    assert [vector.ctypes.data % CACHE_LINE for vector in vectors] == [0] * 4


def test_what_does_not_follow_in_memory_is_not_stacked():
    """[W; b] is one view only where b lies right behind W."""
    whole = np.arange(9.0)
    weights, biases = whole[:6].reshape(2, 3), whole[6:]
    np.testing.assert_array_equal(stacked(weights, biases), whole.reshape(3, 3))
    for upper, lower in ((weights.copy(), biases), (weights, whole[5:8]), (whole[:6].reshape(3, 2).T, biases)):
        with pytest.raises(ValueError, match="do not follow each other"):
            stacked(upper, lower)
