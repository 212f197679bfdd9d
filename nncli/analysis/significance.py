"""Statistical significance at the 95% level: confidence intervals and tests for two proportions or two means.

Their false positive rates are simulated and enumerated in tests/analysis/test_significance.py.
"""

import math
from functools import lru_cache

import numpy as np

from nncli.nn.parameters import Array

LEVEL = 0.05  # two-sided
NORMAL_QUANTILE = 1.959963984540054  # two-sided 95% quantile of the normal distribution
MAX_DEGREES = 1000  # of freedom; the quantile for more is smaller by at most 0.12 %
BISECTIONS = 60
NEGLIGIBLE = 1e-17


@lru_cache(maxsize=MAX_DEGREES)
def t_quantile(degrees: int, confidence: float = 1 - LEVEL) -> float:
    """The two-sided quantile of Student's t distribution, by default at 95%, by bisection of its CDF.

    Above ``MAX_DEGREES`` degrees of freedom it is that of ``MAX_DEGREES``, which is slightly larger.
    """
    degrees = min(degrees, MAX_DEGREES)
    low, high = 0.0, math.pi / 2  # t = √ν tan θ
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        if _t_probability(middle, degrees) < confidence:
            low = middle
        else:
            high = middle
    return math.sqrt(degrees) * math.tan(high)


def t_test(t: float, degrees: int) -> float:
    """The two-sided p-value of a t statistic: P(|T| ≥ |t|)."""
    degrees = min(degrees, MAX_DEGREES)
    return max(0.0, 1 - _t_probability(math.atan(abs(t) / math.sqrt(degrees)), degrees))


def _t_probability(theta: float, degrees: int) -> float:
    """P(|T| < √ν tan θ) with ν degrees of freedom, as a finite sum.

        sin θ (1 + 1/2 cos² θ + (1·3)/(2·4) cos⁴ θ + …)                     ν even, up to cos^(ν−2)
        2/π (θ + sin θ (cos θ + 2/3 cos³ θ + (2·4)/(3·5) cos⁵ θ + …))       ν odd, up to cos^(ν−2)

    Source: Abramowitz and Stegun 1964, 26.7.3 and 26.7.4.
    """
    sine, cosine = math.sin(theta), math.cos(theta)
    is_odd = degrees % 2
    total, term = 0.0, cosine if is_odd else 1.0
    for power in range(2 + is_odd, degrees + 1, 2):
        total += term
        term *= (power - 1) / power * cosine**2
    return 2 / math.pi * (theta + sine * total) if is_odd else sine * total


def proportion_interval(proportion: float, rows: int) -> tuple[float, float]:
    """The 95% confidence interval of a proportion, by Wilson's score method.

        (p + z²/2n ± z √(p (1 − p)/n + z²/4n²)) / (1 + z²/n)

    Its ends are within 0 and 1 for any p, and its coverage is near 95 % for few rows too.

    Source: Wilson 1927, equation 5.
    """
    z2 = NORMAL_QUANTILE**2
    center = proportion + z2 / (2 * rows)
    half_width = NORMAL_QUANTILE * math.sqrt(proportion * (1 - proportion) / rows + z2 / (4 * rows**2))
    low, high = ((center + sign * half_width) / (1 + z2 / rows) for sign in (-1, 1))
    return max(0.0, min(low, proportion)), min(1.0, max(high, proportion))  # rounded ends


def proportion_margin(first: float, first_rows: int, second: float, second_rows: int) -> float:
    """The 95% margin of the difference of two proportions of independent rows.

    It is the distance from the difference to the end of the Agresti-Caffo confidence interval that is nearer to zero,
    so the difference exceeds it if and only if the interval excludes zero. The interval uses (x + 1) / (n + 2) and has
    a positive width even if a proportion is 0 or 1. Student's t replaces the normal quantile, so that the interval is
    valid for few rows too.

    Source: Agresti and Caffo 2000.
    """
    p, q = (first * first_rows + 1) / (first_rows + 2), (second * second_rows + 1) / (second_rows + 2)
    half_width = _welch(
        p * (1 - p) / (first_rows + 2), first_rows + 1, q * (1 - q) / (second_rows + 2), second_rows + 1
    )
    shift = (first - second) - (p - q)
    return half_width + (shift if first >= second else -shift)


def mean_margin(first_variance: float, first_rows: int, second_variance: float, second_rows: int) -> float:
    """The 95% margin of the difference of two means of independent rows, at least two each.

    It is the larger of the margins of Welch's t-test and of Student's t-test with pooled variance. Welch's alone is too
    small if one sample has few rows and the errors are skewed; Student's alone if that sample also has more variance.

    Args:
        first_variance: the mean square minus the squared mean, without Bessel's correction.
        first_rows: the number of values of the first mean.
        second_variance: the same for the second mean.
        second_rows: the number of its values.

    Source: Welch 1947.
    """
    degrees = first_rows + second_rows - 2
    variance = (first_rows * first_variance + second_rows * second_variance) / degrees
    pooled = variance * (1 / first_rows + 1 / second_rows)
    first_squared, second_squared = first_variance / (first_rows - 1), second_variance / (second_rows - 1)
    welch = _welch(first_squared, first_rows - 1, second_squared, second_rows - 1)
    return max(welch, t_quantile(degrees) * math.sqrt(pooled))


def _welch(first: float, first_degrees: int, second: float, second_degrees: int) -> float:
    """The 95% margin from two squared standard errors."""
    total, degrees = first + second, welch_degrees(first, first_degrees, second, second_degrees)
    return t_quantile(degrees) * math.sqrt(total)


def welch_degrees(first: float, first_degrees: int, second: float, second_degrees: int) -> int:
    """The degrees of freedom of the sum of two squared standard errors, rounded down.

        (a + b)² / (a²/ν + b²/μ)         a, b the squared standard errors, ν and μ their degrees of freedom

    Source: Satterthwaite 1946; Welch 1947.
    """
    total = first + second
    if total == 0:
        return first_degrees + second_degrees
    fraction = first / total
    degrees = 1 / (fraction**2 / first_degrees + (1 - fraction) ** 2 / second_degrees)
    return int(degrees + 1e-9)  # 8 may have been rounded to 7.999…


def paired_margin(differences: Array) -> float:
    """The 95% margin of the mean of paired differences, at least two: the paired t-test."""
    rows = len(differences)
    return t_quantile(rows - 1) * float(np.std(differences, ddof=1)) / math.sqrt(rows)


def mcnemar(first_only: int, second_only: int) -> float:
    """The two-sided p-value of the exact McNemar test.

    Args:
        first_only: the number of rows that only the first network classifies correctly.
        second_only: the number of rows that only the second network classifies correctly.

    Source: McNemar 1947, with the binomial distribution instead of χ².
    """
    rows, fewer = first_only + second_only, min(first_only, second_only)
    logarithm = math.lgamma(rows + 1) - math.lgamma(fewer + 1) - math.lgamma(rows - fewer + 1)
    term = math.exp(logarithm - rows * math.log(2))
    total = 0.0
    while term > NEGLIGIBLE * total:  # P(X = k) from k = fewer downwards
        total += term
        term *= fewer / (rows - fewer + 1)
        fewer -= 1
    return min(1.0, 2 * total)
