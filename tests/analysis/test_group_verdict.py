"""Verdicts on groups: the rules by hand, and false ones by simulation where nothing differs."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import norm

from nncli.analysis import group_verdict
from nncli.analysis.group_comparison import GroupComparison, compare_groups
from nncli.analysis.group_rows import RowSampling
from nncli.analysis.group_verdict import Outcome, decide, fewest_runs, verdicts
from nncli.analysis.paired_tests import Estimate
from tests.analysis.fake_groups import fake_group
from tests.analysis.simulated_groups import SCORES, comparison, coverage, false_verdicts, split_coverage

LOSS = {"metric": "validation_loss"}
GOOD, BAD = np.array([0.9, 0.91, 0.92, 0.9]), np.array([0.8, 0.82, 0.81, 0.79])


def outcome(compared, rope=0.0, family=1):
    """The outcome of one comparison."""
    return decide([compared], rope, family)[0].outcome


@pytest.mark.parametrize("is_paired", [True, False])
def test_a_clear_difference_is_better_or_worse(is_paired):
    """The verdict is said of the first group."""
    assert outcome(comparison(GOOD, BAD, is_paired)) is Outcome.BETTER
    assert outcome(comparison(BAD, GOOD, is_paired)) is Outcome.WORSE


def test_lower_is_better_for_errors():
    """The larger loss is worse."""
    groups = [SimpleNamespace(label=name, metric="validation_loss", finished=range(4)) for name in "ab"]
    found = GroupComparison(*groups, difference=0.1, over_runs=Estimate(0.1, 0.01, 3), probability=0.0)
    assert outcome(found) is Outcome.WORSE


@pytest.mark.parametrize("is_paired", [True, False])
def test_two_runs_are_never_better(is_paired):
    """However clear the difference is; a third run is enough."""
    assert outcome(comparison(GOOD[:2], BAD[:2], is_paired)) is Outcome.FEW_RUNS
    assert outcome(comparison(GOOD[:3], BAD[:3], is_paired)) is Outcome.BETTER


def test_the_smaller_group_decides_whether_runs_are_enough():
    """Two runs stay too few, however many the other group has, and one more is missing at least."""
    groups = fake_group("a", GOOD[:2], **LOSS), fake_group("b", np.tile(BAD, 3) - 0.3, range(50, 62), **LOSS)
    found = decide([compare_groups(*groups, (None, None))], 0.0, 1)[0]
    assert (found.outcome, found.p_value < 0.05) == (Outcome.FEW_RUNS, True)
    assert found.more_runs == 1
    assert decide([comparison(GOOD[:2], BAD[:2], True)], 0.0, 1)[0].more_runs == 1


@pytest.mark.parametrize(("won", "expected"), [(0.75, Outcome.BETTER), (0.74, Outcome.SMALL), (0.2, Outcome.SMALL)])
def test_three_of_four_pairs_are_better(won, expected):
    """The fraction of pairs decides if there are pairs, and not that of all runs."""
    found = comparison(GOOD, BAD, True)
    assert outcome(GroupComparison(**{**vars(found), "fraction_won": won, "probability": 1.0})) is expected


def test_an_interval_that_ends_at_the_rope_is_within_it():
    """The largest difference that does not matter is one of them."""
    groups = [SimpleNamespace(label=name, metric="validation_loss", finished=range(4)) for name in "ab"]
    found = GroupComparison(*groups, difference=-0.25, over_runs=Estimate(-0.25, 0.0, 3))
    assert outcome(found, rope=0.25) is Outcome.EQUAL
    assert outcome(found, rope=0.2499) is not Outcome.EQUAL


def test_each_group_is_compared_with_the_best():
    """And p-values are adjusted for all pairs, since the scores say which one is the best."""
    groups = [fake_group(str(index), [index / 100 + each for each in (0.1, 0.2, 0.15)], **LOSS) for index in range(4)]
    found = verdicts(groups, None, 0.0)
    assert [(each.comparison.first.label, each.comparison.second.label) for each in found] == [
        *(("0", "1"), ("0", "2"), ("0", "3")),
    ]
    assert {each.family for each in found} == {6}


def test_each_group_is_compared_with_the_baseline():
    """P-values are adjusted for these comparisons; better and worse are said of the group."""
    groups = [fake_group(str(index), [index / 100 + each for each in (0.1, 0.2, 0.15)], **LOSS) for index in range(4)]
    found = verdicts(groups, 2, 0.0)
    assert [(each.comparison.first.label, each.comparison.second.label) for each in found] == [
        *(("0", "2"), ("1", "2"), ("3", "2")),
    ]
    assert {each.family for each in found} == {3}


@pytest.mark.parametrize(("count", "made"), [(20, 190), (21, 20)])
def test_of_many_groups_only_the_best_is_compared(monkeypatch, count, made):
    """P-values are adjusted for all pairs nevertheless."""
    groups, compared = [fake_group(str(index), [0.1, 0.2], **LOSS) for index in range(count)], []

    def counted(first, second, *rest):
        compared.append((first.label, second.label))
        return compare_groups(first, second, *rest)

    monkeypatch.setattr(group_verdict, "compare_groups", counted)
    found = verdicts(groups, None, 0.0)
    assert (len(compared), len(found)) == (made, count - 1)
    assert {each.family for each in found} == {count * (count - 1) // 2}


def test_a_missing_run_is_counted():
    """The number that is named is needed: with one less, the power is below 80 %."""
    first, second = np.array([0.90, 0.94, 0.86, 0.95]), np.array([0.89, 0.91, 0.88, 0.9])
    found = decide([comparison(first, second, True)], 0.0, 1)[0]
    deviation, difference = np.std(first - second, ddof=1), np.mean(first - second)
    assert found.outcome is Outcome.FEW_RUNS
    needed = ((1.96 + 0.8416) * deviation / difference) ** 2
    assert needed < 4 + found.more_runs < needed + 3


def test_more_runs_are_missing_as_one_of_many():
    """The number is that at the level of the family."""
    found = comparison(np.array([0.90, 0.94, 0.86, 0.95]), np.array([0.89, 0.91, 0.88, 0.9]), True)
    assert decide([found], 0.0, 10)[0].more_runs > decide([found], 0.0, 1)[0].more_runs


def test_equal_in_practice_within_the_rope():
    """The whole interval is within it; a wider interval or no rope is not enough."""
    first, second = GOOD, GOOD + np.array([0.001, -0.001, 0.001, -0.001])
    assert outcome(comparison(first, second, True), rope=0.01) is Outcome.EQUAL
    assert outcome(comparison(first, second, True), rope=0.001) is Outcome.FEW_RUNS
    assert outcome(comparison(first, second, True)) is Outcome.FEW_RUNS


def test_a_significant_but_rare_advantage_is_small():
    """P(A > B) below 0.75: it is not called better."""
    first = np.random.default_rng(0).normal(0.9, 0.02, 200)
    second = np.random.default_rng(1).normal(0.893, 0.02, 200)
    found = comparison(first, second, False)
    assert found.over_runs.p_value < 0.05
    assert outcome(found) is Outcome.SMALL


def test_p_values_are_adjusted_for_the_family():
    """What is better alone is not better as one of many."""
    found = comparison(GOOD, np.array([0.86, 0.89, 0.88, 0.88]), True)
    assert outcome(found) is Outcome.BETTER
    assert outcome(found, family=10) is Outcome.FEW_RUNS


def test_the_wider_interval_decides():
    """The sampling of few rows can hide what the seeds show, and the verdict says how many rows would show it."""
    sampled = RowSampling(Estimate(0.1, 0.08, 59), 60, 0.08 * 60**0.5)
    found = comparison(GOOD, BAD, True)
    hidden = GroupComparison(**{**vars(found), "over_rows": sampled})
    verdict = decide([hidden], 0.0, 1)[0]
    assert (verdict.outcome, hidden.decided_by_rows) == (Outcome.FEW_ROWS, True)
    assert verdict.required_rows == pytest.approx(60 * (2.8016 * 0.08 / hidden.difference) ** 2, rel=0.02)
    narrow = GroupComparison(**{**vars(found), "over_rows": sampled._replace(estimate=Estimate(0.1, 1e-4, 59))})
    assert (outcome(narrow), narrow.decided_by_rows) == (Outcome.BETTER, False)


def test_missing_rows_are_those_at_the_level_of_the_family():
    """As many as Bonferroni's level needs, so never less than there are; too few runs are said first."""
    found = comparison(np.append(GOOD, 0.91), np.append(BAD, 0.81), True)
    deviation = 0.04 * 60**0.5
    sampled = RowSampling(Estimate(found.difference, 0.04, 59), 60, deviation)
    hidden = GroupComparison(**{**vars(found), "over_rows": sampled})
    verdict = decide([hidden], 0.0, 10)[0]
    assert verdict.outcome is Outcome.FEW_ROWS
    expected = ((norm.ppf(1 - 0.05 / 20) + norm.ppf(0.8)) * deviation / hidden.difference) ** 2
    assert verdict.required_rows == math.ceil(expected) > 60


@pytest.mark.parametrize(("runs", "family", "more"), [(2, 1, 1), (2, 3, 2), (3, 10, 2)])
def test_too_few_runs_are_said_before_rows(runs, family, more):
    """Fewer runs than 2^(1 − 2N) m < 5 % needs are never better, whatever the rows: that many more are named."""
    found = comparison(GOOD[:runs], BAD[:runs], True)
    sampled = RowSampling(Estimate(found.difference, 0.02, 59), 60, 0.02 * 60**0.5)
    verdict = decide([GroupComparison(**{**vars(found), "over_rows": sampled})], 0.0, family)[0]
    assert verdict.outcome is Outcome.FEW_RUNS
    assert verdict.more_runs >= more
    assert 2.0 ** (1 - 2 * fewest_runs(family)) * family < 0.05 <= 2.0 ** (3 - 2 * fewest_runs(family)) * family


def test_sign_flips_decide_on_rounded_scores():
    """Student's t finds less than 5 %, the sign-flip test, which is exact, more."""
    differences = np.array([2, 2, 1, 1, 1, 1, 0, -1]) / 100
    found = comparison(0.9 + differences, np.full(8, 0.9), True)
    assert found.over_runs.p_value < 0.05 < found.sign_flip.mid_p
    verdict = decide([found], 0.0, 1)[0]
    assert (verdict.outcome, verdict.p_value) == (Outcome.FEW_RUNS, found.sign_flip.mid_p)
    assert verdict.more_runs >= 1


def test_what_cannot_be_compared_has_no_verdict():
    """One run without an interval is one seed, and a reason is kept."""
    groups = [SimpleNamespace(label=name, metric="accuracy", finished=range(1)) for name in "ab"]
    assert outcome(GroupComparison(*groups)) is Outcome.ONE_SEED
    assert outcome(GroupComparison(*groups, reason="their validation rows differ")) is Outcome.NOT_COMPARED


REPETITIONS = 400
MOST = 0.05 + 4 * (0.05 * 0.95 / REPETITIONS) ** 0.5


@pytest.mark.slow
@pytest.mark.parametrize("name", SCORES)
@pytest.mark.parametrize("is_paired", [True, False])
def test_false_verdicts_are_rare_by_simulation(name, is_paired):
    """Of two and of five groups without a difference, at most 5 % have a better one; none at two runs."""
    for groups, runs in ((2, 3), (2, 5), (2, 10), (5, 3), (5, 10)):
        assert false_verdicts(name, groups, runs, is_paired, REPETITIONS) <= MOST, (groups, runs)
    assert false_verdicts(name, 2, 2, is_paired, 100) == 0


@pytest.mark.slow
@pytest.mark.parametrize("is_paired", [True, False])
def test_coverage_by_simulation(is_paired):
    """The interval of normal scores contains the true difference in 95 %, from two runs on."""
    for runs in (2, 3, 10):
        assert coverage("normal", runs, is_paired, REPETITIONS) >= 1 - MOST, runs


@pytest.mark.slow
def test_corrected_intervals_of_splits_cover():
    """Nadeau and Bengio's interval contains the true difference; Student's of random splits does not."""
    assert split_coverage(5, False, 1 / 4, 200) >= 1 - MOST
    assert split_coverage(15, True, 1 / 4, 200) >= 1 - MOST
    assert split_coverage(15, True, 0.0, 200) < 0.85
