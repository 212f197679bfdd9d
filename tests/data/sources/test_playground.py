"""The toy data sets of TensorFlow Playground and scikit-learn, compared with naive formulas point by point."""

from itertools import combinations

import numpy as np
import pytest

from nncli.config.model import Fraction
from nncli.data.sources.playground import GAP, Circles, Gaussians, Moons, Xor
from nncli.data.split import split
from tests.nn.reference_implementations import REFERENCES

TOYS = [Moons, Circles, Gaussians, Xor]
CURVES = [Moons, Circles, Gaussians]
GENERATORS = [np.random.default_rng, np.random.RandomState]


def drawn(source, seed=0):
    """The points of a source, sampled from a new generator."""
    return source.draw(np.random.default_rng(seed))


@pytest.mark.parametrize("generator", GENERATORS, ids=lambda each: each.__name__)
@pytest.mark.parametrize("toy", [Moons, Circles, Gaussians])
def test_curves_match_the_naive_formula(toy, generator):
    """Every point is that of the formula, with two values of the given generator for each point, in its order."""
    naive, settings = REFERENCES["dataset", toy.__name__.lower()]
    source, rng = toy(**settings), generator(5)
    dataset = source.draw(generator(5))
    index = np.tile(np.arange(source.samples), source.classes)
    expected = [
        naive(source, int(label), i, rng.standard_normal(2)) for label, i in zip(dataset.targets, index, strict=True)
    ]
    np.testing.assert_allclose(dataset.inputs, expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("generator", GENERATORS, ids=lambda each: each.__name__)
def test_xor_matches_the_naive_formula(generator):
    """The generator gives a sign for each point, then both distances from the axes, then the noise of both."""
    naive, settings = REFERENCES["dataset", "xor"]
    source, rng = Xor(**settings), generator(5)
    dataset = source.draw(generator(5))
    signs = [1 if rng.uniform() >= 0.5 else -1 for _ in dataset.targets]
    uniform = [(rng.uniform(), rng.uniform()) for _ in dataset.targets]
    normal = [rng.standard_normal(2) for _ in dataset.targets]
    rows = zip(dataset.targets, signs, uniform, normal, strict=True)
    expected = [naive(source, int(label), *row) for label, *row in rows]
    np.testing.assert_allclose(dataset.inputs, expected, rtol=1e-12, atol=1e-14)


def test_points_are_those_of_scikit_learn():
    """Equal seeds give the first and last point of make_moons and make_circles, version 1.7, without shuffling."""
    moons = Moons(5, noise=0.2, seed=7).draw(None).inputs[[0, -1]]
    np.testing.assert_allclose(moons, [[1.33810514, -0.09318747], [2.05489198, 0.19469509]], atol=1e-8)
    circles = Circles(5, noise=0.2, factor=0.3, seed=7).draw(None).inputs[[0, -1]]
    np.testing.assert_allclose(circles, [[1.33810514, -0.09318747], [0.14759708, -0.59062186]], atol=1e-8)


@pytest.mark.parametrize(
    ("source", "names"),
    [(Moons(7), ["0", "1"]), (Circles(7), ["0", "1"]), (Xor(7), ["0", "1"]), (Gaussians(7, 3), ["0", "1", "2"])],
)
def test_schema_matches_the_sampled_data(source, names):
    """Two coordinates, and ``samples`` points in each class."""
    schema, dataset = source.open(), drawn(source)
    assert (schema.class_names, schema.class_counts, schema.features) == (names, [7] * len(names), ["x", "y"])
    assert (dataset.inputs.shape, dataset.classes) == ((7 * len(names), 2), len(names))
    assert np.bincount(dataset.targets).tolist() == schema.class_counts


@pytest.mark.parametrize("toy", TOYS)
@pytest.mark.parametrize("samples", [1, 2])
def test_few_samples_are_possible(toy, samples):
    """One point per class is enough."""
    assert np.isfinite(drawn(toy(samples)).inputs).all()


def test_moons_without_noise_are_on_half_circles():
    """The upper one around the origin, the lower one around (1, 0.5), both with their ends."""
    points = drawn(Moons(101, noise=0)).inputs
    np.testing.assert_allclose(np.linalg.norm(points[:101], axis=1), 1)
    np.testing.assert_allclose(np.linalg.norm(points[101:] - [1, 0.5], axis=1), 1)
    np.testing.assert_allclose(points[[0, 100, 101, 201]], [[1, 0], [-1, 0], [0, 0.5], [2, 0.5]], atol=1e-12)
    assert (points[:101, 1] > -1e-12).all()
    assert (points[101:, 1] < 0.5 + 1e-12).all()
    gaps = np.linalg.norm(points[:101, None] - points[None, 101:], axis=2)
    assert gaps.min() == pytest.approx(0.5, abs=1e-3)


@pytest.mark.parametrize("factor", [0.0, 0.3, 0.9])
def test_circles_without_noise_have_the_two_radii(factor):
    """The outer radius is 1, the inner one ``factor``; equal angles between neighbors."""
    points = drawn(Circles(8, noise=0, factor=factor)).inputs
    radii = np.linalg.norm(points, axis=1)
    np.testing.assert_allclose(radii, [1] * 8 + [factor] * 8, atol=1e-12)
    sides = np.linalg.norm(points[:8] - np.roll(points[:8], 1, axis=0), axis=1)
    np.testing.assert_allclose(sides, 2 * np.sin(np.pi / 8))


@pytest.mark.parametrize("classes", [2, 3, 8])
def test_gaussians_without_noise_are_at_their_centers(classes):
    """The centers are on the unit circle, 2 sin(π/K) from their neighbors; the first is that of the Playground."""
    points = drawn(Gaussians(3, classes, noise=0)).inputs
    centers = points[::3]
    np.testing.assert_array_equal(points, np.repeat(centers, 3, axis=0))
    np.testing.assert_allclose(centers[0], np.array([2, 2]) / np.sqrt(8))
    sides = np.linalg.norm(centers - np.roll(centers, 1, axis=0), axis=1)
    np.testing.assert_allclose(sides, 2 * np.sin(np.pi / classes))


def test_xor_without_noise_is_in_four_squares():
    """Signs agree in class 0 and differ in class 1; all four squares are filled, with the gap and no further."""
    dataset = drawn(Xor(1000, noise=0))
    x, y = dataset.inputs.T
    np.testing.assert_array_equal(x * y < 0, dataset.targets == 1)
    assert min(abs(x).min(), abs(y).min()) == pytest.approx(GAP, abs=0.01)
    assert max(abs(x).max(), abs(y).max()) == pytest.approx(1 + GAP, abs=0.01)
    quadrants = np.unique(np.stack([x > 0, y > 0]), axis=1, return_counts=True)[1]
    assert quadrants.min() > 400
    assert abs(x).mean() == pytest.approx(0.5 + GAP, abs=0.03)
    assert np.corrcoef(abs(x), abs(y))[0, 1] == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize("toy", TOYS)
def test_noise_is_a_standard_deviation(toy):
    """Two noises of the same random numbers differ in proportion; mean 0, deviation ``noise``, independent."""
    low, high = (drawn(toy(20_000, noise=noise)).inputs for noise in (0.1, 0.3))
    noise = (high - low) / 0.2
    assert abs(noise.mean(axis=0)).max() < 0.02
    np.testing.assert_allclose(noise.std(axis=0), 1, atol=0.02)
    assert abs((noise**3).mean()) < 0.06
    assert (noise**4).mean() == pytest.approx(3, abs=0.1)
    assert abs(np.corrcoef(noise.T)[0, 1]) < 0.02


@pytest.mark.parametrize("toy", TOYS)
def test_default_noise_leaves_the_classes_apart(toy):
    """The class of the nearest point without noise is right for at least 97 of 100 points."""
    exact, dataset = drawn(toy(500, noise=0), seed=1), drawn(toy(1000))
    exact_points, points = (each.inputs @ [1, 1j] for each in (exact, dataset))  # (x, y) as x + iy
    gaps = [abs(points[:, None] - exact_points[exact.targets == label]).min(axis=1) for label in (0, 1)]
    assert np.mean(np.argmin(gaps, axis=0) == dataset.targets) > 0.97


@pytest.mark.parametrize("toy", TOYS)
def test_seed_of_the_source_takes_precedence(toy):
    """With ``seed`` the points do not depend on the generator, which is not advanced; without it they do."""
    untouched = np.random.default_rng(3)
    fixed = [toy(5, seed=1).draw(rng).fingerprint() for rng in (untouched, np.random.RandomState(4))]
    assert fixed[0] == fixed[1] != drawn(toy(5, seed=2)).fingerprint()
    assert untouched.uniform() == np.random.default_rng(3).uniform()
    assert drawn(toy(5), 1).fingerprint() != drawn(toy(5), 2).fingerprint()


@pytest.mark.parametrize("toy", TOYS)
def test_seed_is_that_of_the_legacy_generator(toy):
    """A seed gives the points of the book's generator with this seed, so that leakage checks can compare them."""
    assert toy(5, seed=3).draw(None).fingerprint() == toy(5).draw(np.random.RandomState(3)).fingerprint()


@pytest.mark.parametrize("toy", CURVES)
def test_sets_without_noise_use_no_random_numbers(toy):
    """They are the same without a generator, and do not advance one."""
    assert not toy(noise=0).is_random
    rng = np.random.default_rng(0)
    assert toy(9, noise=0).draw(None).fingerprint() == toy(9, noise=0).draw(rng).fingerprint()
    assert rng.uniform() == np.random.default_rng(0).uniform()
    assert toy(noise=1e-300).is_random


def test_xor_is_random_without_noise():
    """Its points are random within the squares."""
    assert Xor(noise=0).is_random
    assert drawn(Xor(9, noise=0), 1).fingerprint() != drawn(Xor(9, noise=0), 2).fingerprint()


@pytest.mark.parametrize("toy", TOYS)
def test_nested_splits_share_no_rows(toy):
    """Splits of one set, and sets that are drawn one after another from a generator, have no row in common."""
    rng = np.random.default_rng(0)
    splits = split(toy(200).draw(rng), {"validation": Fraction(fraction=0.2), "test": Fraction(fraction=0.1)}, rng)
    further = toy(200).draw(rng)
    assert {name: np.bincount(each.targets).tolist() for name, each in splits.items()} == {
        "training": [140, 140],
        "validation": [40, 40],
        "test": [20, 20],
    }
    for one, other in combinations([*splits.values(), further], 2):
        assert not set(map(tuple, one.inputs)) & set(map(tuple, other.inputs))


@pytest.mark.parametrize(
    ("one", "other", "count"),
    [
        (Moons(101, 0), Moons(51, 0), 102),
        (Moons(51, 0), Moons(101, 0), 102),
        (Moons(100, 0), Moons(51, 0), 4),
        (Moons(1, 0), Moons(51, 0), 2),
        (Circles(60, 0), Circles(90, 0), 60),
        (Circles(60, 0), Circles(90, 0, factor=0.4), 30),
        (Circles(7, 0), Circles(90, 0), 2),
        (Circles(7, 0, factor=0.0), Circles(9, 0, factor=0.0), 8),
        (Gaussians(7, 2, 0), Gaussians(5, 2, 0), 14),
        (Gaussians(7, 4, 0), Gaussians(5, 2, 0), 14),
        (Gaussians(7, 3, 0), Gaussians(5, 2, 0), 7),
        (Moons(101, 0), Moons(51), 0),
        (Moons(101), Moons(51, 0), 0),
        (Xor(101, 0), Xor(51, 0), 0),
    ],
)
def test_rows_of_sets_without_noise_are_compared(one, other, count):
    """The number of rows that are also in the other set; none if one of them has noise."""
    assert one.shared_rows(other) == count
