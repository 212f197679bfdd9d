"""The derivative of a function from its difference quotients, with what it may be off by."""

from collections.abc import Callable

import numpy as np

STEP = 1e-6  # h
CLOSE = 1e-7  # relative
STEPS = tuple(10.0**-exponent for exponent in (9, 8.5, 8, 7.5, 7, 6.5, 6, 5.5, 5, 4.5, 4))  # h
FACTORS = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)  # of the smallest h, whose quotients differ by rounding
SPREAD = 3  # the error of a difference quotient, in units of the spread of the quotients


def derivative(
    quotient: Callable[[float], float], expected: float, scale: float, rounding: float
) -> tuple[float, float]:
    """The quotient of one step where it is close to what is expected, relative to a scale; else ``extrapolated``."""
    slope = quotient(STEP)
    return (slope, 0.0) if abs(slope - expected) / scale < CLOSE else extrapolated(quotient, rounding)


def extrapolated(quotient: Callable[[float], float], rounding: float) -> tuple[float, float]:
    """The derivative and its uncertainty; NaN and 0 where no quotient is a number.

    Both errors of a central difference show in how far apart the quotients of similar h are: rounding, which falls with
    h, and truncation, which grows. A larger h counts as long as what it gives agrees with what the smaller ones gave.

    Args:
        quotient: the central difference of a step h, or NaN.
        rounding: that of the function's values at least.
    """
    noise = np.ptp([quotient(factor * STEPS[0]) for factor in FACTORS])
    rounding = float(np.fmax(rounding, noise * STEPS[0]))
    best, least = np.nan, np.inf
    for step in STEPS:
        long, middle, short = (quotient(factor * step) for factor in (1.0, 0.7, 0.5))
        spread = float(np.ptp([long, middle, short]))
        slope, uncertainty = (4 * short - long) / 3, SPREAD * (spread + rounding / step)  # Richardson's extrapolation
        if abs(slope - best) > least + uncertainty or uncertainty > 2 * least:
            break
        if uncertainty < least:
            best, least = slope, uncertainty
    return best, least if np.isfinite(best) else 0.0
