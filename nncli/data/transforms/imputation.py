"""Imputation: replacement of missing values, fitted to training rows."""

from typing import Annotated, ClassVar

import numpy as np

from nncli.data.transforms.moments import Array, mean, percentiles
from nncli.registry import Bounds, kind, register


@kind("imputation")
class Imputation:
    """How missing values are replaced.

    Args:
        indicator: adds an input that is 1 where the value was missing, else 0.
    """

    needs_order: ClassVar[bool] = False  # whether the values need an order, which categories do not have

    def __init__(self, indicator: bool = False) -> None:
        self.indicator = indicator

    def fit(self, values: Array) -> float | str | bool | None:
        """The value that replaces missing ones, from the known training values (N,), N > 0, which may be sorted.

        None if missing values are errors. Categories are given as indices in the order of their names.
        """
        raise NotImplementedError(f"{type(self).__name__} has no fit")


@register("error")
class Refuse(Imputation):
    """Missing values are errors, in training and in prediction.

    Source: scikit-learn's estimators, whose default this is.
    """

    def __init__(self) -> None:
        super().__init__()

    def fit(self, values: Array) -> None:
        """None: there is no replacement."""


@register("mean")
class Mean(Imputation):
    """Replaces missing numbers and dates by the mean.

        x = m where missing        m = Σ x / N over the known values of the training rows

    Source: scikit-learn's SimpleImputer.
    """

    needs_order = True

    def fit(self, values: Array) -> float:
        """m = Σ x / N."""
        return mean(values)


@register("median")
class Median(Imputation):
    """Replaces missing numbers and dates by the median, on which outliers have no influence.

        x = q(0.5) where missing   q(0.5) median of the known values of the training rows

    Source: scikit-learn's SimpleImputer.
    """

    needs_order = True

    def fit(self, values: Array) -> float:
        """The median."""
        return percentiles(values, 0.5)[0]


@register("mode")
class Mode(Imputation):
    """Replaces missing values by the most frequent one; of several, by the first in their order.

        x = argmax n(v) where missing     n(v) the number of training rows with the value v

    Source: scikit-learn's SimpleImputer, strategy most_frequent.
    """

    def fit(self, values: Array) -> float:
        """The most frequent value; argmax takes the first of equal counts, the smallest value."""
        values.sort()
        starts = np.flatnonzero(np.r_[True, values[1:] != values[:-1]])
        counts = np.diff(starts, append=len(values))
        return float(values[starts[counts.argmax()]])


@register("constant")
class Constant(Imputation):
    """Replaces missing values by a given one.

        x = v where missing

    Args:
        value (v): a number, a category, true or false, or a date as the column has it.

    Source: scikit-learn's SimpleImputer.
    """

    def __init__(self, value: Annotated[float | str | bool, Bounds(0)], indicator: bool = False) -> None:
        super().__init__(indicator)
        self.value = value

    def fit(self, values: Array) -> float | str | bool:
        """The given value, v."""
        return self.value
