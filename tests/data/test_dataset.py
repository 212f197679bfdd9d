"""Data sets: fingerprints, selected rows, and schemas."""

import json

import numpy as np
import pytest
from pydantic_core import ValidationError

from nncli.data.dataset import DataSchema, Dataset

INPUTS, LABELS = np.arange(12.0).reshape(6, 2), np.array([0, 1, 2, 0, 1, 2])
DATASET = Dataset(INPUTS, LABELS, 3)


@pytest.mark.parametrize("index", range(12))
def test_fingerprint_depends_on_every_input(index):
    """Changing the last bit of one input changes the fingerprint."""
    inputs = INPUTS.copy()
    inputs.flat[index] = np.nextafter(inputs.flat[index], np.inf)
    assert Dataset(inputs, LABELS, 3).fingerprint() != DATASET.fingerprint()


@pytest.mark.parametrize("row", range(6))
def test_fingerprint_depends_on_every_target(row):
    """Changing one label or one real-valued target changes the fingerprint."""
    labels, values = LABELS.copy(), INPUTS[:, :1].copy()
    labels[row] = (labels[row] + 1) % 3
    values[row] += 1e-9
    assert Dataset(INPUTS, labels, 3).fingerprint() != DATASET.fingerprint()
    assert Dataset(INPUTS, values, None).fingerprint() != Dataset(INPUTS, INPUTS[:, :1], None).fingerprint()


def test_fingerprint_depends_on_shape_and_dtype():
    """The same bytes with another shape or dtype are another data set."""
    tall, flat = np.zeros((6, 2)), np.zeros((6, 1))
    others = [
        (tall.reshape(3, 4), LABELS),
        (tall, LABELS.reshape(6, 1)),
        (tall.view(np.int64), LABELS),
        (tall, LABELS.view(np.uint64)),
        (flat, np.zeros(12, np.int64)),
    ]
    fingerprints = {Dataset(inputs, targets, 3).fingerprint() for inputs, targets in [(tall, LABELS), *others]}
    assert len(fingerprints) == 6


def test_fingerprint_does_not_depend_on_the_memory_layout():
    """Column-major and strided arrays have the fingerprint of their values."""
    gaps = np.repeat(INPUTS, 2, axis=1)[:, ::2], np.repeat(LABELS, 2)[::2]
    for inputs, labels in (gaps, (np.asfortranarray(INPUTS), LABELS), (INPUTS[::-1][::-1], LABELS)):
        assert Dataset(inputs, labels, 3).fingerprint() == DATASET.fingerprint()


def test_selected_rows_keep_their_targets():
    """Rows are in the order of the indices, each with its target."""
    some = DATASET.rows(np.array([4, 0, 5]))
    np.testing.assert_array_equal(some.inputs, INPUTS[[4, 0, 5]])
    np.testing.assert_array_equal(some.targets, [1, 0, 2])
    assert (some.classes, len(some)) == (3, 3)


def schema(**changes):
    """A schema of two features and three classes, with some values changed."""
    values = {"features": ["x", "y"], "targets": ["class"], "class_names": ["a", "b", "c"], "class_counts": [5, 6, 7]}
    return {**values, **changes}


def test_schema_has_the_sizes_of_a_data_set():
    """Columns, classes and rows follow from names and counts; without class names the rows are one count."""
    classes = DataSchema.model_validate(schema())
    assert (classes.columns, classes.target_columns, classes.classes, classes.rows) == (2, 1, 3, 18)
    regression = DataSchema.model_validate(schema(targets=["u", "v"], class_names=None, class_counts=[9]))
    assert (regression.columns, regression.target_columns, regression.classes, regression.rows) == (2, 2, None, 9)


def test_schema_is_json_and_frozen():
    """What is written as JSON is read back equal, keys of a later version are ignored, and nothing can be changed."""
    written = json.loads(json.dumps(DataSchema.model_validate(schema()).model_dump()))
    assert DataSchema.model_validate({**written, "later": 1}) == DataSchema(**schema())
    with pytest.raises(AttributeError, match="is immutable"):
        DataSchema(**schema()).features = []


@pytest.mark.parametrize(
    "changes",
    [{"features": []}, {"targets": []}, {"class_counts": []}, {"class_counts": [5, -1, 7]}, {"class_names": ["a"]},
     {"class_names": None}, {"class_counts": [10**400, 1, 1]}, {"features": [1]}],
)  # fmt: skip
def test_schema_is_validated(changes):
    """Nothing is empty, each class has rows, and there is one count per class, or one of all rows."""
    with pytest.raises(ValidationError):
        DataSchema.model_validate(schema(**changes))


SAMPLE_WEIGHTS = np.array([0.0, 1.0, 2.0, 3.0, 4.0, 5.0])


def test_weights_in_the_loss_have_mean_1():
    """They are the weights of rows times those of their classes, divided by the mean; else there are none."""
    assert DATASET.loss_weights is None
    rows = Dataset(INPUTS, LABELS, 3, weights=SAMPLE_WEIGHTS)
    np.testing.assert_allclose(rows.loss_weights, SAMPLE_WEIGHTS / 2.5)
    both = Dataset(INPUTS, LABELS, 3, weights=SAMPLE_WEIGHTS, class_weights=np.array([1.0, 10.0, 0.5]))
    products = np.array([0, 10, 1, 3, 40, 2.5])
    np.testing.assert_allclose(both.loss_weights, products / products.mean(), rtol=1e-15)


@pytest.mark.parametrize("weight", [0.1, 1.0, 3.0, 1e300])
def test_equal_weights_are_exactly_1(weight):
    """Multiplying by them changes no bit."""
    dataset = Dataset(INPUTS, LABELS, 3, weights=np.full(6, weight), class_weights=np.full(3, weight))
    np.testing.assert_array_equal(dataset.loss_weights, np.ones(6))


def test_selected_rows_keep_their_weights():
    """Rows are in the order of the indices, each with its weight."""
    assert DATASET.rows(np.array([4, 0])).weights is None
    weighted = Dataset(INPUTS, LABELS, 3, weights=SAMPLE_WEIGHTS)
    np.testing.assert_array_equal(weighted.rows(np.array([4, 0, 5])).weights, [4, 0, 5])


def test_fingerprint_depends_on_weights_of_rows():
    """The weights of classes belong to the config, not to the data."""
    prints = [Dataset(INPUTS, LABELS, 3, weights=each).fingerprint() for each in (SAMPLE_WEIGHTS, SAMPLE_WEIGHTS + 1)]
    assert len({*prints, DATASET.fingerprint()}) == 3
    assert Dataset(INPUTS, LABELS, 3, class_weights=np.ones(3)).fingerprint() == DATASET.fingerprint()
