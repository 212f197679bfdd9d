"""Buffers, and the column of ones that follows each."""

from weakref import ref

import numpy as np
import pytest

from nncli.nn.kernels.alignment import CACHE_LINE
from nncli.nn.kernels.buffers import BufferPool, bit_pattern, copy_to_buffer, is_buffer


@pytest.fixture(params=["float32", "float64"])
def buffers(request):
    """An empty pool of each dtype."""
    return BufferPool(np.dtype(request.param))


def test_buffer_is_allocated_once_column_major_and_aligned(buffers):
    """The same name and shape give the same array, another shape another one."""
    array = buffers["outputs", 4, 3]
    assert array.shape == (4, 3)
    assert array.dtype == buffers.dtype
    assert array.flags.f_contiguous
    assert array.ctypes.data % CACHE_LINE == 0
    assert buffers["outputs", 4, 3] is array
    assert buffers["outputs", 3, 4] is not array


def test_bias_column_follows_a_buffer(buffers):
    """[X 1] of a buffer of any pool shares its memory, and its ones stay when X is filled."""
    array = buffers["outputs", 4, 3]
    array[...] = 7
    extended = BufferPool(buffers.dtype).with_bias_column(array)
    np.testing.assert_array_equal(extended, [[7, 7, 7, 1]] * 4)
    assert np.shares_memory(extended, array)


@pytest.mark.parametrize(
    "derive",
    [
        pytest.param(lambda array: array.copy(), id="a copy"),
        pytest.param(lambda array: array[::-1], id="reversed rows"),
        pytest.param(lambda array: array[:, ::-1], id="reversed columns"),
        pytest.param(lambda array: array[:2], id="some rows"),
        pytest.param(lambda array: array[:, :2], id="some columns"),
        pytest.param(lambda array: array[:], id="another view"),
    ],
)
def test_array_that_is_no_complete_buffer_is_copied(buffers, derive):
    """Any other array, such as a view of a buffer, is copied to get a column of ones, and not written to."""
    array = buffers["outputs", 4, 3]
    array[...] = np.arange(12).reshape(4, 3)
    inputs = derive(array)
    before, extended = inputs.copy(), buffers.with_bias_column(inputs)
    np.testing.assert_array_equal(extended, np.hstack([before, np.ones((len(before), 1))]))
    assert not np.shares_memory(extended, array)
    np.testing.assert_array_equal(inputs, before)


def test_bit_pattern_is_a_view_as_unsigned_integers(buffers):
    """0 for 0.0, positive for any other value, NaN too; it shares the memory."""
    array = buffers["outputs", 6, 1]
    array[:, 0] = [0.0, np.nextafter(buffers.dtype.type(0), 1), 1.5, np.inf, np.nan, -np.nan]
    for values in (array, array.copy(), array[:]):
        assert bit_pattern(values).shape == (6, 1)
        assert (bit_pattern(values)[:, 0] > 0).tolist() == [False] + 5 * [True]
    bit_pattern(array)[...] = 0
    assert not array.any()


def test_unreferenced_buffer_is_freed_immediately(buffers):
    """No reference cycle delays it until the next garbage collection."""
    array = copy_to_buffer(np.ones((4, 3)), buffers.dtype)
    storage = ref(array.base)
    extended = buffers.with_bias_column(array)
    del array
    assert storage() is not None  # [X 1] refers to it
    del extended
    assert storage() is None


def test_buffer_of_the_same_dtype_is_not_copied(buffers):
    """A buffer of any pool is used as it is; one of another dtype is copied."""
    array = buffers["zeros", 4, 3]
    assert BufferPool(buffers.dtype).as_buffer(array) is array
    assert BufferPool(np.dtype("float16")).with_bias_column(array).dtype == "float16"
    assert BufferPool(np.dtype("float16")).as_buffer(array) is not array


def test_buffers_named_zeros_and_ones_are_filled(buffers):
    """They hold the value of their name."""
    assert (buffers["ones", 2, 3] == 1).all()
    assert (buffers["zeros", 2, 3] == 0).all()


def test_copy_to_buffer_returns_a_new_buffer(buffers):
    """Values of any dtype are copied once, and then used without a copy."""
    values = np.arange(6).reshape(2, 3)
    array = copy_to_buffer(values, buffers.dtype)
    np.testing.assert_array_equal(array, values)
    assert buffers.as_buffer(array) is array
    assert is_buffer(array)
    assert not is_buffer(values)
