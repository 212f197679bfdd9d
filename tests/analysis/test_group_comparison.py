"""The difference of two groups: which runs are paired, by how many, and what is corrected for shared training rows."""

import numpy as np
import pytest

from nncli.analysis.group_comparison import compare_groups
from nncli.analysis.group_results import GroupResult
from nncli.analysis.paired_tests import probability_better, unpaired_estimate
from nncli.config.model import Fraction
from tests.analysis.fake_groups import ROWS, TRAINING_ROWS, fake_group, fake_run

SCORES = [0.9, 0.93, 0.88, 0.95, 0.91, 0.89, 0.92, 0.94]
OTHERS = [0.8, 0.84, 0.83, 0.82, 0.85, 0.81, 0.86, 0.8]


def compared(first, second, **options):
    """The comparison of two groups without predictions row by row."""
    return compare_groups(first, second, (None, None), **options)


@pytest.mark.parametrize(("shared", "pairs"), [(0, None), (1, None), (2, None), (3, None), (4, 4), (8, 8)])
def test_half_of_the_runs_need_a_partner(shared, pairs):
    """Of the smaller group; otherwise the groups are independent."""
    seeds = [*range(shared), *range(100, 108 - shared)]
    found = compared(fake_group("a", SCORES), fake_group("b", OTHERS, seeds))
    assert found.pairs == pairs


@pytest.mark.parametrize(("runs", "pairs"), [(1, None), (2, 2)])
def test_two_pairs_are_enough(runs, pairs):
    """One is not."""
    found = compared(fake_group("a", SCORES[:runs]), fake_group("b", OTHERS[:runs]))
    assert found.pairs == pairs
    assert (found.over_runs is None) == (pairs is None)
    assert (found.spread.samples if found.spread else None) == (1 if pairs else None)


def test_the_difference_is_that_of_the_pairs():
    """Runs without a partner are left out of it, but not of P(A > B)."""
    found = compared(fake_group("a", SCORES[:4]), fake_group("b", OTHERS[:3], seeds=[3, 0, 1]))
    assert found.difference == pytest.approx(np.mean(np.array(SCORES)[[0, 1, 3]] - np.array(OTHERS)[[1, 2, 0]]))
    assert found.probability == probability_better(np.array(SCORES[:4]), np.array(OTHERS[:3])) == 1


@pytest.mark.parametrize(("runs", "has_test"), [(5, False), (6, True)])
def test_signs_are_flipped_from_six_pairs_on(runs, has_test):
    """With five the smallest p-value is 2 / 32."""
    found = compared(fake_group("a", SCORES[:runs]), fake_group("b", OTHERS[:runs]))
    assert (found.sign_flip.p_value == pytest.approx(2 / 2**runs)) if has_test else found.sign_flip is None


def splits(label, scores, first_seed=0):
    """A group whose seeds split the same data at random."""
    entries = [
        fake_run(score, seed, rows=f"rows {seed}", validation=Fraction(fraction=0.25))
        for seed, score in enumerate(scores, first_seed)
    ]
    return GroupResult(label, "validation_accuracy", entries)


def test_groups_with_more_rows_than_others_are_compared_by_pairs():
    """If seeds vary the rows, those of a seed are the same in both."""
    found = compared(splits("a", SCORES), splits("b", OTHERS[:5]))
    assert (found.reason, found.pairs) == (None, 5)
    assert compared(splits("a", SCORES), splits("b", OTHERS, 100)).reason == "their validation rows differ"


@pytest.mark.parametrize("first_seed", [0, 100])
def test_random_splits_are_corrected(first_seed):
    """Paired or not; their signs cannot be flipped, since the scores are correlated."""
    first, second = splits("a", SCORES), splits("b", OTHERS, first_seed)
    found = compared(first, second, different_data=True)
    ratio = ROWS / TRAINING_ROWS
    assert (found.spread.ratio, found.sign_flip) == (pytest.approx(ratio), None)
    if first_seed:
        assert found.pairs is None
        assert found.over_runs == unpaired_estimate(np.array(SCORES), np.array(OTHERS), ratio)
    else:
        assert found.pairs == 8
        deviation = np.std(np.subtract(SCORES, OTHERS), ddof=1)
        assert found.over_runs.error == pytest.approx(deviation * (1 / 8 + ratio) ** 0.5)


def test_the_spread_of_independent_groups():
    """It has the variances of both and the degrees of freedom of two samples; the smaller group limits the runs."""
    found = compared(fake_group("a", SCORES), fake_group("b", OTHERS[:5], range(50, 55)))
    deviation = (np.var(SCORES, ddof=1) + np.var(OTHERS[:5], ddof=1)) ** 0.5
    assert found.spread == (pytest.approx(deviation), 2, 0)
    assert found.fewest == 5


def test_the_p_value_has_a_floor():
    """2^(1 − R) for R runs, as of scores without any variance."""
    metric = {"metric": "validation_loss"}
    equal = compared(fake_group("a", [0.5, 0.75, 1.0], **metric), fake_group("b", [0.25, 0.5, 0.75], **metric))
    assert (equal.deciding.p_value, equal.p_value) == (0, 2.0**-5)
    other = compared(fake_group("a", [0.5, 0.5001, 0.5002], **metric), fake_group("b", [0.1, 0.1001], [7, 8], **metric))
    assert other.p_value == 2.0**-4
    assert compared(fake_group("a", [0.9]), fake_group("b", [0.8])).p_value == 1


@pytest.mark.parametrize(("metric", "wins"), [("validation_accuracy", 1), ("validation_loss", 0)])
def test_more_is_better_or_worse(metric, wins):
    """By the direction of the metric, for pairs and for all runs."""
    found = compared(fake_group("a", SCORES, metric=metric), fake_group("b", OTHERS, metric=metric))
    assert (found.fraction_won, found.probability) == (wins, wins)
    assert found.difference > 0


def test_metrics_with_other_settings_are_not_compared():
    """A loss of another kind is another number."""
    groups = [fake_group(loss, SCORES, metric="validation_loss", loss=loss, metrics=[]) for loss in ("mse", "mae")]
    assert compared(*groups).reason == "validation_loss has other settings or other classes in one of them"
    assert compared(groups[0], groups[0]).reason is None


def test_groups_without_a_finished_run_are_not_compared():
    """The message names one of them."""
    unfinished = fake_group("b", OTHERS, status="interrupted")
    assert compared(fake_group("a", SCORES), unfinished).reason == "b has no finished run"


def test_runs_of_the_same_seed_on_other_rows_are_no_pairs():
    """Although their seeds are equal."""
    first, second = fake_group("a", SCORES), fake_group("b", OTHERS, rows="other rows")
    assert compared(first, second).reason == "their validation rows differ"
    found = compared(first, second, different_data=True)
    assert (found.reason, found.pairs) == (None, None)
