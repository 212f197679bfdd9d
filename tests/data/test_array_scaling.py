"""The scaling of arrays, compared with the formulas over all rows at once."""

import numpy as np
import pytest

from nncli.data.array_scaling import ArrayScaling
from nncli.data.source import SourceError

VALUES = {
    "floats": np.random.default_rng(0).normal([0, 5, 1e6], [1, 10, 1e-2], (1000, 3)),
    "float32": np.random.default_rng(1).normal(3, 2, (1000, 3)).astype(np.float32),
    "bytes": np.random.default_rng(2).integers(0, 256, (1000, 3), dtype=np.uint8),
    "booleans": np.random.default_rng(3).random((1000, 3)) < 0.3,
    "big-endian": np.random.default_rng(4).integers(-900, 900, (1000, 3)).astype(">i4"),
}
FORMULAS = {
    "standardize": lambda x: (x - x.mean(axis=0)) / x.std(axis=0),
    "min_max": lambda x: (x - x.min(axis=0)) / (x.max(axis=0) - x.min(axis=0)),
    "symmetric": lambda x: (x - 127.5) / 127.5,
    "none": lambda x: x,
}


def blocks(values, size):
    return (values[start : start + size] for start in range(0, len(values), size))


def scaled(scaling, values, dtype):
    out = np.empty(values.shape, dtype)
    scaling.apply(values, out)
    return out


@pytest.mark.parametrize("values", VALUES)
@pytest.mark.parametrize("name", FORMULAS)
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_scaling_is_that_of_the_formula(name, values, size):
    """Whatever the size of the blocks that are measured, each column is scaled as by the formula over all rows."""
    array = VALUES[values]
    scaling = ArrayScaling.fit(name, blocks(array, size), by_column=True)
    expected = FORMULAS[name](array.astype(np.float64))
    assert scaled(scaling, array, np.float64) == pytest.approx(expected, rel=1e-7, abs=1e-7)


@pytest.mark.parametrize("name", ["standardize", "min_max"])
def test_all_values_may_be_scaled_alike(name):
    """The values of an image have one mean and one deviation."""
    array = VALUES["bytes"]
    scaling = ArrayScaling.fit(name, blocks(array, 10), by_column=False)
    expected = FORMULAS[name](array.astype(np.float64).reshape(-1, 1)).reshape(array.shape)
    assert scaled(scaling, array, np.float64) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("values", VALUES)
def test_each_row_is_scaled_alike_in_any_batch(values):
    """A batch of other rows does not change the bits of a row."""
    array = VALUES[values]
    scaling = ArrayScaling.fit("standardize", blocks(array, 100), by_column=True)
    together = scaled(scaling, array, np.float32)
    assert all(np.array_equal(scaled(scaling, array[i : i + 1], np.float32)[0], together[i]) for i in range(100))


def test_large_values_lose_no_digits_in_float32():
    """The center is subtracted in float64 if the values are float64, before they are rounded to float32."""
    array = 1e9 + np.arange(100.0).reshape(-1, 1)
    scaling = ArrayScaling.fit("standardize", [array], by_column=True)
    assert scaled(scaling, array, np.float32) == pytest.approx(FORMULAS["standardize"](array), rel=1e-6)


def test_a_constant_column_becomes_0():
    """It is of no use, but no division by 0 either; if all columns are constant, there is nothing to learn from."""
    array = np.stack([np.full(9, 0.1), np.arange(9.0)], axis=1)
    for name in ("standardize", "min_max"):
        scaling = ArrayScaling.fit(name, [array], by_column=True)
        assert scaled(scaling, array, np.float32)[:, 0] == pytest.approx(np.zeros(9), abs=1e-7)
        with pytest.raises(SourceError, match="no input varies in the training rows"):
            ArrayScaling.fit(name, [array[:, :1]], by_column=True)


def test_values_whose_squares_overflow_are_rejected():
    """A deviation that is infinite would make all inputs 0."""
    with pytest.raises(SourceError, match="too large to be scaled"):
        ArrayScaling.fit("standardize", [np.array([[1e200], [-1e200]])], by_column=True)


def test_values_beyond_the_dtype_of_the_network_are_infinite():
    """They are reported by the training, without a warning of NumPy."""
    scaling = ArrayScaling.fit("none", [], by_column=True)
    assert np.isinf(scaled(scaling, np.array([[1e300]]), np.float32)).all()
