"""Whether a difference is statistically significant: of one network on two sets of rows, or of two networks."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from nncli.analysis.significance import LEVEL, mcnemar, mean_margin, paired_margin, proportion_margin
from nncli.experiment.metric_columns import column
from nncli.nn.parameters import Array

SMALLEST_P = 1e-4  # that is printed as a number
STRONG_GAP = 0.1  # of a share of right answers


@dataclass(frozen=True)
class Score:
    """How well a network does on some rows, by a metric that is a mean over them.

    Args:
        metric: accuracy or mean_absolute_error.
        value: the mean.
        variance: that of the values of the single rows.
        rows: how many there are.
    """

    metric: str
    value: float
    variance: float
    rows: int

    @property
    def strong_gap(self) -> float:
        """What a gap has to exceed to be called strong: a tenth of the answers, or an error twice as large."""
        return STRONG_GAP if self.metric == "accuracy" else self.value

    @property
    def words(self) -> str:
        """The value as a sentence has it."""
        return self.told(self.value)

    def gain(self, other: "Score") -> float:
        """How much better this score is than the other."""
        return self.value - other.value if self.metric == "accuracy" else other.value - self.value

    def told(self, value: float, sign: str = "") -> str:
        """A value of this metric as text: a share to three decimals, an error to three digits."""
        return f"{value:{sign}.3f}" if self.metric == "accuracy" else f"{value:{sign}.3g}"


@dataclass(frozen=True)
class Gap:
    """A training score compared with that of a held-out split."""

    split: str
    training: Score
    held_out: Score

    @property
    def size(self) -> float:
        """How much better the score in training is."""
        return self.training.gain(self.held_out)

    @property
    def margin(self) -> float:
        """The 95 % margin of the gap; a larger gap is statistically significant."""
        return margin(self.training, self.held_out)

    @property
    def words(self) -> str:
        """Whether the network overfits, in one sentence with its numbers."""
        told, split = self.training.told, self.split
        if self.size > max(self.margin, self.training.strong_gap):
            verdict = "overfits strongly"
        elif self.size > self.margin:
            verdict = "overfits"
        elif self.size >= -self.margin:
            verdict = "shows no statistically significant overfitting"
        else:
            verdict = f"is significantly better in {split} than in training"
        values = f"{self.training.metric} {self.training.words} (training) vs {self.held_out.words} ({split})"
        return f"{verdict}: {values}, gap {told(self.size, '+')} (95 % margin {told(self.margin)})"


@dataclass(frozen=True)
class Difference:
    """The result of a test of two networks: whether they differ significantly, and by which test, as text."""

    is_significant: bool
    words: str


def score(metrics: Mapping[str, float], split: str, rows: int) -> Score | None:
    """The score of a split among metrics by column; None where there is none of which the variance is known.

    An accuracy p has the variance p (1 − p); absolute errors have that of the mean square less the squared mean, so
    that it takes both errors, and two rows.
    """
    accuracy, absolute, squared = (
        metrics.get(column(split, name)) for name in ("accuracy", "mean_absolute_error", "root_mean_squared_error")
    )
    if accuracy is not None:
        return Score("accuracy", accuracy, max(accuracy * (1 - accuracy), 0.0), rows)
    if absolute is not None and squared is not None and rows > 1:
        return Score("mean_absolute_error", absolute, max(squared**2 - absolute**2, 0.0), rows)
    return None


def margin(one: Score, other: Score) -> float:
    """The 95 % margin of the difference of two scores by one metric, each on rows of its own."""
    if one.metric == "accuracy":
        return proportion_margin(one.value, one.rows, other.value, other.rows)
    return mean_margin(one.variance, one.rows, other.variance, other.rows)


def unpaired(one: Score, other: Score, reason: str) -> Difference:
    """Two networks compared by their scores alone.

    Args:
        one: the score of one network.
        other: that of the other.
        reason: why their rows are not compared one by one.
    """
    size, limit = abs(one.gain(other)), margin(one, other)
    return Difference(size > limit, f"difference {one.told(size)} (95 % margin {one.told(limit)}, {reason})")


def paired(metric: str, first: Array, second: Array) -> Difference:
    """Two networks compared row by row: by the exact McNemar test, or by the paired t-test.

    Args:
        metric: what the values are of.
        first: the values of its rows, (N,): whether each is classified correctly, or its absolute error.
        second: those of the other network, of the same rows.
    """
    size, rows = abs(float(np.mean(first) - np.mean(second))), f"the same {len(first):,} rows"
    if metric == "accuracy":
        p = mcnemar(int(np.sum(first & ~second)), int(np.sum(second & ~first)))
        told = f"= {p:.3g}" if p >= SMALLEST_P else f"< {SMALLEST_P:g}"
        return Difference(p < LEVEL, f"difference {size:.3f} (exact McNemar test on {rows}, p {told})")
    limit = paired_margin(first - second)
    return Difference(size > limit, f"difference {size:.3g} (95 % margin {limit:.3g}, paired over {rows})")
