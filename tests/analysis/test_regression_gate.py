"""The gate on regressions: what it accepts, and which verdicts fail it."""

import shutil
from types import SimpleNamespace

import pytest

from nncli.analysis.compared_groups import GroupOptions, compared_groups
from nncli.analysis.group_comparison import GroupComparison
from nncli.analysis.group_verdict import Outcome, Verdict
from nncli.analysis.paired_tests import Estimate
from nncli.analysis.regression_gate import RegressionGate, parse_regression_gate, regressions
from nncli.errors import CommandLineError
from tests.analysis.fake_groups import fake_group
from tests.groups import set_scores


def test_a_gate_is_a_metric_with_a_tolerance():
    """The tolerance is 0 by default."""
    assert parse_regression_gate("validation_loss") == RegressionGate("validation_loss", 0.0)
    assert parse_regression_gate("accuracy:0.01") == RegressionGate("accuracy", 0.01)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("validation_acuracy", "unknown metric 'validation_acuracy'; did you mean 'validation_accuracy'"),
        ("accuracy:", "'' is not a tolerance; write METRIC:TOLERANCE, such as accuracy:0.01"),
        ("accuracy:x", "'x' is not a tolerance"),
        ("accuracy:-1", "'-1' is not a tolerance"),
        ("accuracy:nan", "'nan' is not a tolerance"),
        ("accuracy:inf", "'inf' is not a tolerance"),
    ],
)
def test_wrong_gates_are_rejected(text, message):
    """With what is expected."""
    with pytest.raises(CommandLineError, match=message):
        parse_regression_gate(text)


@pytest.fixture
def failures(optimizer_group, tmp_path):
    """The sentences of a gate on the validation loss, for the losses of sgd; those of adam are near 0.3."""
    group = tmp_path / "group"
    shutil.copytree(optimizer_group, group)

    def check(losses, tolerance=0.0):
        set_scores(group, [0.31, 0.32, 0.3, 0.33, *losses], "loss")
        options = GroupOptions(metric="validation_loss", baseline="adam")
        return regressions(compared_groups([group], options, str).verdicts, tolerance)

    return check


def test_a_worse_group_fails_the_gate(failures):
    """Within the tolerance, if it is better, or if nothing is shown, it passes."""
    [text] = failures([0.41, 0.42, 0.41, 0.43])
    assert text.startswith("validation_loss: sgd is worse than adam: difference +0.102 (95% interval ")
    assert "(tolerance 0.05)" in failures([0.41, 0.42, 0.41, 0.43], 0.05)[0]
    assert failures([0.41, 0.42, 0.41, 0.43], 0.15) == []
    assert failures([0.21, 0.22, 0.21, 0.23]) == []
    assert failures([0.31, 0.35, 0.28, 0.34]) == []


def test_single_runs_are_judged_by_their_rows(optimizer_group):
    """One run each is worse if the test on its rows is significant; a loss cannot be tested, so the gate fails."""
    paths = [optimizer_group / "0000", optimizer_group / "0004"]

    def check(metric, baseline):
        return regressions(compared_groups(paths, GroupOptions(metric=metric, baseline=baseline), str).verdicts, 0.0)

    found = check("validation_accuracy", "0000"), check("validation_accuracy", "0004")
    trainings = compared_groups(paths, GroupOptions(), str).verdicts[0].comparison.trainings
    assert sum(map(len, found)) == trainings.is_significant
    [text] = check("validation_loss", "0000")
    assert "cannot be tested, so the gate fails: validation_loss of a single run has no margin" in text


@pytest.mark.parametrize(
    ("metric", "difference", "tolerance", "passes"),
    [
        ("validation_loss", 0.25, 0.0, False),
        ("validation_loss", 0.25, 0.25, True),
        ("validation_loss", 0.25, 0.2499, False),
        ("validation_accuracy", -0.25, 0.0, False),
        ("validation_accuracy", -0.25, 0.25, True),
    ],
)
def test_the_tolerance_is_a_loss_of_the_metric(metric, difference, tolerance, passes):
    """In its direction; a difference as large as the tolerance passes."""
    groups = fake_group("a", [0.5] * 3, metric=metric), fake_group("b", [0.5] * 3, metric=metric)
    found = GroupComparison(*groups, difference=difference, over_runs=Estimate(difference, 0.01, 2))
    assert (regressions([Verdict(found, Outcome.WORSE, 0.01)], tolerance) == []) is passes


def test_what_is_no_regression_passes():
    """A difference that is significant but not worse in three of four runs, or that is not shown."""
    groups = fake_group("a", [0.5] * 3, metric="validation_loss"), fake_group("b", [0.5] * 3, metric="validation_loss")
    found = GroupComparison(*groups, difference=0.25, over_runs=Estimate(0.25, 0.01, 2))
    outcomes = (Outcome.SMALL, Outcome.FEW_RUNS, Outcome.FEW_ROWS, Outcome.EQUAL, Outcome.BETTER)
    assert regressions([Verdict(found, each, 0.01) for each in outcomes], 0.0) == []


def test_what_cannot_be_compared_fails_the_gate():
    """Nobody has shown that it is not worse."""
    groups = fake_group("a", [0.5] * 3), fake_group("b", [0.6] * 3, rows="others")
    found = GroupComparison(*groups, reason="their validation rows differ")
    (text,) = regressions([Verdict(found, Outcome.NOT_COMPARED)], 1.0)
    assert text.endswith("their validation rows differ, so the gate fails")


@pytest.mark.parametrize(
    ("is_significant", "difference", "fails"), [(True, 0.1, True), (True, -0.1, False), (False, 0.1, False)]
)
def test_single_runs_fail_if_they_are_significantly_worse(is_significant, difference, fails):
    """By the test on their rows."""
    groups = fake_group("a", [0.5], metric="validation_loss"), fake_group("b", [0.4], metric="validation_loss")
    trainings = SimpleNamespace(is_significant=is_significant, description="difference")
    found = GroupComparison(*groups, difference=difference, trainings=trainings)
    assert bool(regressions([Verdict(found, Outcome.ONE_SEED)], 0.0)) is fails
