"""Statistics of the difference of two groups of scores, one score per run: intervals, tests and required sizes.

The coverage of the intervals is simulated in tests/benchmarks/verdicts.py.
"""

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from nncli.analysis.significance import LEVEL, MAX_DEGREES, t_quantile, t_test, welch_degrees
from nncli.nn.parameters import Array

POWER = 0.8
NORMAL_POWER_QUANTILE = 0.8416212335729143  # the quantile of the normal distribution at ``POWER``
MAX_RUNS = 10_000  # more are not suggested
MAX_EXACT_PAIRS = 40  # all 2^n signs are enumerated, in two halves
SIGN_FLIPS = 10_000  # random signs of more pairs
CHUNK = 1000  # random signs at a time
ROUNDING = 1e-12  # relative to the sum of absolute differences


class Estimate(NamedTuple):
    """A difference of two means with its standard error, which has a t distribution.

    Args:
        difference: the first mean minus the second.
        error: its standard error.
        degrees: the degrees of freedom.
    """

    difference: float
    error: float
    degrees: int

    @property
    def margin(self) -> float:
        """Half the width of the 95% confidence interval."""
        return t_quantile(self.degrees) * self.error

    @property
    def interval(self) -> tuple[float, float]:
        """The 95% confidence interval."""
        return self.difference - self.margin, self.difference + self.margin

    @property
    def p_value(self) -> float:
        """The two-sided p-value of a difference of 0."""
        if self.error == 0:
            return float(self.difference == 0)
        return t_test(self.difference / self.error, self.degrees)


def paired_estimate(differences: Array, ratio: float = 0.0) -> Estimate:
    """The mean of paired differences (N,), at least two.

        s √(1/N + ratio)         s their standard deviation, N − 1 degrees of freedom

    Args:
        differences: one per pair of runs.
        ratio: validation rows / training rows if the pairs are folds or random splits of the same rows, whose training
            rows overlap, so that their scores are correlated; else 0, which is Student's t.

    Source: Student 1908; Nadeau and Bengio 2003, equation 9, for the ratio.
    """
    runs = len(differences)
    error = float(np.std(differences, ddof=1)) * math.sqrt(1 / runs + ratio)
    return Estimate(float(np.mean(differences)), error, runs - 1)


def unpaired_estimate(first: Array, second: Array, ratio: float = 0.0) -> Estimate:
    """The difference of the means of two independent groups, (N,) and (M,), at least two values each.

    Welch's t, or Student's with pooled variance if its margin is larger, as in ``mean_margin``: Welch's alone is too
    narrow if the smaller group has little variance by chance.

    Args:
        first: the scores of the first group.
        second: those of the second.
        ratio: as for ``paired_estimate``.

    Source: Welch 1947.
    """
    difference = float(np.mean(first) - np.mean(second))
    variances = float(np.var(first, ddof=1)), float(np.var(second, ddof=1))
    freedom = len(first) - 1, len(second) - 1
    factors = 1 / len(first) + ratio, 1 / len(second) + ratio
    squared = variances[0] * factors[0], variances[1] * factors[1]
    pooled = (variances[0] * freedom[0] + variances[1] * freedom[1]) / sum(freedom)
    estimates = [
        Estimate(difference, math.sqrt(sum(squared)), welch_degrees(squared[0], freedom[0], squared[1], freedom[1])),
        Estimate(difference, math.sqrt(pooled * sum(factors)), sum(freedom)),
    ]
    return max(estimates, key=lambda each: each.margin)


class SignFlip(NamedTuple):
    """The two-sided p-values of the sign-flip test.

    Args:
        p_value: the fraction of all signs whose sum is at least as far from 0 as the observed one.
        mid_p: the fraction whose sum is farther from 0, and half of that of the equal ones.
    """

    p_value: float
    mid_p: float


def sign_flip(differences: Array) -> SignFlip:
    """The sign-flip test of paired differences (N,): under the null hypothesis all 2^N signs are equally probable.

        p = P(|Σ sᵢ dᵢ| ≥ |Σ dᵢ|)         sᵢ = ±1

    It is exact up to ``MAX_EXACT_PAIRS``: the sums of each half of the pairs are enumerated, and those of one half are
    counted in the sorted sums of the other. For more pairs it is estimated from ``SIGN_FLIPS`` random combinations and
    the observed one, with a fixed seed. The smallest p of few pairs is large, 0.03 of six; the mid-p is half of it.

    Source: Fisher 1935, section 21; Horowitz and Sahni 1974 for the halves; Lancaster 1961 for the mid-p.
    """
    values = np.asarray(differences, dtype=float)
    bound, rounding = abs(float(values.sum())), ROUNDING * float(np.abs(values).sum())
    if bound <= rounding:
        return SignFlip(1.0, 1.0)
    tails = _random_tails if len(values) > MAX_EXACT_PAIRS else _exact_tails
    at_least, farther = tails(values, (bound - rounding, bound + rounding))
    return SignFlip(at_least, (at_least + farther) / 2)


def _exact_tails(values: Array, bounds: Sequence[float]) -> list[float]:
    """For each bound > 0 the fraction of all signs whose sum is at least this far from 0."""
    half = len(values) // 2
    one, other = _signed_sums(values[:half]), np.sort(_signed_sums(values[half:]))
    counts = [len(other) - np.searchsorted(other, bound - one, side="left") for bound in bounds]
    return [2 * float(np.sum(each, dtype=float)) / 2.0 ** len(values) for each in counts]  # the sums are symmetric


def _signed_sums(values: Array) -> Array:
    """The sums of N values with all combinations of signs, (2^N,)."""
    sums = np.zeros(1)
    for value in values:
        sums = np.concatenate([sums - value, sums + value])
    return sums


def _random_tails(values: Array, bounds: Sequence[float]) -> list[float]:
    """The estimates of these fractions from random signs and the observed ones."""
    generator, found = np.random.default_rng(0), np.ones(len(bounds))
    for _ in range(SIGN_FLIPS // CHUNK):
        signs = generator.integers(0, 2, (CHUNK, len(values))) * 2 - 1
        found += [int(np.sum(np.abs(signs @ values) >= bound)) for bound in bounds]
    return list(map(float, found / (SIGN_FLIPS + 1)))


def fraction_won(differences: Array) -> float:
    """The fraction of pairs with a positive difference; a tie counts as half."""
    return float(np.mean((np.sign(differences) + 1) / 2))


def probability_better(first: Array, second: Array) -> float:
    """P(A > B): the fraction of all combinations of a score of each group in which the first is larger; ties are half.

    Source: Mann and Whitney 1947, U / NM; Vargha and Delaney 2000.
    """
    return fraction_won(np.subtract.outer(first, second).ravel())


def pairing_gain(first: Array, second: Array) -> float | None:
    """How many times as many unpaired runs give an interval of the same width: (s₁² + s₂²) / s_d².

    Args:
        first: the scores of the first group (N,).
        second: those of the second in the same order (N,).

    Returns:
        The ratio of the variances; None if all differences are equal.
    """
    variance = float(np.var(first - second, ddof=1))
    independent = float(np.var(first, ddof=1) + np.var(second, ddof=1))
    return independent / variance if variance > ROUNDING * independent else None


def holm(p_values: Sequence[float], family: int | None = None) -> list[float]:
    """The adjusted p-values of several tests, in their order: at most 5 % of all families have a false positive.

    The i-th smallest of m is multiplied by m − i + 1; none is smaller than those before it, or larger than 1.

    Args:
        p_values: those of the tests.
        family: the number of tests m, if some of them are not made, which is as if their p-value were 1.

    Source: Holm 1979.
    """
    count = family or len(p_values)
    adjusted, largest = [0.0] * len(p_values), 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        largest = max(largest, min(1.0, (count - rank) * p_values[index]))
        adjusted[index] = largest
    return adjusted


class Spread(NamedTuple):
    """What decides how many runs a difference needs.

    Args:
        deviation: the standard deviation of the differences of pairs; unpaired the root of the sum of both variances.
        samples: 1 if paired, 2 if not: the degrees of freedom of N runs per group are N − 1 or 2 (N − 1).
        ratio: as for ``paired_estimate``.
    """

    deviation: float
    samples: int
    ratio: float = 0.0


def required_runs(difference: float, spread: Spread, level: float = LEVEL) -> int | None:
    """The smallest number of runs per group that shows a difference of this size with a power of 80 %.

        |difference| ≥ (t(1 − level/2) + t(0.8)) s √(1/N + ratio)

    Args:
        difference: the true difference.
        spread: the spread of the scores.
        level: the level of the test.

    Returns:
        The number; None if ``MAX_RUNS`` are not enough.

    Source: Cohen 1988, section 2.4, with quantiles of the central t distribution.
    """
    normal = NormalDist().inv_cdf(1 - level / 2) + NORMAL_POWER_QUANTILE
    precision = (difference / (normal * spread.deviation)) ** 2 - spread.ratio if spread.deviation else math.inf
    if precision * MAX_RUNS < 1:
        return None
    runs = max(2, math.ceil(1 / precision))  # with quantiles of the normal distribution, which are smaller
    while not _shows(difference, spread, runs, level):
        runs += 1
    return runs if runs <= MAX_RUNS else None


def _shows(difference: float, spread: Spread, runs: int, level: float) -> bool:
    """Whether this many runs per group show the difference."""
    degrees = min(spread.samples * (runs - 1), MAX_DEGREES)
    quantiles = t_quantile(degrees, 1 - level) + t_quantile(degrees, 2 * POWER - 1)
    return abs(difference) >= quantiles * spread.deviation * math.sqrt(1 / runs + spread.ratio)


def required_rows(difference: float, deviation: float, level: float = LEVEL) -> int | None:
    """The number of validation rows that shows a difference of this size with a power of 80 %.

    Args:
        difference: the true difference.
        deviation: the standard deviation of the differences of rows.
        level: the level of the test.

    Returns:
        The number; None if the difference is 0.
    """
    if difference == 0:
        return None
    quantiles = NormalDist().inv_cdf(1 - level / 2) + NORMAL_POWER_QUANTILE
    return math.ceil((quantiles * deviation / difference) ** 2)
