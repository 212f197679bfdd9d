"""The results of a group: counts, reasons, and the points by their mean, with a deviation of several runs only."""

import json

import pytest

from nncli.store.group_files import AxisRecord, FailureRecord, write_failure
from nncli.store.run_reader import Run
from nncli.sweep import results
from nncli.sweep.results import results_of
from nncli.sweep.trials import Outcome, Task
from nncli.sweep.worker import work
from tests.sweep.groups import RATES, group_in


def losses(plan, numbers):
    """The validation losses of runs."""
    runs = (Run(plan.directory / f"{number:04}") for number in numbers)
    return [run.evaluation.splits["validation"]["loss"] for run in runs]


def test_points_are_ranked_by_their_mean(tmp_path):
    """With the standard deviation of n - 1 degrees of freedom."""
    plan = group_in(tmp_path)
    work(plan)
    found = results_of(plan)
    assert found.counts == {"finished": 6, "diverged": 0, "failed": 0, "left": 0}
    assert [each.mean for each in found.points] == sorted(each.mean for each in found.points)
    for point in found.points:
        values = losses(plan, range(3 * point.number, 3 * point.number + 3))
        mean = sum(values) / 3
        assert point.overrides == (f"optimizer.type={('sgd', 'adam')[point.number]}",)
        assert point.values == tuple(values)
        assert point.mean == pytest.approx(mean)
        assert point.deviation == pytest.approx((sum((each - mean) ** 2 for each in values) / 2) ** 0.5)
    assert found.best == found.points[:1]
    json.dumps(found.to_json(), allow_nan=False)


def test_a_single_run_has_no_deviation(tmp_path):
    """None, and not 0."""
    plan = group_in(tmp_path, seeds=[], vary=[])
    work(plan)
    assert [each.deviation for each in results_of(plan).points] == [None, None]


def test_higher_is_better_for_accuracy(tmp_path):
    """The direction is that of the metric."""
    plan = group_in(tmp_path, metric="validation_accuracy")
    work(plan)
    means = [each.mean for each in results_of(plan).points]
    assert means == sorted(means, reverse=True)


def test_points_with_equal_means_are_all_the_best(tmp_path):
    """As those of an axis that changes nothing."""
    axis = AxisRecord(key="training.checkpoint_seconds", values=[10, 20])
    plan = group_in(tmp_path, axes=[axis])
    work(plan)
    assert [each.number for each in results_of(plan).best] == [0, 1]


def test_failures_are_grouped_by_their_message(tmp_path):
    """The most frequent first; diverged runs are counted apart, and points without a value are not ranked."""
    plan = group_in(tmp_path, axes=[RATES], overrides=["optimizer.type=sgd"])
    for number, message in ((1, "no data\nand more"), (0, "no room"), (2, "no data\nand less")):
        write_failure(plan.directory, number, FailureRecord(exit_code=3, message=message))
    work(plan)
    found = results_of(plan)
    assert found.counts == {"finished": 0, "diverged": 3, "failed": 3, "left": 0}
    assert found.reasons == [("no data", 2), ("no room", 1)]
    assert (found.points, found.best) == ([], [])


def test_an_unfinished_group_has_results_too(tmp_path):
    """Of the trials that have ended; the others are left."""
    plan = group_in(tmp_path)
    work(plan, stop=(plan.directory / "0001" / "evaluation.json").exists)
    assert results_of(plan).counts == {"finished": 2, "diverged": 0, "failed": 0, "left": 4}


def test_halving_ranks_those_with_more_epochs_first(tmp_path):
    """Metrics after fewer epochs are no match for those after more."""
    axis = AxisRecord(key="optimizer.learning_rate", values=[0.001, 0.01, 0.1])
    changes = {"method": "halving", "overrides": ["training.epochs=90"], "seeds": [], "vary": []}
    plan = group_in(tmp_path, axes=[axis], **changes)
    work(plan)
    assert [each.epochs for each in results_of(plan).points] == [90, 30, 30]
    assert len(results_of(plan).best) == 1


def test_points_with_more_epochs_are_better_whatever_their_metric(tmp_path):
    """Those that have all epochs of the config are first."""
    plan = group_in(tmp_path, axes=[AxisRecord(key="optimizer.learning_rate", values=[0.1, 0.2, 0.3])], seeds=[])
    ended = [
        (Task(plan.trial(number), epochs), Outcome(number, "finished", value))
        for number, epochs, value in ((0, 30, 0.1), (1, None, 0.9), (2, 90, 0.5))
    ]
    assert [each.number for each in results._ranked(plan, ended)] == [1, 2, 0]


def test_the_stage_after_an_unfinished_one_is_not_asked_for(tmp_path):
    """It depends on trials that have not ended."""
    axis = AxisRecord(key="optimizer.learning_rate", values=[0.001, 0.01, 0.1])
    changes = {"method": "halving", "overrides": ["training.epochs=90"], "seeds": [], "vary": []}
    plan = group_in(tmp_path, axes=[axis], **changes)
    work(plan, stop=(plan.directory / "0001" / "evaluation.json").exists)
    found = results_of(plan)
    assert found.counts == {"finished": 2, "diverged": 0, "failed": 0, "left": 1}
    assert [each.epochs for each in found.points] == [30, 30]
