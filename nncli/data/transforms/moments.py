"""Statistics of one column (N,) in float64 that neither overflow nor underflow at any magnitude."""

from math import frexp, ldexp, sqrt
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]
ROUNDING = 4 * float(np.finfo(np.float64).eps)  # a relative range that rounding alone can produce


def largest_magnitude(values: Array) -> float:
    """The largest |x|; 0 if there are no values."""
    return max(abs(float(values.min())), abs(float(values.max()))) if len(values) else 0.0


def is_constant(values: Array) -> bool:
    """Whether all values are equal, or differ by no more than rounding: max x − min x ≤ 4 ε max |x|."""
    if not len(values):
        return True
    half_range = float(values.max()) / 2 - float(values.min()) / 2  # the range itself may overflow
    return half_range <= ROUNDING / 2 * largest_magnitude(values)


def mean(values: Array) -> float:
    """m = Σ x / N, summed pairwise."""
    with np.errstate(over="ignore", invalid="ignore"):
        found = float(values.mean())
    largest = largest_magnitude(values)
    return found if np.isfinite(found) else float((values / largest).mean()) * largest


def mean_and_deviation(values: Array, weights: Array | None = None) -> tuple[float, float]:
    """Mean and standard deviation; the values are overwritten.

        m = Σ x / N,   s = √(Σ (x − m)² / N)            or with weights w   m = Σ w x / Σ w,   s = √(Σ w (x − m)² / Σ w)

    Two passes, since Σ x² / N − m² cancels; the mean of x − m corrects m. The values are first divided by a power of
    two, which is exact, so that no square overflows or underflows.

    Source: Chan, Golub and LeVeque 1983, "Algorithms for computing the sample variance", equation 1.7.
    """
    largest = largest_magnitude(values)
    if not largest:
        return 0.0, 0.0
    unit = ldexp(1.0, frexp(largest)[1] - 1)
    values /= unit  # from −2 to 2
    rough = float(np.average(values, weights=weights))
    values -= rough
    correction = float(np.average(values, weights=weights))
    np.square(values, out=values)
    squares = float(np.average(values, weights=weights))
    return (rough + correction) * unit, sqrt(max(squares - correction**2, 0.0)) * unit


def quantiles_of_sorted(values: Array, positions: Array) -> Array:
    """The values at fractional positions from 0 to N − 1 of a sorted array, linear between neighbors."""
    lower = np.floor(positions).astype(np.int64)
    weight = positions - lower
    upper = np.minimum(lower + 1, len(values) - 1)
    half: Array = (values[upper] / 2 - values[lower] / 2) * weight  # the difference itself may overflow
    found: Array = values[lower] + half + half
    return found


def percentiles(values: Array, *fractions: float) -> list[float]:
    """The quantiles at fractions from 0 to 1, at the positions (N − 1) p; the values are sorted in place."""
    values.sort()
    return [float(q) for q in quantiles_of_sorted(values, (len(values) - 1) * np.array(fractions))]
