"""Whether a difference is more than chance: of a network on two sets of rows, or of two networks on one."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from nncli.run.evaluation import column

NORMAL_95 = 1.96  # standard errors that chance stays within, 95 times in 100
STRONG_GAP = 0.1  # of a share of right answers


@dataclass(frozen=True)
class Score:
    """How well a network does on some rows, by a metric that is a mean over them.

    Args:
        metric: accuracy, a mean of right and wrong, or mean_absolute_error.
        value: the mean.
        variance: that of a single row's part in it.
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
    """A training score held against that of a held-out split."""

    split: str
    training: Score
    held_out: Score

    @property
    def size(self) -> float:
        """How much better the training set is met."""
        return self.training.gain(self.held_out)

    @property
    def chance(self) -> float:
        """How large it gets by chance alone, 95 times in 100."""
        return chance(self.training, self.held_out)

    @property
    def words(self) -> str:
        """Who overfits, as a person would say it."""
        told, metric = self.training.told, self.training.metric
        values = f"{metric} {self.training.words} in training, {self.held_out.words} in {self.split}"
        if self.size > max(self.chance, self.training.strong_gap):
            verdict = "overfits strongly"
        elif self.size > self.chance:
            verdict = "overfits"
        elif self.size >= -self.chance:
            verdict = "does not overfit beyond chance"
        else:
            verdict = f"does better on {self.split} than on its own data"
        return f"{verdict}: {values}: a gap of {told(self.size, '+')}, where chance gives up to {told(self.chance)}"


def score(metrics: Mapping[str, float], split: str, rows: int) -> Score | None:
    """The score of a split among metrics by column; None where neither accuracy nor the errors were measured.

    A share p of right answers has the variance p (1 − p); absolute errors have that of the mean square less the
    squared mean, so that it takes both errors to tell.
    """
    accuracy, absolute, squared = (
        metrics.get(column(split, name)) for name in ("accuracy", "mean_absolute_error", "root_mean_squared_error")
    )
    if accuracy is not None:
        return Score("accuracy", accuracy, max(accuracy * (1 - accuracy), 0.0), rows)
    if absolute is not None and squared is not None:
        return Score("mean_absolute_error", absolute, max(squared**2 - absolute**2, 0.0), rows)
    return None


def chance(one: Score, other: Score) -> float:
    """How far two scores may lie apart by chance, 95 times in 100.

        1.96 √(v₁ / n₁ + v₂ / n₂)        the normal approximation for two independent samples

    Two runs on the same rows are not independent; for them it is an upper bound, as their mistakes go together.
    """
    return NORMAL_95 * math.sqrt(one.variance / one.rows + other.variance / other.rows)
