"""Statistical significance at the 95 % level: confidence intervals and tests for two proportions or two means.

The false positive rates are simulated and enumerated in tests/run/test_significance.py.
"""

import math
from functools import lru_cache

import numpy as np

from nncli.nn.parameters import Array

LEVEL = 0.05  # two-sided
MOST_DEGREES = 1000  # of freedom; the quantile of more is smaller by 0.12 % at most
BISECTIONS = 60
NEGLIGIBLE = 1e-17


@lru_cache(maxsize=MOST_DEGREES)
def t_quantile(degrees: int) -> float:
    """The value that |t| of Student's t distribution exceeds with probability 0.05, by bisection of its CDF.

    With more degrees of freedom than ``MOST_DEGREES``, that of ``MOST_DEGREES``, which is a little larger.
    """
    degrees = min(degrees, MOST_DEGREES)
    low, high = 0.0, math.pi / 2  # t = √ν tan θ
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        if _t_probability(middle, degrees) < 1 - LEVEL:
            low = middle
        else:
            high = middle
    return math.sqrt(degrees) * math.tan(high)


def _t_probability(theta: float, degrees: int) -> float:
    """P(|T| < √ν tan θ) with ν degrees of freedom, a finite sum.

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


def proportion_margin(one: float, rows: int, other: float, other_rows: int) -> float:
    """The 95 % margin of the difference of two proportions, each of independent rows.

    It is the distance from the difference to that end of the Agresti-Caffo interval which is nearer to zero, so that
    the difference exceeds it exactly where the interval excludes zero. The interval is that of (x + 1) / (n + 2), and
    has a width where a proportion is 0 or 1. With Student's t in place of the normal quantile, it holds also where one
    of the two has few rows.

    Source: Agresti and Caffo 2000.
    """
    first, second = (one * rows + 1) / (rows + 2), (other * other_rows + 1) / (other_rows + 2)
    half_width = _welch(
        first * (1 - first) / (rows + 2), rows + 1, second * (1 - second) / (other_rows + 2), other_rows + 1
    )
    shift = (one - other) - (first - second)
    return half_width + (shift if one >= other else -shift)


def mean_margin(variance: float, rows: int, other_variance: float, other_rows: int) -> float:
    """The 95 % margin of the difference of two means, each of at least two independent rows.

    It is the larger of Welch's and of Student's with the pooled variance: Welch's alone is too small where one of the
    two has few rows and the errors are skewed, Student's alone where it has few rows and more variance.

    Args:
        variance: the mean square less the squared mean, not Bessel-corrected.
        rows: how many values the first mean is of.
        other_variance: that of the other values.
        other_rows: how many these are.

    Source: Welch 1947.
    """
    degrees = rows + other_rows - 2
    pooled = (rows * variance + other_rows * other_variance) / degrees * (1 / rows + 1 / other_rows)
    welch = _welch(variance / (rows - 1), rows - 1, other_variance / (other_rows - 1), other_rows - 1)
    return max(welch, t_quantile(degrees) * math.sqrt(pooled))


def _welch(squared: float, degrees: int, other_squared: float, other_degrees: int) -> float:
    """The 95 % margin from two squared standard errors, with Satterthwaite's degrees of freedom rounded down."""
    total = squared + other_squared
    if total == 0:
        return 0.0
    share = squared / total
    satterthwaite = 1 / (share**2 / degrees + (1 - share) ** 2 / other_degrees)
    return t_quantile(int(satterthwaite + 1e-9)) * math.sqrt(total)  # 8 may have been rounded to 7.999…


def paired_margin(differences: Array) -> float:
    """The 95 % margin of the mean of at least two differences, one per row: the paired t-test."""
    rows = len(differences)
    return t_quantile(rows - 1) * float(np.std(differences, ddof=1)) / math.sqrt(rows)


def mcnemar(one_only: int, other_only: int) -> float:
    """The two-sided p-value of the exact McNemar test.

    Args:
        one_only: the rows that only the first network classifies correctly.
        other_only: the rows that only the second one does.

    Source: McNemar 1947, with the binomial distribution in place of χ².
    """
    rows, fewer = one_only + other_only, min(one_only, other_only)
    logarithm = math.lgamma(rows + 1) - math.lgamma(fewer + 1) - math.lgamma(rows - fewer + 1)
    term = math.exp(logarithm - rows * math.log(2))
    total = 0.0
    while term > NEGLIGIBLE * total:  # P(X = k) from k = fewer downwards
        total += term
        term *= fewer / (rows - fewer + 1)
        fewer -= 1
    return min(1.0, 2 * total)
