"""Statistics of differences of groups: compared with SciPy and statsmodels, by enumeration, and by hand."""

from itertools import product

import numpy as np
import pytest
from scipy import stats

from nncli.analysis.paired_tests import (
    MAX_RUNS,
    Spread,
    fraction_won,
    holm,
    paired_estimate,
    pairing_gain,
    probability_better,
    required_rows,
    required_runs,
    sign_flip,
    unpaired_estimate,
)
from nncli.analysis.significance import t_quantile, t_test

FIRST = np.array([0.91, 0.87, 0.93, 0.90, 0.85, 0.92, 0.89, 0.94])
SECOND = np.array([0.89, 0.86, 0.94, 0.85, 0.84, 0.87, 0.88, 0.90])


def test_paired_estimate_equals_scipy():
    """The interval and the p-value are those of ``ttest_rel``."""
    stats = pytest.importorskip("scipy.stats")
    for size in (2, 3, 5, 8):
        found = paired_estimate(FIRST[:size] - SECOND[:size])
        expected = stats.ttest_rel(FIRST[:size], SECOND[:size])
        assert found.p_value == pytest.approx(expected.pvalue, rel=1e-9)
        assert found.interval == pytest.approx(tuple(expected.confidence_interval()), rel=1e-9)


def test_unpaired_estimate_of_equal_sizes_is_welch():
    """The standard error is that of ``ttest_ind`` without equal variances; degrees of freedom are rounded down."""
    stats = pytest.importorskip("scipy.stats")
    found, expected = unpaired_estimate(FIRST, 3 * SECOND), stats.ttest_ind(FIRST, 3 * SECOND, equal_var=False)
    assert found.difference / found.error == pytest.approx(expected.statistic, rel=1e-12)
    assert found.degrees == int(expected.df)
    assert found.margin == pytest.approx(stats.t.ppf(0.975, int(expected.df)) * found.error, rel=1e-9)


def test_unpaired_estimate_has_the_wider_of_two_intervals():
    """If the smaller group has little variance, it is Student's with pooled variance."""
    stats = pytest.importorskip("scipy.stats")
    few = np.array([0.90, 0.901, 0.899])
    student, welch = (stats.ttest_ind(SECOND, few, equal_var=each) for each in (True, False))
    found = unpaired_estimate(SECOND, few)
    widths = [np.diff(list(each.confidence_interval()))[0] for each in (student, welch)]
    assert widths[0] > widths[1]
    assert 2 * found.margin == pytest.approx(widths[0], rel=1e-9)
    assert found.p_value == pytest.approx(student.pvalue, rel=1e-9)


@pytest.mark.parametrize("degrees", [1, 2, 3, 10, 29, 500])
def test_t_test_and_quantiles_of_other_levels_equal_scipy(degrees):
    """Two-sided p-values, and the quantiles that the power uses."""
    stats = pytest.importorskip("scipy.stats")
    for t in (0.0, 0.5, -2.0, 6.0):
        assert t_test(t, degrees) == pytest.approx(2 * stats.t.sf(abs(t), degrees), abs=1e-14, rel=1e-7)
    for confidence in (0.6, 0.9, 0.995):
        assert t_quantile(degrees, confidence) == pytest.approx(stats.t.ppf((1 + confidence) / 2, degrees), rel=1e-9)


def test_nadeau_bengio_by_hand():
    """Five folds: the variance is multiplied by 1/5 + 1/4 instead of 1/5."""
    differences = np.array([0.01, 0.02, 0.03, 0.02, 0.02])
    found = paired_estimate(differences, 1 / 4)
    assert found.error == pytest.approx(0.007071067811865476 * (1 / 5 + 1 / 4) ** 0.5)  # s = √(0.0002 / 4)
    assert found.error == pytest.approx(paired_estimate(differences).error * 1.5)


def test_estimate_without_variance():
    """Equal differences are significant unless they are 0."""
    assert paired_estimate(np.full(4, 0.5)).p_value == 0.0
    assert paired_estimate(np.zeros(4)).p_value == 1.0
    assert unpaired_estimate(np.ones(3), np.ones(3)).interval == (0.0, 0.0)


@pytest.mark.parametrize("size", [1, 2, 5, 6, 9])
def test_sign_flip_equals_enumeration(size):
    """Its p-value is a fraction of all combinations of signs; the mid-p counts equal sums as half."""
    generator = np.random.default_rng(size)
    for values in (generator.normal(0.5, 1, size), np.round(generator.normal(0.5, 1, size)), np.full(size, 0.1)):
        observed = abs(values.sum())
        sums = np.array([abs(np.dot(signs, values)) for signs in product((-1, 1), repeat=size)])
        at_least, farther = np.mean(sums >= observed - 1e-9), np.mean(sums > observed + 1e-9)
        expected = (at_least, (at_least + farther) / 2) if observed > 1e-9 else (1, 1)
        assert sign_flip(values) == pytest.approx(expected, abs=1e-12)


def test_sign_flip_equals_scipy():
    """SciPy's exact permutation test of paired samples."""
    stats = pytest.importorskip("scipy.stats")
    expected = stats.permutation_test(
        (FIRST - SECOND,), np.mean, permutation_type="samples", n_resamples=np.inf, vectorized=False
    )
    assert sign_flip(FIRST - SECOND).p_value == pytest.approx(expected.pvalue, rel=1e-9)


def test_sign_flip_of_many_pairs():
    """Forty pairs are enumerated in two halves; of more, random signs are drawn, always the same."""
    assert sign_flip(np.ones(40)) == pytest.approx((2 / 2**40, 1 / 2**40), rel=1e-9)
    values = np.random.default_rng(0).normal(0.3, 1, 60)
    assert sign_flip(values) == sign_flip(values)
    assert sign_flip(values).p_value == pytest.approx(paired_estimate(values).p_value, abs=0.02)
    assert sign_flip(values).mid_p == pytest.approx(sign_flip(values).p_value, abs=1e-12)
    assert 0 < sign_flip(np.ones(60)).p_value < 1e-3


def test_fractions_count_ties_as_half():
    """Both by hand; over all combinations it is Mann and Whitney's U."""
    assert fraction_won(np.array([0.1, 0.0, -0.1, 0.2])) == 0.625
    assert probability_better(np.array([1.0, 2.0]), np.array([1.0, 0.0, 3.0])) == pytest.approx(3.5 / 6)
    stats = pytest.importorskip("scipy.stats")
    expected = stats.mannwhitneyu(FIRST, SECOND).statistic / 64
    assert probability_better(FIRST, SECOND) == pytest.approx(expected, rel=1e-12)


def test_pairing_gain_is_the_ratio_of_variances():
    """Perfectly correlated scores have no variance of differences; independent ones gain nothing."""
    gain = (FIRST.var(ddof=1) + SECOND.var(ddof=1)) / (FIRST - SECOND).var(ddof=1)
    assert pairing_gain(FIRST, SECOND) == pytest.approx(gain)
    assert pairing_gain(FIRST, FIRST - 0.01) is None
    generator = np.random.default_rng(0)
    assert pairing_gain(generator.normal(size=20_000), generator.normal(size=20_000)) == pytest.approx(1, abs=0.05)


def test_holm_equals_statsmodels():
    """The adjusted p-values of ``multipletests``, in the order of the tests."""
    multitest = pytest.importorskip("statsmodels.stats.multitest")
    for p_values in ([0.04, 0.01, 0.03], [0.001, 0.5, 0.012, 0.012, 0.9], [0.2]):
        assert holm(p_values) == pytest.approx(multitest.multipletests(p_values, method="holm")[1].tolist())


def test_holm_of_a_larger_family_is_as_if_other_p_values_were_one():
    """The tests that are not made are the last ones."""
    assert holm([0.01, 0.004], 5) == pytest.approx(holm([0.01, 0.004, 1, 1, 1])[:2])
    assert holm([]) == []


@pytest.mark.parametrize("effect", [0.3, 0.5, 1.0, 1.5])
def test_required_runs_equal_statsmodels(effect):
    """The exact power by the noncentral t distribution needs as many runs, within one or 2 %."""
    power = pytest.importorskip("statsmodels.stats.power")
    paired = power.TTestPower().solve_power(effect, alpha=0.05, power=0.8)
    assert required_runs(effect, Spread(1.0, 1)) == pytest.approx(np.ceil(paired), abs=1.01, rel=0.02)
    unpaired = power.TTestIndPower().solve_power(effect, alpha=0.05, power=0.8)
    assert required_runs(effect, Spread(2**0.5, 2)) == pytest.approx(np.ceil(unpaired), abs=1.01, rel=0.02)


def test_required_runs_at_the_limits():
    """A large difference needs two runs; none, a tiny one, or one hidden by shared training rows no number."""
    assert required_runs(100.0, Spread(0.1, 2)) == 2
    assert required_runs(0.0, Spread(1.0, 1)) is None
    assert required_runs(1e-3, Spread(1.0, 1)) is None
    assert required_runs(-0.5, Spread(1.0, 1)) == required_runs(0.5, Spread(1.0, 1))
    assert required_runs(0.5, Spread(1.0, 1), level=0.005) > required_runs(0.5, Spread(1.0, 1))
    assert required_runs(0.5, Spread(1.0, 1, ratio=0.25)) is None
    assert required_runs(0.03, Spread(1.0, 1)) <= MAX_RUNS
    limit = (stats.norm.ppf(0.975) + stats.norm.ppf(0.8)) / MAX_RUNS**0.5
    assert required_runs(limit * (1 + 1e-6), Spread(1.0, 1)) is None  # some more by Student's t
    assert required_runs(limit * 1.001, Spread(1.0, 1)) is not None


def test_required_rows_have_a_power_of_80_percent():
    """Four in five simulated data sets of this size show the difference."""
    rows = required_rows(0.05, 0.4)
    assert rows == 503  # (2.8016 · 0.4 / 0.05)²
    generator = np.random.default_rng(0)
    means = generator.normal(0.05, 0.4 / rows**0.5, 20_000)
    assert np.mean(means > 1.96 * 0.4 / rows**0.5) == pytest.approx(0.8, abs=0.01)
    assert required_rows(0.0, 0.4) is None
    assert required_rows(0.05, 0.4, level=0.005) == 853  # (2.8070 + 0.8416)² · 64


@pytest.mark.parametrize("differences", [[0.0] * 6, [1.0, -1.0, 2.0, -2.0], [0.1, 0.2, -0.3], [0.0] * 50])
def test_no_difference_has_a_p_value_of_1(differences):
    """Not a larger one, as a sum of 0 is counted on both sides."""
    assert sign_flip(np.array(differences)) == (1, 1)


@pytest.mark.parametrize("samples", [1, 2])
@pytest.mark.parametrize("effect", [0.4, 0.9, 1.5, 3.0])
def test_required_runs_are_the_first_that_show_it(samples, effect):
    """With the quantiles of SciPy, for every number of runs in turn."""

    def shows(runs):
        degrees = samples * (runs - 1)
        return effect >= (stats.t.ppf(0.975, degrees) + stats.t.ppf(0.8, degrees)) / runs**0.5

    assert required_runs(effect, Spread(1.0, samples)) == next(runs for runs in range(2, 1000) if shows(runs))
