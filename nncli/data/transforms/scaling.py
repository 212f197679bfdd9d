"""Transforms that shift and scale the values of a column, some after a function of them."""

import numpy as np

from nncli.data.transforms.moments import Array, is_constant, mean_and_deviation, percentiles
from nncli.data.transforms.state import State
from nncli.data.transforms.transform import Affine, Transform
from nncli.registry import register

BYTE_CENTER = 127.5


@register("standardize")
class Standardize(Affine):
    """Standardization (z-score): training values have mean 0 and standard deviation 1.

        y = (x − m) / s
        m = Σ x / N,  s = √(Σ (x − m)² / N)       over the training rows

    Source: Kinsley and Kukieła 2020, chapter 19, as one way of scaling; scikit-learn's StandardScaler.
    """

    def measure(self, values: Array) -> tuple[float, float]:
        """m and s."""
        return mean_and_deviation(values)


@register("min_max")
class MinMax(Affine):
    """Min-max normalization: training values are from 0 to 1, other values may be outside.

        y = (x − min x) / (max x − min x)         over the training rows

    Source: scikit-learn's MinMaxScaler.
    """

    def measure(self, values: Array) -> tuple[float, float]:
        """The smallest value, and the range."""
        smallest, largest = float(values.min()), float(values.max())
        return smallest, largest - smallest


@register("robust")
class Robust(Affine):
    """Robust scaling: median and interquartile range, on which outliers have no influence.

        y = (x − q(0.5)) / (q(0.75) − q(0.25))    q quantiles of the training rows

    If half of the values are equal, the range is 0; then the standard deviation is used.

    Source: scikit-learn's RobustScaler, which does not scale if the range is 0.
    """

    def measure(self, values: Array) -> tuple[float, float]:
        """The median, and the interquartile range."""
        lower, median, upper = percentiles(values, 0.25, 0.5, 0.75)
        return median, upper - lower or mean_and_deviation(values)[1]


@register("log")
class Log(Transform):
    """Logarithm of either sign, then standardization: for values that span several powers of ten.

        y = (z − m) / s                           m, s mean and standard deviation of z
        z = sign(x) log(1 + |x|)                  natural logarithm; z = x near 0

    Negative values and 0 are valid.

    Source: John and Draper 1980, "An alternative family of transformations", equation 1 with λ = 0.
    """

    def __init__(self) -> None:
        self.standardize = Standardize()

    def fit(self, values: Array) -> None:
        """Measure m and s."""
        super().fit(values)
        logarithms = _signed_log(values)
        self.is_constant |= is_constant(logarithms)
        self.standardize.fit(logarithms)

    def apply(self, values: Array) -> Array:
        """y = (z − m) / s."""
        return self.standardize.apply(_signed_log(values))

    def state(self) -> State:
        """m and s."""
        return self.standardize.state()

    def restore(self, state: State) -> None:
        """Take m and s."""
        self.standardize.restore(state)


def _signed_log(values: Array) -> Array:
    """z = sign(x) log(1 + |x|), from contiguous values, so that all of them take the same path through NumPy."""
    logarithms: Array = np.log1p(np.abs(np.ascontiguousarray(values)))
    return np.copysign(logarithms, values, out=logarithms)


@register("symmetric")
class Symmetric(Transform):
    """Bytes to −1 … 1: the values from 0 to 255 of a grayscale image, as the book scales them.

        y = (x − 127.5) / 127.5

    Source: Kinsley and Kukieła 2020, chapter 19.
    """

    def apply(self, values: Array) -> Array:
        """y = (x − 127.5) / 127.5."""
        scaled: Array = (values - BYTE_CENTER) / BYTE_CENTER
        return scaled


@register("none")
class Unscaled(Transform):
    """Leaves the values as they are.

        y = x

    A network trains well on values of about −1 … 1.

    Source: Kinsley and Kukieła 2020, chapter 19, on why data are scaled.
    """

    def apply(self, values: Array) -> Array:
        """y = x, as a copy."""
        return np.array(values, np.float64)
