"""The state of the preprocessing of arrays, as a run keeps it."""

import json

import numpy as np
import pytest

from nncli.data.array_preprocessing import ArrayPreprocessing
from nncli.data.dataset import Dataset
from nncli.data.lazy_rows import RawRows

VALUES = np.random.default_rng(0).normal(5, 3, (40, 3))
TARGETS = np.random.default_rng(1).normal(100, 20, (40, 2))


def fitted():
    return ArrayPreprocessing.fit(Dataset(RawRows(VALUES), TARGETS, None), None)


def test_a_restored_preprocessing_gives_the_same_bits():
    """Through JSON, for inputs and for targets."""
    restored = ArrayPreprocessing.restore(json.loads(json.dumps(fitted().state())))
    assert np.array_equal(restored.inputs(VALUES, "float32")[:], fitted().inputs(VALUES, "float32")[:])
    assert np.array_equal(restored.scaling.apply(TARGETS), fitted().scaling.apply(TARGETS))
    assert (restored.shape, restored.dtype) == ((3,), np.float64)


def test_the_values_of_a_image_are_scaled_alike():
    """One mean and one deviation, where columns have one each."""
    images = np.random.default_rng(0).integers(0, 256, (40, 3, 2), dtype=np.uint8)
    values = ArrayPreprocessing.fit(Dataset(RawRows(images), TARGETS, None), "standardize").values
    assert (values.center.tolist(), values.scale.tolist()) == (
        [pytest.approx(images.mean())],
        [pytest.approx(images.std())],
    )
    assert fitted().values.center == pytest.approx(VALUES.mean(axis=0))


DAMAGES = {
    "shape": [0],
    "dtype": "nonsense",
    "center": [1.0, 2.0],
    "scale": [1.0, 0.0, 1.0],
    "targets": {"mean": [1.0], "scale": [0.0]},
}


@pytest.mark.parametrize("key", DAMAGES)
def test_a_damaged_state_is_rejected(key):
    """The message begins with the key."""
    with pytest.raises(ValueError, match=f"^{key}"):
        ArrayPreprocessing.restore({**fitted().state(), key: DAMAGES[key]})


def test_keys_of_a_later_version_are_ignored():
    """A run of a later version stays readable."""
    assert ArrayPreprocessing.restore({**fitted().state(), "more": 1}).shape == (3,)


def test_scale_of_another_length_is_rejected():
    """It would scale all columns alike."""
    with pytest.raises(ValueError, match=r"^scale: 1 values for 3 centers"):
        ArrayPreprocessing.restore({**fitted().state(), "scale": [1.0]})
