"""Numerical differentiation: the derivative of a function from its central differences, with its uncertainty."""

from collections.abc import Callable

import numpy as np

STEP = 1e-6  # h
AGREEMENT = 1e-7  # relative; a central difference this close to the expected value is not extrapolated
STEPS = tuple(10.0**-exponent for exponent in (9, 8.5, 8, 7.5, 7, 6.5, 6, 5.5, 5, 4.5, 4))  # h
FACTORS = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)  # of the smallest h, whose differences vary by rounding
SPREAD = 3  # the error of a central difference, in units of the spread of those with a similar h


def derivative(
    difference: Callable[[float], float], expected: float, scale: float, rounding: float
) -> tuple[float, float]:
    """The derivative and its uncertainty: one central difference if it is as expected, else ``extrapolated``.

    Args:
        difference: a function from a step h to the central difference, or NaN.
        expected: the derivative to compare with.
        scale: the size relative to which the two are compared.
        rounding: a lower bound of the rounding error of the function's values.
    """
    value = difference(STEP)
    return (value, 0.0) if abs(value - expected) / scale < AGREEMENT else extrapolated(difference, rounding)


def extrapolated(difference: Callable[[float], float], rounding: float) -> tuple[float, float]:
    """The derivative and its uncertainty by Richardson's extrapolation; NaN and 0 if every difference is NaN.

    The spread of central differences of similar h shows both of their errors: the rounding error, which decreases with
    h, and the truncation error, which increases. A larger h is used as long as its result agrees with those of smaller
    ones.

    Args:
        difference: a function from a step h to the central difference, or NaN.
        rounding: a lower bound of the rounding error of the function's values.
    """
    noise = np.ptp([difference(factor * STEPS[0]) for factor in FACTORS])
    rounding = float(np.fmax(rounding, noise * STEPS[0]))
    best, least = np.nan, np.inf
    for step in STEPS:
        long, middle, short = (difference(factor * step) for factor in (1.0, 0.7, 0.5))
        spread = float(np.ptp([long, middle, short]))
        value, uncertainty = (4 * short - long) / 3, SPREAD * (spread + rounding / step)
        if abs(value - best) > least + uncertainty or uncertainty > 2 * least:
            break
        if uncertainty < least:
            best, least = value, uncertainty
    return best, least if np.isfinite(best) else 0.0
