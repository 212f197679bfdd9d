"""The scaling of targets: mean and deviation by column, undone exactly enough."""

import numpy as np
import pytest

from nncli.data.target_scaling import TargetScaling

TARGETS = np.random.default_rng(0).normal([5, -1e6], [2, 1e3], (50, 2))


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64])
def test_targets_are_standardized_by_column(dtype):
    """Whatever their dtype, which stays as it is."""
    targets = TARGETS.astype(dtype)
    copy = targets.copy()
    scaling = TargetScaling.fit(targets)
    np.testing.assert_allclose(scaling.mean, targets.mean(axis=0, dtype=np.float64), rtol=1e-12)
    np.testing.assert_allclose(scaling.scale, targets.std(axis=0, dtype=np.float64), rtol=1e-9)
    np.testing.assert_allclose(scaling.restore(scaling.apply(targets)), targets, rtol=1e-12)
    np.testing.assert_allclose(scaling.apply(scaling.typical_targets), [[-1, -1], [1, 1]], rtol=1e-6)
    assert np.array_equal(targets, copy)


def test_constant_target_is_only_shifted():
    """Equal up to rounding is constant: a difference of the last bit is not stretched to 1."""
    scaling = TargetScaling.fit(np.array([[0.3, 7], [0.1 + 0.2, 7], [0.3, 7]]))
    assert scaling.scale.tolist() == [1, 1]
    assert scaling.mean.tolist() == [pytest.approx(0.3), 7]


@pytest.mark.parametrize(
    "state",
    [
        None,
        {"mean": [1.0]},
        {"mean": [1.0], "scale": [0.0]},
        {"mean": [1.0], "scale": [-1.0]},
        {"mean": [1.0], "scale": [float("nan")]},
        {"mean": [float("inf")], "scale": [1.0]},
        {"mean": [1.0, 2.0], "scale": [1.0]},
        {"mean": 1.0, "scale": 1.0},
    ],
)
def test_damaged_state_is_rejected(state):
    """A scale of 0 would divide by it."""
    with pytest.raises(ValueError, match=r"^targets: "):
        TargetScaling.from_state(state)
