"""The difference of two groups of runs: paired by seed where both have it, and what the sampling of rows adds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nncli.analysis.compared_run import ComparedRun, is_comparable
from nncli.analysis.group_results import GroupResult
from nncli.analysis.group_rows import RowMeans, RowSampling, row_sampling
from nncli.analysis.paired_tests import (
    Estimate,
    SignFlip,
    Spread,
    fraction_won,
    paired_estimate,
    pairing_gain,
    probability_better,
    sign_flip,
    unpaired_estimate,
)
from nncli.analysis.scores import Difference, paired, unpaired
from nncli.experiment.metric_columns import column, find_column, higher_is_better
from nncli.nn.parameters import Array

MIN_PAIRS = 2
MIN_SIGN_FLIPS = 6  # pairs; with fewer no p-value is below 5 %
MIN_FRACTION_PAIRED = 0.5  # of the smaller group; if fewer runs have a partner, the groups are not paired


@dataclass(frozen=True)
class GroupComparison:
    """The difference of two groups.

    Args:
        first: the first group.
        second: the second group.
        reason: why they are not compared; None if they are.
        pairs: the number of pairs of runs with the same seeds and fold; None if the groups are not paired.
        difference: the mean of the first group minus that of the second, over the pairs if there are any.
        over_runs: the difference with its standard error over runs; None if a group is one training.
        over_rows: the same over validation rows; None if the metric is no mean over rows.
        fraction_won: the fraction of pairs in which the first group is better, ties as half; None if not paired.
        probability: P(A > B), that a run of the first group is better than one of the second.
        sign_flip: the p-values of the exact sign-flip test; None with less than ``MIN_SIGN_FLIPS`` pairs.
        gain: how many times as many unpaired runs would be as precise; None if not paired.
        spread: what decides how many runs a difference needs; None if a group is one training.
        trainings: the significance of the difference of two trainings by their rows; None if a group has several.
    """

    first: GroupResult
    second: GroupResult
    reason: str | None = None
    pairs: int | None = None
    difference: float = 0.0
    over_runs: Estimate | None = None
    over_rows: RowSampling | None = None
    fraction_won: float | None = None
    probability: float = 0.5
    sign_flip: SignFlip | None = None
    gain: float | None = None
    spread: Spread | None = None
    trainings: Difference | None = None

    @property
    def metric(self) -> str:
        """The column that is compared."""
        return self.first.metric

    @property
    def fewest(self) -> int:
        """The number of runs that decides: the pairs, or the runs of the smaller group."""
        return self.pairs or min(len(self.first.finished), len(self.second.finished))

    @property
    def p_value(self) -> float:
        """The p-value of the deciding interval, but at least 2^(1 − R) for R runs; 1 without an interval.

        If scores have two values, as those of runs that collapse or not, the runs of two groups without any difference
        are separated exactly with a probability of up to 2^(1 − R), and Student's t then finds no variance.
        """
        runs = 2 * self.pairs if self.pairs else len(self.first.finished) + len(self.second.finished)
        return max(self.deciding.p_value, 2.0 ** (1 - runs)) if self.deciding else 1.0

    @property
    def decided_by_rows(self) -> bool:
        """Whether the interval over rows is wider than that over runs."""
        if self.over_rows is None:
            return False
        return self.over_runs is None or self.over_rows.estimate.margin > self.over_runs.margin

    @property
    def deciding(self) -> Estimate | None:
        """The estimate with the wider interval; None if there is none over runs.

        If both are equally wide, and both seeds and rows are drawn again, it covers 83 % instead of 95 %.
        """
        if self.over_runs is None:
            return None
        return self.over_rows.estimate if self.over_rows and self.decided_by_rows else self.over_runs


def compare_groups(
    first: GroupResult, second: GroupResult, means: Sequence[RowMeans | None], different_data: bool = False
) -> GroupComparison:
    """Compare two groups.

    Args:
        first: the first group.
        second: the second group.
        means: their ``row_means``.
        different_data: compare them even if their rows differ.
    """
    reason = _not_shared(first, second, different_data)
    if reason:
        return GroupComparison(first, second, reason)
    is_repeated = first.is_one_training or second.is_one_training
    pairs = None if is_repeated else _pairs(first, second)
    scores = pairs or (first.scores, second.scores)
    found = {} if is_repeated else _paired(first, second, *pairs) if pairs else _unpaired(first, second)
    difference = float(np.mean(scores[0]) - np.mean(scores[1]))
    return GroupComparison(
        first,
        second,
        pairs=len(scores[0]) if pairs else None,
        difference=difference,
        over_rows=row_sampling(first, second, difference, means),
        probability=probability_better(*_oriented(first.metric, first.scores, second.scores)),
        trainings=_trainings(first, second, means),
        **found,
    )


def _paired(first: GroupResult, second: GroupResult, one: Array, other: Array) -> dict[str, Any]:
    """The statistics of paired groups, from the scores of the pairs (N,) and (N,), as fields of ``GroupComparison``."""
    ratio = max(first.split_ratio, second.split_ratio)
    wins = np.subtract(*_oriented(first.metric, one, other))
    return {
        "over_runs": paired_estimate(one - other, ratio),
        "fraction_won": fraction_won(wins),
        "sign_flip": sign_flip(wins) if len(wins) >= MIN_SIGN_FLIPS and not ratio else None,
        "gain": pairing_gain(one, other),
        "spread": Spread(float(np.std(one - other, ddof=1)), 1, ratio),
    }


def _unpaired(first: GroupResult, second: GroupResult) -> dict[str, Any]:
    """The statistics of independent groups, likewise; none if one of them has a single run."""
    one, other = first.scores, second.scores
    if min(len(one), len(other)) < MIN_PAIRS:
        return {}
    ratio = max(first.split_ratio, second.split_ratio)
    deviation = float(np.sqrt(np.var(one, ddof=1) + np.var(other, ddof=1)))
    return {"over_runs": unpaired_estimate(one, other, ratio), "spread": Spread(deviation, 2, ratio)}


def _trainings(first: GroupResult, second: GroupResult, means: Sequence[RowMeans | None]) -> Difference | None:
    """The significance of the difference of two trainings; None if their metric is no mean over rows."""
    split = find_column(first.metric).split or "training"
    runs = [first.finished[0], second.finished[0]]
    scores = [run.scores[split] for run in runs if split in run.scores]
    is_single = first.is_one_training and second.is_one_training
    if not is_single or [column(split, score.metric) for score in scores] != [first.metric] * 2:
        return None
    if means[0] is None or means[1] is None or set(means[0]) != set(means[1]):
        return unpaired(scores[0], scores[1], f"not paired by {split} row")
    (one,), (other,) = means[0].values(), means[1].values()
    is_accuracy = scores[0].metric == "accuracy"
    return paired(scores[0].metric, *((rows > 0 if is_accuracy else rows) for rows in (one, other)))


def _oriented(metric: str, first: Array, second: Array) -> tuple[Array, Array]:
    """The scores with a sign such that larger ones are better."""
    sign = 1 if higher_is_better(metric) else -1
    return sign * first, sign * second


def _pairs(first: GroupResult, second: GroupResult) -> tuple[Array, Array] | None:
    """The scores of the seeds and folds that both groups have on the same rows; None if there are too few.

    The score of several runs with the same seed and fold is their mean.
    """
    split = find_column(first.metric).split or "training"
    runs, others = first.by_replicate, second.by_replicate
    shared = [key for key in runs if key in others and len(_rows([*runs[key], *others[key]], split)) == 1]
    if len(shared) < max(MIN_PAIRS, MIN_FRACTION_PAIRED * min(len(runs), len(others))):
        return None
    scores = [
        np.array([np.mean([entry.metrics[first.metric] for entry in each[key]]) for key in shared])
        for each in (runs, others)
    ]
    return scores[0], scores[1]


def _rows(entries: Sequence[ComparedRun], split: str) -> set[str]:
    """The SHA-256 of the rows of runs."""
    return {entry.run.fingerprints[split] for entry in entries}


def _not_shared(first: GroupResult, second: GroupResult, different_data: bool) -> str | None:
    """Why two groups cannot be compared; None if they can."""
    empty = [group.label for group in (first, second) if not group.finished]
    if empty:
        return f"{empty[0]} has no finished run"
    split = find_column(first.metric).split or "training"
    if not different_data and first.fingerprints(split) != second.fingerprints(split) and not _pairs(first, second):
        return f"their {split} rows differ"
    if not is_comparable([*first.finished, *second.finished], first.metric):
        return f"{first.metric} has other settings or other classes in one of them"
    return None
