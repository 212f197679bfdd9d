"""Statistically significant differences: overfitting of one network, and which of two networks is better."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from nncli.analysis.significance import LEVEL, mcnemar, mean_margin, paired_margin, proportion_margin
from nncli.experiment.metric_columns import column
from nncli.nn.parameters import Array

SMALLEST_P = 1e-4  # smaller p-values are shown as "< 0.0001"
LARGE_GAP = 0.1  # of accuracy


@dataclass(frozen=True)
class Score:
    """A metric that is a mean over rows, with what its confidence interval needs.

    Args:
        metric: accuracy or mean_absolute_error.
        value: the mean.
        variance: the variance of the values per row.
        rows: the number of rows.
    """

    metric: str
    value: float
    variance: float
    rows: int

    @property
    def large_gap(self) -> float:
        """The gap above which overfitting is strong: 0.1 of accuracy, or an error that is twice as large."""
        return LARGE_GAP if self.metric == "accuracy" else self.value

    @property
    def text(self) -> str:
        """The value as a message shows it."""
        return self.format(self.value)

    def gain(self, other: "Score") -> float:
        """How much better this score is than the other."""
        return self.value - other.value if self.metric == "accuracy" else other.value - self.value

    def format(self, value: float, sign: str = "") -> str:
        """A value of this metric as text: an accuracy to three decimals, an error to three significant digits."""
        return f"{value:{sign}{number_format(self.metric)}}"


@dataclass(frozen=True)
class Gap:
    """The generalization gap: the training score compared with that of a held-out split."""

    split: str
    training: Score
    held_out: Score

    @property
    def size(self) -> float:
        """How much better the training score is."""
        return self.training.gain(self.held_out)

    @property
    def margin(self) -> float:
        """The 95% margin of the gap; a larger gap is statistically significant."""
        return margin(self.training, self.held_out)

    @property
    def degree(self) -> str:
        """Whether the network overfits, in one word; ``reverse`` if it is significantly better on held-out rows."""
        if self.size > max(self.margin, self.training.large_gap):
            return "strongly"
        if self.size > self.margin:
            return "yes"
        return "no" if self.size >= -self.margin else "reverse"

    @property
    def description(self) -> str:
        """Whether the network overfits, in one sentence with its numbers."""
        number, split = self.training.format, self.split
        verdict = {
            "strongly": "overfits strongly",
            "yes": "overfits",
            "no": "shows no significant overfitting",
            "reverse": f"is significantly better on the {split} set than on the training set",
        }[self.degree]
        values = f"{self.training.metric} {self.training.text} (training) vs {self.held_out.text} ({split})"
        return f"{verdict}: {values}, gap {number(self.size, '+')} (95% margin {number(self.margin)})"


@dataclass(frozen=True)
class Difference:
    """The result of a significance test of two networks.

    Args:
        is_significant: whether they differ at the 95% level.
        description: the difference and the test, as text.
    """

    is_significant: bool
    description: str


def number_format(metric: str) -> str:
    """How values of a metric are written: an accuracy to three decimals, anything else to three significant digits."""
    return ".3f" if metric == "accuracy" else ".3g"


def score(metrics: Mapping[str, float], split: str, rows: int) -> Score | None:
    """The score of a split, from its metrics by column; None if the variance of no metric is known.

    The variance of an accuracy p is p (1 − p). That of absolute errors is the mean square minus the squared mean, so it
    needs both errors, and at least two rows.
    """
    accuracy, absolute, squared = (
        metrics.get(column(split, name)) for name in ("accuracy", "mean_absolute_error", "root_mean_squared_error")
    )
    if accuracy is not None:
        return Score("accuracy", accuracy, max(accuracy * (1 - accuracy), 0.0), rows)
    if absolute is not None and squared is not None and rows > 1:
        return Score("mean_absolute_error", absolute, max(squared**2 - absolute**2, 0.0), rows)
    return None


def margin(first: Score, second: Score) -> float:
    """The 95% margin of the difference of two scores by the same metric on independent rows."""
    if first.metric == "accuracy":
        return proportion_margin(first.value, first.rows, second.value, second.rows)
    return mean_margin(first.variance, first.rows, second.variance, second.rows)


def unpaired(first: Score, second: Score, reason: str) -> Difference:
    """Two networks compared by their scores alone.

    Args:
        first: the score of the first network.
        second: the score of the second.
        reason: why they are not compared row by row.
    """
    size, limit = abs(first.gain(second)), margin(first, second)
    return Difference(size > limit, f"difference {first.format(size)} (95% margin {first.format(limit)}, {reason})")


def paired(metric: str, first: Array, second: Array) -> Difference:
    """Two networks compared row by row: by the exact McNemar test, or by the paired t-test.

    Args:
        metric: accuracy or mean_absolute_error.
        first: the value of each row for the first network (N,): whether it is correct, or its absolute error.
        second: the same for the second network and the same rows (N,).
    """
    size, rows = abs(float(np.mean(first) - np.mean(second))), f"the same {len(first):,} rows"
    if metric == "accuracy":
        p = mcnemar(int(np.sum(first & ~second)), int(np.sum(second & ~first)))
        p_text = f"= {p:.3g}" if p >= SMALLEST_P else f"< {SMALLEST_P:g}"
        return Difference(p < LEVEL, f"difference {size:.3f} (exact McNemar test on {rows}, p {p_text})")
    limit = paired_margin(first - second)
    return Difference(size > limit, f"difference {size:.3g} (95% margin {limit:.3g}, paired over {rows})")
