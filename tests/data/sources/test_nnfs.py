"""The toy sets, point by point."""

import numpy as np
import pytest

from nncli.data.sources.nnfs import Sine, Spiral, Vertical, legacy_state
from tests.nn.reference_implementations import REFERENCES

SCATTERS = [Spiral, Vertical]


def noise(rng, count):
    """So many numbers of a legacy generator, drawn one after another."""
    return [rng.randn() for _ in range(count)]


def test_the_points_of_a_spiral_are_the_formula():
    """Every point is where the naive formula puts it, given the noise of nnfs' own generator."""
    spiral, settings = REFERENCES["dataset", "spiral"]
    samples, classes = settings["samples"], settings["classes"]
    drawn = Spiral(**settings, seed=3).draw(np.random.default_rng(0))
    pushed = noise(np.random.RandomState(3), samples * classes)
    index = np.tile(np.arange(samples), classes)
    expected = [spiral(int(t), i, samples, n) for t, i, n in zip(drawn.targets, index, pushed, strict=True)]
    np.testing.assert_allclose(drawn.inputs, expected, rtol=1e-12, atol=1e-15)


def test_the_points_of_clouds_are_the_formula():
    """nnfs draws a class's first coordinates, then its second ones; the formula puts each point where it is."""
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
def test_the_points_of_a_sine_are_the_formula(samples):
    """Equal distances from 0 on, the end left out, and beside each x the sine of a full turn."""
    sine, _ = REFERENCES["dataset", "sine"]
    drawn = Sine(samples).draw(np.random.default_rng(0))
    expected = np.array([sine(index, samples) for index in range(samples)])
    np.testing.assert_allclose(np.hstack([drawn.inputs, drawn.targets]), expected, rtol=1e-12, atol=1e-14)


def test_a_sine_asks_no_stream():
    """Nothing in it is random: without any generator it is the same, and one that is there is not moved."""
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
def test_a_source_knows_its_form_before_it_is_drawn(source, rows, columns, classes):
    """Rows, columns, classes and numbers a target are those of what is drawn."""
    drawn = source.draw(np.random.default_rng(0))
    assert (source.rows, source.columns, source.classes, source.target_columns) == (rows, columns, classes, 1)
    assert drawn.inputs.shape == (rows, columns)
    assert drawn.classes == classes
    assert drawn.targets.shape == ((rows,) if classes else (rows, 1))


@pytest.mark.parametrize("scatter", SCATTERS)
def test_every_class_has_its_samples(scatter):
    """Class numbers go from 0 on, each as often as there are samples of it."""
    targets = scatter(5, 4, seed=0).draw(np.random.default_rng(0)).targets
    assert np.bincount(targets).tolist() == [5] * 4


@pytest.mark.parametrize("scatter", SCATTERS)
def test_a_seed_of_its_own_wins(scatter):
    """With ``seed`` the points do not depend on the stream; without, they do."""
    fixed = [scatter(5, seed=1).draw(np.random.default_rng(n)).fingerprint() for n in (1, 2)]
    free = [scatter(5).draw(np.random.default_rng(n)).fingerprint() for n in (1, 2)]
    assert fixed[0] == fixed[1]
    assert free[0] != free[1]


@pytest.mark.parametrize(("scatter", "numbers"), [(Spiral, 10), (Vertical, 20)])
def test_a_legacy_stream_goes_on_behind_the_draw(scatter, numbers):
    """Drawing from a legacy generator takes its next numbers, and leaves it where nnfs has left off."""
    ours, book = np.random.RandomState(0), np.random.RandomState(0)
    scatter(5, 2).draw(ours)
    book.randn(numbers)
    assert ours.randn() == book.randn()


def test_global_state_is_put_back_after_an_error():
    """An exception inside leaves NumPy's global generator as it was."""
    before = np.random.get_state()[1].tobytes()  # noqa: NPY002
    with pytest.raises(ValueError, match="negative"), legacy_state(np.random.default_rng(0)):
        np.random.randn(-3)  # noqa: NPY002
    assert np.random.get_state()[1].tobytes() == before  # noqa: NPY002
