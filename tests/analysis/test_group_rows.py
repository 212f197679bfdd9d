"""The uncertainty that comes from the sampling of validation rows, where runs are evaluated row by row or not."""

import numpy as np
import pytest

from nncli.analysis import compared_run
from nncli.analysis.group_results import GroupResult
from nncli.analysis.group_rows import row_means, row_sampling
from nncli.analysis.scores import Score, margin
from nncli.config.model import Fold
from nncli.errors import RunError
from tests.analysis.fake_groups import fake_group, fake_run

METRIC = "validation_accuracy"


@pytest.fixture
def evaluated(monkeypatch):
    """The runs that are evaluated; each gives as many correct rows of ten as its accuracy says."""
    runs = []

    def rows_of(run, split, metric):
        runs.append(run)
        return np.array([1.0] * run.correct + [0.0] * (10 - run.correct))

    monkeypatch.setattr(compared_run, "by_row", rows_of)
    return runs


def group(correct, seeds=None, **options):
    """A group of runs with these numbers of correct rows of ten."""
    found = fake_group("a", [each / 10 for each in correct], seeds, **options)
    for entry, each in zip(found.entries, correct, strict=True):
        entry.run.correct = each
    return found


def folds(correct, seeds=1):
    """A group of folds, each with ten rows of its own, for each of some seeds."""
    found = group([*correct] * seeds)
    for number, entry in enumerate(found.entries):
        fold = number % len(correct)
        entry.run.config.validation = Fold(folds=len(correct), fold=fold)
        entry.run.fingerprints["validation"] = f"fold {fold}"
    return found


@pytest.mark.parametrize(
    ("found", "groups", "count"),
    [
        (group([5] * 40), 2, 30),
        (group([5] * 3), 2, 3),
        (group([5] * 3), 100, 1),
        (folds([5] * 3), 30, 3),
        (folds([5] * 3, 2), 20, 3),
    ],
)
def test_runs_are_evaluated_up_to_a_number(evaluated, found, groups, count):
    """Of all groups together; one of each group and fold at least."""
    means = row_means(found, groups)
    assert len(evaluated) == count
    assert all(values.tolist() == [1] * 5 + [0] * 5 for values in means.values())


def test_rows_that_are_not_those_of_the_recorded_metric_are_not_used(evaluated):
    """Nor those of a metric that is no mean over rows."""
    found = group([5, 6])
    found.entries[1].run.correct = 7
    assert row_means(found, 1) is None
    assert row_means(group([5], metric="validation_loss"), 1) is None


def test_paired_rows(evaluated):
    """The standard error is that of the differences of rows."""
    groups = group([9, 7]), group([5, 4])
    means = [row_means(each, 2) for each in groups]
    found = row_sampling(*groups, 0.35, means)
    (one,), (other,) = (each.values() for each in means)
    deviation = np.std(one - other, ddof=1)
    assert (found.rows, found.deviation) == (10, pytest.approx(deviation))
    assert found.estimate == (0.35, pytest.approx(deviation / 10**0.5), 9)


def test_folds_are_rows_of_one_data_set(evaluated):
    """All of them together."""
    groups = folds([9, 7, 6]), folds([5, 4, 6])
    assert row_sampling(*groups, 0.1, [row_means(each, 2) for each in groups]).rows == 30
    assert row_sampling(*groups, 0.1, [None, None]).rows == 3 * 15


def test_folds_have_the_same_test_rows():
    """The sampling of these rows is not in the spread of the scores."""
    found = folds([5, 6, 7])
    for entry in found.entries:
        entry.metrics["test_accuracy"] = entry.metrics["validation_accuracy"]
        entry.scores["test"] = entry.scores["validation"]
        entry.run.fingerprints["test"] = "test rows"
        entry.run.data["test"] = entry.run.data["validation"]
    tested = GroupResult("a", "test_accuracy", found.entries)
    assert row_sampling(tested, tested, 0.0, [None, None]).rows == 15


def test_rows_that_seeds_vary_are_in_the_spread_of_the_scores():
    """In either group."""
    fixed = group([5, 6])
    varying = group([5, 6])
    varying.entries[1].run.fingerprints["validation"] = "other rows"
    for groups in ((fixed, varying), (varying, fixed)):
        assert row_sampling(*groups, 0.1, [None, None]) is None
    assert row_sampling(fixed, fixed, 0.0, [None, None]) is not None


def test_independent_rows():
    """The margin of two scores, each a mean over the runs; none if a run has no score."""
    first, second = group([9, 7]), group([5])
    found = row_sampling(first, second, 0.3, [None, None])
    one = Score("accuracy", 0.8, (0.9 * 0.1 + 0.7 * 0.3) / 2, 15)
    assert found.estimate.margin == pytest.approx(margin(one, Score("accuracy", 0.5, 0.25, 15)), rel=1e-3)
    assert (found.rows, found.deviation) == (15, None)
    first.entries[0].scores.clear()
    assert row_sampling(first, second, 0.3, [None, None]) is None


def test_a_run_that_cannot_be_evaluated(monkeypatch):
    """Its group has no values row by row."""

    def fails(*_):
        raise RunError("damaged")

    monkeypatch.setattr(compared_run, "by_row", fails)
    assert row_means(GroupResult("a", METRIC, [fake_run(0.5)]), 1) is None
