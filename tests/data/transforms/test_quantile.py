"""The quantile transform."""

from statistics import NormalDist

import numpy as np
import pytest

from nncli.data.transforms.quantile import Quantile


def fitted(values, **parameters):
    """A transform fitted to a copy."""
    transform = Quantile(**parameters)
    transform.fit(np.array(values, np.float64))
    return transform


def test_few_values_become_their_normal_scores():
    """The k-th of N has the score of (k + ½) / N, in any order."""
    values = [10.0, -3.0, 7.0, 8.0]
    expected = [NormalDist().inv_cdf((sorted(values).index(x) + 0.5) / 4) for x in values]
    np.testing.assert_allclose(fitted(values).apply(np.array(values)), expected, rtol=1e-12)


def test_equal_values_have_the_score_of_their_mean_level():
    """Three of five are equal: levels 0.1, 0.3, 0.5 are one of 0.3."""
    found = fitted([0, 0, 0, 1, 2], distribution="uniform").apply(np.array([0.0, 1.0, 2.0]))
    np.testing.assert_allclose(found, [0.3, 0.7, 0.9])


def test_between_linear_and_outside_clipped():
    """Halfway between two quantiles is halfway between their scores."""
    found = fitted([0, 10], distribution="uniform").apply(np.array([5.0, -100.0, 100.0]))
    np.testing.assert_allclose(found, [0.5, 0.25, 0.75])


@pytest.mark.parametrize("quantiles", [1000, 10])
def test_many_values_follow_a_standard_normal(quantiles):
    """Whatever they follow themselves; no more quantiles are kept than asked for."""
    values = np.random.default_rng(0).exponential(size=20_001)
    transform = fitted(values, quantiles=quantiles)
    scaled = transform.apply(values)
    assert len(transform.state()["quantiles"]) == quantiles
    assert scaled.mean() == pytest.approx(0, abs=0.02)
    assert scaled.std() == pytest.approx(1, abs=0.1)
    ranks = (values.argsort().argsort() + 0.5) / len(values)
    expected = np.array([NormalDist().inv_cdf(p) for p in ranks])
    middle = abs(expected) < 1
    np.testing.assert_allclose(scaled[middle], expected[middle], atol=0.01 if quantiles == 1000 else 0.3)


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"quantiles": [2.0, 1.0]}, "quantiles"),
        ({"quantiles": [1.0, 1.0]}, "quantiles"),
        ({"scores": [1.0, 0.0]}, "scores"),
        ({"scores": [1.0]}, "scores"),
        ({"scores": []}, "scores"),
        ({"quantiles": [1.0, float("inf")]}, r"quantiles\.1"),
        ({"quantiles": [0.5] * 1001}, "quantiles"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_damaged_state_is_rejected(change, key):
    """The message names the key."""
    with pytest.raises(ValueError, match=rf"^{key}: "):
        Quantile().restore({"quantiles": [1.0, 2.0], "scores": [0.0, 1.0], **change})
