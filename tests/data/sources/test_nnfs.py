"""The toy data sets, compared with naive formulas point by point."""

import numpy as np
import pytest

from nncli.data.sources.nnfs import Sine, Spiral, Vertical, legacy_state
from tests.nn.reference_implementations import REFERENCES

TOYS = [Spiral, Vertical]


def noise(rng, count):
    """Standard normal values of a legacy generator, sampled one by one."""
    return [rng.randn() for _ in range(count)]


def test_spiral_matches_the_naive_formula():
    """Every point is that of the naive formula, with the noise of nnfs' generator."""
    spiral, settings = REFERENCES["dataset", "spiral"]
    samples, classes = settings["samples"], settings["classes"]
    drawn = Spiral(**settings, seed=3).draw(np.random.default_rng(0))
    angles = noise(np.random.RandomState(3), samples * classes)
    index = np.tile(np.arange(samples), classes)
    expected = [spiral(int(t), i, samples, n) for t, i, n in zip(drawn.targets, index, angles, strict=True)]
    np.testing.assert_allclose(drawn.inputs, expected, rtol=1e-12, atol=1e-15)


def test_vertical_matches_the_naive_formula():
    """nnfs samples the first coordinates of a class, then its second ones."""
    vertical, settings = REFERENCES["dataset", "vertical"]
    samples, classes = settings["samples"], settings["classes"]
    drawn = Vertical(**settings, seed=3).draw(np.random.default_rng(0))
    legacy = np.random.RandomState(3)
    expected = []
    for label in range(classes):
        first, second = noise(legacy, samples), noise(legacy, samples)
        expected += [vertical(label, one, other) for one, other in zip(first, second, strict=True)]
    np.testing.assert_allclose(drawn.inputs, expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("samples", [1, 2, 9, 1000])
def test_sine_matches_the_naive_formula(samples):
    """Equal distances from 0 to 1, without 1, and the sine of a full turn for each x."""
    sine, _ = REFERENCES["dataset", "sine"]
    drawn = Sine(samples).draw(np.random.default_rng(0))
    expected = np.array([sine(index, samples) for index in range(samples)])
    np.testing.assert_allclose(np.hstack([drawn.inputs, drawn.targets]), expected, rtol=1e-12, atol=1e-14)


def test_sine_uses_no_random_numbers():
    """It is the same without a generator, and does not advance one."""
    legacy, untouched = np.random.RandomState(0), np.random.RandomState(0)
    assert Sine(30).draw(None).fingerprint() == Sine(30).draw(legacy).fingerprint()
    assert legacy.randn() == untouched.randn()


@pytest.mark.parametrize(
    ("source", "rows", "columns", "classes"),
    [
        (Spiral(7, 4), 28, 2, 4),
        (Vertical(7, 4), 28, 2, 4),
        (Vertical(), 300, 2, 3),
        (Sine(9), 9, 1, None),
        (Sine(), 1000, 1, None),
    ],
    ids=lambda value: type(value).__name__ if hasattr(value, "draw") else None,
)
def test_schema_matches_the_sampled_data(source, rows, columns, classes):
    """Rows, columns, classes and target columns are those of the sampled data set."""
    schema, drawn = source.open(), source.draw(np.random.default_rng(0))
    assert (schema.rows, schema.columns, schema.classes, schema.target_columns) == (rows, columns, classes, 1)
    assert drawn.inputs.shape == (rows, columns)
    assert drawn.classes == classes
    assert drawn.targets.shape == ((rows,) if classes else (rows, 1))


@pytest.mark.parametrize("toy", TOYS)
def test_every_class_has_the_same_number_of_samples(toy):
    """Class labels start at 0, each as frequent as there are samples."""
    targets = toy(5, 4, seed=0).draw(np.random.default_rng(0)).targets
    assert np.bincount(targets).tolist() == [5] * 4


@pytest.mark.parametrize("toy", TOYS)
def test_seed_of_the_source_takes_precedence(toy):
    """With ``seed`` the points do not depend on the generator; without it they do."""
    fixed = [toy(5, seed=1).draw(np.random.default_rng(n)).fingerprint() for n in (1, 2)]
    free = [toy(5).draw(np.random.default_rng(n)).fingerprint() for n in (1, 2)]
    assert fixed[0] == fixed[1]
    assert free[0] != free[1]


@pytest.mark.parametrize(("toy", "count"), [(Spiral, 10), (Vertical, 20)])
def test_legacy_generator_is_advanced_by_sampling(toy, count):
    """Sampling takes the next values of a legacy generator, as nnfs does."""
    ours, book = np.random.RandomState(0), np.random.RandomState(0)
    toy(5, 2).draw(ours)
    book.randn(count)
    assert ours.randn() == book.randn()


def test_global_state_is_restored_after_an_error():
    """An exception leaves NumPy's global generator unchanged."""
    before = np.random.get_state()[1].tobytes()  # noqa: NPY002
    with pytest.raises(ValueError, match="negative"), legacy_state(np.random.default_rng(0)):
        np.random.randn(-3)  # noqa: NPY002
    assert np.random.get_state()[1].tobytes() == before  # noqa: NPY002


def test_threads_draw_what_they_would_draw_alone():
    """Although the generator of nnfs is one for the whole process."""
    from concurrent.futures import ThreadPoolExecutor

    def draw(seed):
        return Spiral(samples=100).draw(np.random.default_rng(seed)).fingerprint()

    seeds = [seed % 7 for seed in range(400)]
    alone = {seed: draw(seed) for seed in range(7)}
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(draw, seeds)) == [alone[seed] for seed in seeds]
