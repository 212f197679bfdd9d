"""Margins and tests at the 95% level: compared with SciPy, by enumeration of binomials, and by simulation.

Enumeration and simulation give the rate of false positives: significant differences where there is none.
"""

from math import comb, isclose, sqrt

import numpy as np
import pytest

from nncli.analysis.significance import (
    LEVEL,
    mcnemar,
    mean_margin,
    paired_margin,
    proportion_interval,
    proportion_margin,
    t_quantile,
)

pytestmark = pytest.mark.slow

SCIPY_T = {  # scipy.stats.t.ppf(0.975, degrees)
    1: 12.706204736174694,
    2: 4.302652729749462,
    3: 3.1824463052837078,
    4: 2.7764451051977934,
    5: 2.5705818356363146,
    6: 2.4469118511449786,
    9: 2.262157162798205,
    10: 2.228138851986274,
    29: 2.045229642132703,
    30: 2.0422724563012378,
    99: 1.9842169515864174,
    100: 1.9839715185235518,
    499: 1.9647293909876886,
    1000: 1.9623390808264083,
}
SCIPY_BINOMIAL = {  # scipy.stats.binomtest(one_only, one_only + other_only).pvalue
    (0, 3): 0.25,
    (5, 1): 0.21875,
    (12, 25): 0.04703102743951604,
    (150, 190): 0.0342700465332939,
    (50_000, 50_500): 0.11547629006868594,
}
X, Y = np.array([0.1, 0.4, 0.35, 0.8, 0.2]), np.array([0.5, 0.9, 0.75, 1.3, 0.6, 0.7, 0.2, 1.1])
AT_MOST = 0.05 + 3 * (0.05 * 0.95 / 4000) ** 0.5  # the nominal level and three standard errors of 4,000 trials
PAIRED_Y = np.array([0.3, 0.2, 0.55, 0.9, 0.25])


@pytest.mark.parametrize(("degrees", "expected"), SCIPY_T.items())
def test_t_quantile_equals_scipy(degrees, expected):
    """It is equal to twelve digits for odd and even degrees of freedom."""
    assert t_quantile(degrees) == pytest.approx(expected, rel=1e-12)


def test_t_quantile_decreases_up_to_the_maximum():
    """Above the largest number of degrees it is constant, slightly above the normal quantile."""
    values = [t_quantile(degrees) for degrees in (*range(1, 40), 999, 1000)]
    assert values == sorted(values, reverse=True)
    assert values[-1] == t_quantile(1001) == t_quantile(10**9)
    assert 1.959964 < values[-1] < 1.959964 * 1.0013


@pytest.mark.parametrize(("counts", "expected"), SCIPY_BINOMIAL.items())
def test_mcnemar_equals_scipy_binomtest(counts, expected):
    """The order of the two networks makes no difference."""
    assert mcnemar(*counts) == pytest.approx(expected, rel=1e-10)
    assert mcnemar(*reversed(counts)) == mcnemar(*counts)


def test_mcnemar_equals_the_binomial_sum():
    """It is the probability of a split at least as uneven, for every pair of counts up to 24."""
    for rows in range(49):
        for one in range(max(0, rows - 24), min(rows, 24) + 1):
            uneven = sum(comb(rows, k) for k in range(rows + 1) if abs(2 * k - rows) >= abs(2 * one - rows))
            assert isclose(mcnemar(one, rows - one), uneven / 2**rows, rel_tol=1e-12)


def test_mcnemar_of_a_million_rows_is_fast():
    """There are neither too many terms nor an overflow of a power of two."""
    assert mcnemar(500_000, 500_000) == 1.0
    assert mcnemar(0, 1_000_000) == 0.0


def binomial(rows, probability):
    """The probabilities of 0 to ``rows`` successes."""
    return np.array([comb(rows, k) * probability**k * (1 - probability) ** (rows - k) for k in range(rows + 1)])


def is_significant(one, rows, other, other_rows):
    difference = one / rows - other / other_rows
    return abs(difference) > proportion_margin(one / rows, rows, other / other_rows, other_rows)


@pytest.mark.parametrize("rows", [1, 2, 3, 5, 8, 10, 15, 30])
@pytest.mark.parametrize("other_rows", [1, 2, 5, 10, 30, 100])
def test_few_rows_give_few_false_positives_by_enumeration(rows, other_rows):
    """Every pair of counts, weighted by its probability, for equal proportions from 0.001 to 0.999."""
    flagged = np.array(
        [[is_significant(x, rows, y, other_rows) for y in range(other_rows + 1)] for x in range(rows + 1)]
    )
    for p in (0.001, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999):
        assert binomial(rows, p) @ flagged @ binomial(other_rows, p) < 0.056


@pytest.mark.parametrize(
    ("rows", "other_rows", "probability"),
    [
        (300, 3000, 0.99),
        (300, 3000, 0.999),
        (20, 2000, 0.99),
        (10, 2000, 0.945),
        (10, 3000, 0.5),
        (60, 15, 0.8),
        (3000, 3000, 0.999),
    ],
)
def test_proportions_give_few_false_positives_by_simulation(rows, other_rows, probability):
    """Two data sets with equal accuracy, 20,000 times: overfitting is reported in at most 2.5 %.

    So is the opposite, except for few rows, of which each is a large step in the probability.
    """
    generator = np.random.default_rng(0)
    trials = 20_000
    drawn = np.stack([generator.binomial(size, probability, trials) for size in (rows, other_rows)], axis=1)
    pairs, counts = np.unique(drawn, axis=0, return_counts=True)
    flagged = np.array([is_significant(x, rows, y, other_rows) for x, y in pairs])
    is_gap = pairs[:, 0] / rows > pairs[:, 1] / other_rows
    assert counts[flagged & is_gap].sum() / trials <= 0.026
    assert counts[flagged].sum() / trials <= 0.052


@pytest.mark.parametrize(
    ("one", "rows", "other", "other_rows", "expected"),
    [
        (300, 300, 2996, 3000, False),
        (10, 10, 7, 10, False),
        (10, 10, 945, 1000, False),
        (10, 10, 10, 10, False),
        (0, 10, 0, 3000, False),
        (300, 300, 2700, 3000, True),
        (300, 300, 2940, 3000, True),
        (10, 10, 300, 1000, True),
        (293, 300, 247, 300, True),
    ],
)
def test_known_pairs_of_proportions(one, rows, other, other_rows, expected):
    """The Wald interval of a proportion of 0 or 1 has no width, but this margin has."""
    assert is_significant(one, rows, other, other_rows) is expected
    assert is_significant(other, other_rows, one, rows) is expected


def test_margin_is_the_distance_to_the_end_of_the_interval():
    """The Agresti-Caffo interval of 9/10 and 4/10, by hand: that of 10/12 and 5/12 with 20 degrees of freedom."""
    width = t_quantile(20) * ((10 / 12 * 2 / 12 + 5 / 12 * 7 / 12) / 12) ** 0.5
    assert proportion_margin(0.9, 10, 0.4, 10) == pytest.approx(0.5 - (5 / 12 - width))
    assert proportion_margin(0.4, 10, 0.9, 10) == pytest.approx(0.5 - (5 / 12 - width))


def test_margin_of_means_is_the_larger_of_two():
    """Student's with pooled variance, as in scipy.stats.ttest_ind, and Welch's with 10 of 10.28 degrees."""
    student, welch = 0.40130530577291856, 0.38171976940976104
    assert mean_margin(X.var(), 5, Y.var(), 8) == pytest.approx(student, rel=1e-12)
    assert mean_margin(Y.var(), 8, X.var(), 5) == pytest.approx(student, rel=1e-12)
    squared = X.var() / 4, Y.var() / 7
    assert t_quantile(10) * sum(squared) ** 0.5 == pytest.approx(welch, rel=1e-12)
    shrunk = mean_margin(X.var() * 100, 5, Y.var() / 100, 8)  # all of the variance is that of five rows
    assert shrunk == pytest.approx(t_quantile(4) * (X.var() * 100 / 4 + Y.var() / 700) ** 0.5, rel=1e-12)


def test_margin_without_variance_is_zero():
    """Errors that are all equal differ significantly if they differ."""
    assert mean_margin(0.0, 5, 0.0, 9) == 0.0
    assert paired_margin(np.full(4, 0.25)) == 0.0


def test_paired_margin_equals_scipy():
    """It is half the width of scipy.stats.ttest_rel(X, PAIRED_Y).confidence_interval()."""
    assert paired_margin(X - PAIRED_Y) == pytest.approx(0.20402621419747674, rel=1e-12)


ERRORS = {
    "normal": lambda generator, size: np.abs(generator.normal(size=size)),
    "exponential": lambda generator, size: generator.exponential(size=size),
    "heavy-tailed": lambda generator, size: np.abs(generator.standard_t(3, size=size)),
    "uniform": lambda generator, size: generator.random(size),
}
SIZES = [(2, 2), (5, 5), (10, 10), (30, 30), (5, 30), (5, 300), (10, 300), (30, 300)]


@pytest.mark.parametrize("errors", ERRORS.values(), ids=ERRORS)
@pytest.mark.parametrize(("rows", "other_rows"), SIZES)
def test_mean_absolute_errors_give_few_false_positives_by_simulation(errors, rows, other_rows):
    """Two data sets with the same distribution of errors, 4,000 times, for skewed errors and few rows too."""
    generator, trials = np.random.default_rng(1), 4000
    one, other = errors(generator, (trials, rows)), errors(generator, (trials, other_rows))
    differences = np.abs(one.mean(axis=1) - other.mean(axis=1))
    variances = zip(one.var(axis=1).tolist(), other.var(axis=1).tolist(), strict=True)
    margins = np.array([mean_margin(mine, rows, theirs, other_rows) for mine, theirs in variances])
    assert np.mean(differences > margins) <= AT_MOST


@pytest.mark.parametrize(("rows", "other_rows"), [(10, 10), (10, 300), (300, 10), (30, 300)])
@pytest.mark.parametrize("spread", [0.2, 5])
def test_unequal_variances_give_few_false_positives_by_simulation(rows, other_rows, spread):
    """Two data sets with equal mean errors and different variances, 4,000 times."""
    generator, trials = np.random.default_rng(2), 4000
    one, other = generator.normal(size=(trials, rows)), spread * generator.normal(size=(trials, other_rows))
    differences = np.abs(one.mean(axis=1) - other.mean(axis=1))
    variances = zip(one.var(axis=1).tolist(), other.var(axis=1).tolist(), strict=True)
    margins = np.array([mean_margin(mine, rows, theirs, other_rows) for mine, theirs in variances])
    assert np.mean(differences > margins) <= AT_MOST


@pytest.mark.parametrize("rows", [5, 10, 30])
def test_large_difference_of_errors_is_significant(rows):
    """Errors three times as large are significant in most of 1,000 simulations, and from ten rows on in nearly all."""
    generator = np.random.default_rng(3)
    one, other = generator.exponential(size=(1000, rows)), 3 + generator.exponential(size=(1000, rows))
    found = [
        abs(a.mean() - b.mean()) > mean_margin(a.var(), rows, b.var(), rows) for a, b in zip(one, other, strict=True)
    ]
    assert np.mean(found) > (0.8 if rows == 5 else 0.99)


@pytest.mark.parametrize("rows", [2, 5, 10, 30])
def test_paired_regressions_give_few_false_positives_by_simulation(rows):
    """Two equally good networks with correlated errors, 4,000 times: the paired t-test reports 5 %."""
    generator, trials = np.random.default_rng(4), 4000
    common = generator.normal(size=(trials, rows))
    one, other = (np.abs(common + 0.3 * generator.normal(size=(trials, rows))) for _ in range(2))
    flagged = [abs(each.mean()) > paired_margin(each) for each in one - other]
    assert np.mean(flagged) <= AT_MOST


@pytest.mark.parametrize(("rows", "difficult"), [(10, 0.3), (300, 0.1), (3000, 0.02)])
def test_paired_classifiers_give_few_false_positives_by_simulation(rows, difficult):
    """Two equally good networks that fail on the same difficult rows half the time, 10,000 times."""
    generator, trials = np.random.default_rng(5), 10_000
    disagreements = generator.binomial(rows, difficult / 2, trials)
    first = generator.binomial(disagreements, 0.5)
    pairs, counts = np.unique(np.stack([first, disagreements - first], axis=1), axis=0, return_counts=True)
    flagged = np.array([mcnemar(*map(int, pair)) < LEVEL for pair in pairs])
    assert counts[flagged].sum() / trials <= 0.05


@pytest.mark.parametrize("rows", [1, 2, 10, 997])
@pytest.mark.parametrize("fraction", [0, 0.1, 0.5, 1])
def test_proportion_interval_inverts_the_score_test(rows, fraction):
    """At both ends the observed proportion is z standard errors away, with the standard error of the end."""
    proportion = round(fraction * rows) / rows
    low, high = proportion_interval(proportion, rows)
    assert 0 <= low <= proportion <= high <= 1
    for end in (low, high):
        if 0 < end < 1:
            standard_error = sqrt(end * (1 - end) / rows)
            assert abs(proportion - end) / standard_error == pytest.approx(1.9599639845, rel=1e-8)


def test_proportion_interval_of_a_published_example():
    """15 of 148 rows: 0.0624 to 0.1605 (Newcombe 1998, table I, method 3, is 81 of 263: 0.2553 to 0.3662)."""
    assert proportion_interval(81 / 263, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert proportion_interval(15 / 148, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)
