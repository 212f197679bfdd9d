"""Arrays in one arena."""

import numpy as np
import pytest

from nncli.nn.kernels.alignment import CACHE_LINE
from nncli.nn.kernels.memory import HUGE_PAGE, ArraySpec, MemoryPlan, bit_pattern

DTYPES = [np.dtype("float32"), np.dtype("float64")]


@pytest.mark.parametrize("dtype", DTYPES)
def test_arrays_are_column_major_aligned_and_apart(dtype):
    """Filling one of them changes no other one; their starts are in different cache sets, even of whole pages."""
    plan = MemoryPlan(dtype)
    slots = [plan.add(ArraySpec(*shape)) for shape in ((4, 3), (1024, 8), (1, 1), (1024, 8), (5, 7))]
    arena = plan.allocate()
    arrays = [arena.array(slot) for slot in slots]
    for value, array in enumerate(arrays, 1):
        array[...] = value
    assert [np.unique(array).tolist() for array in arrays] == [[1], [2], [3], [4], [5]]
    assert [array.shape for array in arrays] == [(4, 3), (1024, 8), (1, 1), (1024, 8), (5, 7)]
    starts = [array.ctypes.data for array in arrays]
    assert all(array.flags.f_contiguous and array.dtype == dtype for array in arrays)
    assert all(start % CACHE_LINE == 0 for start in starts)
    assert starts[1] % 4096 != starts[3] % 4096


@pytest.mark.parametrize("dtype", DTYPES)
def test_size_is_that_of_the_arrays(dtype):
    """With less than two cache lines for each of them; the last one ends within the arena."""
    plan = MemoryPlan(dtype)
    slots = [plan.add(ArraySpec(rows, 3)) for rows in range(1, 40)]
    exact = sum(rows * 3 * dtype.itemsize for rows in range(1, 40))
    assert exact + 39 * CACHE_LINE <= plan.nbytes < exact + 39 * 2 * CACHE_LINE
    array = plan.allocate().array(slots[-1])
    assert array.ctypes.data + array.nbytes <= array.base.ctypes.data + plan.nbytes


def test_arrays_have_their_initial_value():
    """Zero by default."""
    plan = MemoryPlan(np.dtype("float32"))
    slots = plan.add(ArraySpec(2, 3)), plan.add(ArraySpec(4, 1, 1))
    zeros, ones = (plan.allocate().array(slot) for slot in slots)
    assert (zeros.any(), ones.ravel().tolist()) == (False, [1, 1, 1, 1])


def test_first_columns_are_a_view():
    """An array with fewer columns begins at the same offset."""
    plan = MemoryPlan(np.dtype("float64"))
    slot, arena = plan.add(ArraySpec(3, 4)), plan.allocate()
    arena.array(slot, 2)[...] = 5
    np.testing.assert_array_equal(arena.array(slot), [[5, 5, 0, 0]] * 3)


@pytest.mark.parametrize("dtype", DTYPES)
def test_padded_columns_take_an_odd_number_of_cache_lines(dtype):
    """If they are long; the array has the length that was asked for."""
    plan, rows = MemoryPlan(dtype), 512 // dtype.itemsize
    long, short = plan.add(ArraySpec(rows, 3, padded=True)), plan.add(ArraySpec(3, 3, padded=True))
    arena = plan.allocate()
    assert arena.array(long).shape == (rows, 3)
    assert arena.array(long).strides == (dtype.itemsize, 512 + CACHE_LINE)
    assert arena.array(short).strides == (dtype.itemsize, 3 * dtype.itemsize)


@pytest.mark.parametrize("dtype", DTYPES)
def test_bit_pattern_is_a_view_as_unsigned_integers(dtype):
    """0 for 0.0, positive for any other value, NaN too; it shares the memory."""
    array = np.zeros((6, 1), dtype)
    array[:, 0] = [0.0, np.nextafter(dtype.type(0), 1), 1.5, np.inf, np.nan, -np.nan]
    for values in (array, array.copy(), array[:]):
        assert bit_pattern(values).shape == (6, 1)
        assert (bit_pattern(values)[:, 0] > 0).tolist() == [False] + 5 * [True]
    bit_pattern(array)[...] = 0
    assert not array.any()


@pytest.mark.parametrize(
    ("buffer", "resident"),
    [
        (ArraySpec(2 * HUGE_PAGE, 1, constant=True), HUGE_PAGE),
        (ArraySpec(100, 1, constant=True), 100 * 8),
        (ArraySpec(2 * HUGE_PAGE, 1, 1, constant=True), 2 * HUGE_PAGE * 8),
        (ArraySpec(2 * HUGE_PAGE, 1), 2 * HUGE_PAGE * 8),
    ],
)
def test_zeros_that_are_only_read_take_one_page(buffer, resident):
    """At most a huge page; other arrays take all of theirs."""
    plan = MemoryPlan(np.dtype("float64"))
    plan.add(buffer)
    assert resident <= plan.resident_bytes < resident + 2 * CACHE_LINE
    assert plan.nbytes >= buffer.rows * 8
