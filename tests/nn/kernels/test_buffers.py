"""Where layers work: what lies behind a buffer, and who is taken for one."""

from weakref import ref

import numpy as np
import pytest

from nncli.nn.kernels.alignment import CACHE_LINE
from nncli.nn.kernels.buffers import BufferPool, bit_pattern, copy_to_buffer, is_buffer


@pytest.fixture(params=["float32", "float64"])
def buffers(request):
    """An empty workspace in each number format."""
    return BufferPool(np.dtype(request.param))


def test_a_buffer_is_made_once_column_major_at_the_start_of_a_cache_line(buffers):
    """The same name and shape give the same array; another shape another one."""
    array = buffers["outputs", 4, 3]
    assert array.shape == (4, 3)
    assert array.dtype == buffers.dtype
    assert array.flags.f_contiguous
    assert array.ctypes.data % CACHE_LINE == 0
    assert buffers["outputs", 4, 3] is array
    assert buffers["outputs", 3, 4] is not array


def test_behind_a_buffer_is_a_column_of_ones(buffers):
    """[X 1] of a buffer shares its memory, whoever's buffer it is, and its ones stay when X is filled."""
    array = buffers["outputs", 4, 3]
    array[...] = 7
    whole = BufferPool(buffers.dtype).with_bias_column(array)
    np.testing.assert_array_equal(whole, [[7, 7, 7, 1]] * 4)
    assert np.shares_memory(whole, array)


@pytest.mark.parametrize(
    "foreign",
    [
        pytest.param(lambda array: array.copy(), id="a copy"),
        pytest.param(lambda array: array[::-1], id="reversed rows"),
        pytest.param(lambda array: array[:, ::-1], id="reversed columns"),
        pytest.param(lambda array: array[:2], id="some rows"),
        pytest.param(lambda array: array[:, :2], id="some columns"),
        pytest.param(lambda array: array[:], id="all, as another view"),
    ],
)
def test_what_is_no_whole_buffer_is_copied(buffers, foreign):
    """Any other array, a part of a buffer too, gets its ones in a buffer of its own, and is not written to."""
    array = buffers["outputs", 4, 3]
    array[...] = np.arange(12).reshape(4, 3)
    inputs = foreign(array)
    before, whole = inputs.copy(), buffers.with_bias_column(inputs)
    np.testing.assert_array_equal(whole, np.hstack([before, np.ones((len(before), 1))]))
    assert not np.shares_memory(whole, array)
    np.testing.assert_array_equal(inputs, before)


def test_bits_are_the_numbers_read_as_whole_numbers(buffers):
    """0 for 0.0, more than 0 for whatever else there is; in place."""
    array = buffers["outputs", 6, 1]
    array[:, 0] = [0.0, np.nextafter(buffers.dtype.type(0), 1), 1.5, np.inf, np.nan, -np.nan]
    for numbers in (array, array.copy(), array[:]):
        assert bit_pattern(numbers).shape == (6, 1)
        assert (bit_pattern(numbers)[:, 0] > 0).tolist() == [False] + 5 * [True]
    bit_pattern(array)[...] = 0
    assert not array.any()


def test_what_nobody_holds_is_freed_at_once(buffers):
    """No circle keeps a buffer, and the memory behind it, until garbage is looked for."""
    array = copy_to_buffer(np.ones((4, 3)), buffers.dtype)
    memory = ref(array.base)
    whole = buffers.with_bias_column(array)
    del array
    assert memory() is not None  # [X 1] has it still
    del whole
    assert memory() is None


def test_a_buffer_is_taken_in_as_it_is(buffers):
    """Whoever's it is, it needs no copy; one of another number format does."""
    array = buffers["zeros", 4, 3]
    assert BufferPool(buffers.dtype).as_buffer(array) is array
    assert BufferPool(np.dtype("float16")).with_bias_column(array).dtype == "float16"
    assert BufferPool(np.dtype("float16")).as_buffer(array) is not array


def test_zeros_and_ones_are_called_so(buffers):
    """BufferPool of these names hold just that."""
    assert (buffers["ones", 2, 3] == 1).all()
    assert (buffers["zeros", 2, 3] == 0).all()


def test_what_is_laid_out_is_a_buffer_of_its_own(buffers):
    """Numbers of any format are copied once, and then taken in without a copy."""
    numbers = np.arange(6).reshape(2, 3)
    array = copy_to_buffer(numbers, buffers.dtype)
    np.testing.assert_array_equal(array, numbers)
    assert buffers.as_buffer(array) is array
    assert is_buffer(array)
    assert not is_buffer(numbers)
