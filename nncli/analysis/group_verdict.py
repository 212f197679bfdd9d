"""Verdicts on groups of runs: which is better, which are equal in practice, and where more runs or rows are needed."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from itertools import combinations

from nncli.analysis.group_comparison import GroupComparison, compare_groups
from nncli.analysis.group_results import GroupResult
from nncli.analysis.group_rows import row_means
from nncli.analysis.paired_tests import holm, required_rows, required_runs
from nncli.analysis.significance import LEVEL
from nncli.experiment.metric_columns import higher_is_better

MIN_RUNS = 3  # of each group; two runs each differ by chance as two collapsed ones do from two others
MIN_PROBABILITY = 0.75  # that a run of the better group is better
MAX_ALL_PAIRS = 20  # groups of which all pairs are compared; of more, p-values are adjusted as if the others were 1


class Outcome(StrEnum):
    """What a comparison of two groups shows."""

    BETTER = "better"
    WORSE = "worse"
    EQUAL = "equal in practice"
    SMALL = "small"  # significant, but often the other way round
    FEW_RUNS = "not enough runs"
    FEW_ROWS = "not enough rows"
    ONE_SEED = "one seed"
    NOT_COMPARED = "not compared"


@dataclass(frozen=True)
class Verdict:
    """The verdict on the first of two groups compared with the second.

    Args:
        comparison: the difference.
        outcome: the verdict; better and worse are said of the first group.
        p_value: the p-value of the deciding interval, Holm-adjusted, or the mid-p of the sign-flip test if it is
            larger; None without an interval.
        family: the number of comparisons that it is adjusted for.
    """

    comparison: GroupComparison
    outcome: Outcome
    p_value: float | None = None
    family: int = 1

    @cached_property
    def more_runs(self) -> int | None:
        """How many more runs of each group would show a difference of this size.

        None if that is not the question, or if no number would.
        """
        found = self.comparison
        if self.outcome is not Outcome.FEW_RUNS or found.spread is None:
            return None
        needed = required_runs(found.difference, found.spread, LEVEL / self.family)
        return None if needed is None else max(needed, fewest_runs(self.family), found.fewest + 1) - found.fewest

    @cached_property
    def required_rows(self) -> int | None:
        """How many validation rows would show a difference of this size; None as for ``more_runs``."""
        sampled = self.comparison.over_rows
        if self.outcome is not Outcome.FEW_ROWS or sampled is None or not sampled.deviation:
            return None
        return required_rows(self.comparison.difference, sampled.deviation, LEVEL / self.family)


def verdicts(
    groups: Sequence[GroupResult], baseline: int | None, rope: float, different_data: bool = False
) -> list[Verdict]:
    """Compare the best of the groups with each other one, or each one with the baseline.

    Which group is the best is known from the scores only, so p-values are then adjusted for all pairs of groups.

    Args:
        groups: the groups, best first.
        baseline: the index of the baseline; None to compare the best group with the others.
        rope: the largest difference that does not matter; 0 if every one does.
        different_data: compare groups even if their rows differ.
    """
    means = [row_means(group, len(groups)) for group in groups]
    pairs = list(combinations(range(len(groups)), 2))
    family = len(pairs)
    if baseline is not None:
        pairs = [(index, baseline) for index in range(len(groups)) if index != baseline]
        family = len(pairs)
    elif len(groups) > MAX_ALL_PAIRS:
        pairs = pairs[: len(groups) - 1]
    found = [compare_groups(groups[a], groups[b], (means[a], means[b]), different_data) for a, b in pairs]
    return decide(found, rope, family)[: len(groups) - 1]


def decide(comparisons: Sequence[GroupComparison], rope: float, family: int) -> list[Verdict]:
    """The verdict on each of several comparisons.

    Student's t is wrong too often for six to eight pairs of rounded scores, which differ by a few equal steps. The
    sign-flip test is exact for them, so each p-value is at least its mid-p.

    Args:
        comparisons: the differences.
        rope: the largest difference that does not matter.
        family: the number of comparisons that p-values are adjusted for.
    """
    adjusted = holm([each.p_value for each in comparisons], family)
    return [_verdict(each, p, rope, family) for each, p in zip(comparisons, adjusted, strict=True)]


def _verdict(comparison: GroupComparison, adjusted: float, rope: float, family: int) -> Verdict:
    """The verdict on one comparison with the adjusted p-value of its deciding interval."""
    estimate, p_value = comparison.deciding, max(adjusted, comparison.sign_flip.mid_p if comparison.sign_flip else 0.0)
    if comparison.reason is not None:
        return Verdict(comparison, Outcome.NOT_COMPARED)
    if estimate is None:
        return Verdict(comparison, Outcome.ONE_SEED)
    if rope and abs(comparison.difference) + estimate.margin <= rope:
        return Verdict(comparison, Outcome.EQUAL, p_value, family)
    if p_value < LEVEL and comparison.fewest >= MIN_RUNS:
        return Verdict(comparison, _significant(comparison), p_value, family)
    is_rows = comparison.decided_by_rows and comparison.fewest >= fewest_runs(family) and adjusted >= LEVEL
    return Verdict(comparison, Outcome.FEW_ROWS if is_rows else Outcome.FEW_RUNS, p_value, family)


def fewest_runs(family: int) -> int:
    """The number of runs of each group below which the smallest possible p-value, adjusted, is not significant.

    It is that for which ``GroupComparison.p_value`` allows 2^(1 − 2N) family < 5 %; at least ``MIN_RUNS``.
    """
    return max(MIN_RUNS, math.floor((1 + math.log2(family / LEVEL)) / 2) + 1)


def _significant(comparison: GroupComparison) -> Outcome:
    """Better or worse if the same group is also better in three of four runs."""
    is_better = (comparison.difference > 0) == higher_is_better(comparison.metric)
    won = comparison.probability if comparison.fraction_won is None else comparison.fraction_won
    if (won if is_better else 1 - won) < MIN_PROBABILITY:
        return Outcome.SMALL
    return Outcome.BETTER if is_better else Outcome.WORSE
