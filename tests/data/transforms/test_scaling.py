"""Transforms of numbers, compared with naive formulas, and what all of them have in common."""

import json
import statistics
from math import copysign, log1p

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nncli.data.transforms  # noqa: F401 (registers the transforms)
from nncli.registry import components, names

TRANSFORMS = [entry.name for entry in components("transform")]
VALUES = np.array([3.0, -1.5, 0.0, 12.25, 3.0, 7.0, 1e3, -40.0])
PROBES = np.array([-1e6, -1.5, -0.0, 0.0, 2.2, 5.0, 1e9])


def fitted(name, values=VALUES, **parameters):
    """A transform fitted to a copy."""
    transform = names("transform")[name].target(**parameters)
    transform.fit(np.array(values, np.float64))
    return transform


def quartiles(values):
    """The quartiles by the standard library, which includes both ends like NumPy's linear method."""
    return statistics.quantiles(values, n=4, method="inclusive")


def signed_log(x):
    """sign(x) log(1 + |x|)."""
    return copysign(log1p(abs(x)), x)


REFERENCES = {
    "standardize": lambda x, v: (x - statistics.fmean(v)) / statistics.pstdev(v),
    "min_max": lambda x, v: (x - min(v)) / (max(v) - min(v)),
    "robust": lambda x, v: (x - statistics.median(v)) / (quartiles(v)[2] - quartiles(v)[0]),
    "log": lambda x, v: REFERENCES["standardize"](signed_log(x), [signed_log(each) for each in v]),
    "symmetric": lambda x, v: (x - 127.5) / 127.5,
    "none": lambda x, v: x,
}


@pytest.mark.parametrize("name", [name for name in TRANSFORMS if name != "quantile"])
def test_transform_is_its_formula(name):
    """On training values and on others."""
    transform = fitted(name)
    for values in (VALUES, PROBES):
        expected = [REFERENCES[name](x, VALUES.tolist()) for x in values.tolist()]
        np.testing.assert_allclose(transform.apply(values), expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", TRANSFORMS)
@given(values=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20), data=st.data())
def test_restored_transform_has_the_same_bits(name, values, data):
    """From JSON, at any magnitude; no training value becomes NaN, and none but an outlier for robust infinite."""
    transform, restored = fitted(name, values), names("transform")[name].target()
    restored.restore(json.loads(json.dumps(transform.state(), allow_nan=False)))
    probes = np.array(values + data.draw(st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=5)))
    assert transform.apply(probes).tobytes() == restored.apply(probes).tobytes()
    scaled = transform.apply(np.array(values))
    assert not np.isnan(scaled).any() if name == "robust" else np.isfinite(scaled).all()


@pytest.mark.parametrize("name", TRANSFORMS)
def test_chunks_have_the_bits_of_the_whole(name):
    """Whatever the length of a chunk and the distance between its values in memory."""
    values = np.random.default_rng(0).normal(0, 100, (1001, 3))[:, 1]
    transform = fitted(name, values)
    whole = transform.apply(values)
    for size in (1, 3, 8, 64, 1000):
        chunks = [transform.apply(values[start : start + size]) for start in range(0, len(values), size)]
        assert np.concatenate(chunks).tobytes() == whole.tobytes()


@pytest.mark.parametrize("name", TRANSFORMS)
@pytest.mark.parametrize("values", [[5.0] * 7, [0.3, 0.1 + 0.2] * 4, [0.0], [1e300] * 3], ids=str)
def test_constant_column_is_reported_and_finite(name, values):
    """Rounding noise counts as constant; nothing is divided by zero, also for other values."""
    transform = fitted(name, values)
    assert transform.is_constant
    assert np.isfinite(transform.apply(np.array([*values, 1.0, -3.0]))).all()


@pytest.mark.parametrize("name", TRANSFORMS)
def test_varying_column_is_not_constant(name):
    """Two values are enough."""
    assert not fitted(name, [1.0, 1.0, 2.0]).is_constant


@pytest.mark.parametrize("name", TRANSFORMS)
def test_apply_leaves_its_argument_alone(name):
    """The result is a new array."""
    values = VALUES.copy()
    transform = fitted(name)
    assert not np.shares_memory(transform.apply(values), values)
    assert values.tobytes() == VALUES.tobytes()


def test_huge_values_do_not_overflow():
    """Differences and squares of the largest numbers."""
    values = np.array([-1.7e308, 1.7e308, 0.0])
    np.testing.assert_allclose(fitted("standardize", values).apply(values), [-(1.5**0.5), 1.5**0.5, 0])
    np.testing.assert_allclose(fitted("robust", values).apply(values), [-1, 1, 0])
    assert fitted("min_max", values).apply(values).max() <= 2


def test_robust_falls_back_to_the_deviation():
    """If half of the values are equal, a range of 0 would leave the others as large as they are."""
    values = [0.0] * 9 + [1000.0]
    assert fitted("robust", values).apply(np.array([1000.0]))[0] == pytest.approx(1000 / statistics.pstdev(values))


@pytest.mark.parametrize("name", ["standardize", "min_max", "robust", "log"])
@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"scale": 0.0}, "scale"),
        ({"scale": -1.0}, "scale"),
        ({"scale": 5e-324}, "scale"),
        ({"center": float("nan")}, "center"),
        ({"center": "1"}, "center"),
        ({"center": None}, "center"),
        ({"other": 1}, "other"),
    ],
    ids=str,
)
def test_damaged_state_is_rejected(name, change, key):
    """The message names the key."""
    with pytest.raises(ValueError, match=rf"^{key}: "):
        fitted(name).restore({"center": 1.0, "scale": 2.0, **change})


@pytest.mark.parametrize("name", TRANSFORMS)
@pytest.mark.parametrize("state", [[], None, 3, "x", {"unknown": 1}], ids=str)
def test_state_of_another_form_is_rejected(name, state):
    """A list, a number, another transform's."""
    with pytest.raises(ValueError, match=r"state: |unknown: |center: |quantiles: "):
        fitted(name).restore(state)
