"""How trials ended, read from their directories."""

import pytest

from nncli.errors import RunError
from nncli.store.group_files import FailureRecord, write_failure
from nncli.store.lock import Lock
from nncli.store.run_reader import Run
from nncli.sweep.outcomes import GroupOutcomes, end_of
from nncli.sweep.trials import Outcome, Task
from nncli.sweep.worker import work
from tests.conftest import SPEC
from tests.sweep.groups import RATES, group_in, planned, trained


@pytest.fixture(autouse=True)
def directory(tmp_path, monkeypatch):
    """An empty current directory."""
    monkeypatch.chdir(tmp_path)


def group(*arguments, epochs=None, **options):
    """The plan of a group whose trials have been trained, and its outcomes."""
    plan = planned(*arguments, **options)
    for number in range(len(plan)):
        trained(plan, Task(plan.trial(number), epochs))
    return plan, GroupOutcomes(plan.directory, plan.record)


def rows(plan, number):
    """The rows of metrics of a trial, by epoch."""
    metrics = Run(plan.directory / f"{number:04}").metrics
    return {int(row["epoch"]): row for row in map(metrics.row, range(len(metrics)))}


def test_finished_diverged_and_failed():
    """A finished trial has the metric of evaluation.json, one that diverged or failed has none."""
    plan, outcomes = group("optimizer.learning_rate=0.1,1e30")
    write_failure(plan.directory, 2, FailureRecord(exit_code=3, message="no data"))
    found = outcomes([2, 0, 1])
    run = Run(plan.directory / "0000")
    assert found == [
        Outcome(0, "finished", run.evaluation.splits["validation"]["accuracy"]),
        Outcome(1, "diverged"),
        Outcome(2, "failed"),
    ]


def test_a_trial_that_has_not_ended_is_an_error():
    """A missing run is not taken for a failed one."""
    _, outcomes = group("seed=1,2")
    with pytest.raises(RunError, match="0005: "):
        outcomes([5])


def test_value_at_an_epoch_stays():
    """The metric at an epoch is that of its row, also when the trial has been trained further, or failed since."""
    plan, outcomes = group("training.epochs=24", "seed=1,2", epochs=10)
    before = outcomes([0, 1], 10)
    assert [each.value for each in before] == [rows(plan, number)[10]["validation_accuracy"] for number in (0, 1)]
    trained(plan, Task(plan.trial(0), 24))
    write_failure(plan.directory, 1, FailureRecord(exit_code=5, message="disk full"))
    assert outcomes([0, 1], 10) == before
    assert outcomes([1]) == [Outcome(1, "failed")]
    assert outcomes([0], 24)[0].value == rows(plan, 0)[20]["validation_accuracy"]  # 24 is between two rows


def test_a_trial_that_failed_with_damaged_files_has_failed():
    """Its files are not looked at, or say nothing."""
    plan, outcomes = group("seed=1,2", epochs=10)
    (plan.directory / "0001" / "run.json").write_bytes(b"damaged")
    with pytest.raises(RunError, match="damaged"):
        outcomes([0, 1], 10)
    write_failure(plan.directory, 1, FailureRecord(exit_code=4, message="damaged"))
    assert [each.status for each in outcomes([0, 1], 10)] == ["finished", "failed"]


def test_an_interrupted_trial_has_not_ended():
    """Nor has it diverged; and the row before an epoch is not that of the epoch."""
    plan, outcomes = group("seed=1,2", epochs=10)
    (plan.directory / "0001" / "evaluation.json").unlink()
    assert outcomes([1], 10)[0].status == "finished"
    for epochs in (None, 20):
        with pytest.raises(RunError, match="0001: has not ended"):
            outcomes([1], epochs)


def test_value_under_early_stopping_by_an_accuracy():
    """The best weights are those with the highest value."""
    spec = SPEC.replace("log_every: 10", "log_every: 1, early_stopping: {metric: validation_accuracy, patience: 30}")
    plan, outcomes = group("optimizer.learning_rate=0.05,0.02", spec=spec, metric="validation_accuracy")
    for number in (0, 1):
        found = [row["validation_accuracy"] for epoch, row in rows(plan, number).items() if epoch <= 12]
        assert outcomes([number], 12)[0].value == max(found) > min(found)


def test_value_under_early_stopping():
    """The weights are the best ones until the epoch, and so is the metric; a trial that stopped earlier has a value."""
    spec = SPEC.replace("log_every: 10", "log_every: 1, early_stopping: {patience: 3}")
    plan, outcomes = group("optimizer.learning_rate=0.5,0.05", spec=spec, metric="validation_accuracy")
    for number in (0, 1):
        found = rows(plan, number)
        until = min(12, max(found))
        best = min(range(until + 1), key=lambda epoch: found[epoch]["validation_loss"] if epoch in found else 99)
        assert outcomes([number], 12)[0].value == found[best]["validation_accuracy"]
    assert max(rows(plan, 0)) < 30
    run = Run(plan.directory / "0000")
    assert outcomes([0], 30)[0].value == outcomes([0])[0].value == run.evaluation.splits["validation"]["accuracy"]


@pytest.fixture
def rates(tmp_path):
    """The plan of a group of one finished trial and one that diverged."""
    plan = group_in(tmp_path, axes=[RATES], seeds=[], vary=[], overrides=["optimizer.type=sgd"])
    work(plan)
    return plan


def ends(plan):
    """How the trials ended."""
    return [end_of(plan.directory, Task(plan.trial(number))) for number in range(len(plan))]


def test_a_failure_is_the_end_whatever_the_run_says(rates):
    """Its files may be damaged, or be written again by hand."""
    assert ends(rates) == [Outcome(0, "finished"), Outcome(1, "diverged")]
    write_failure(rates.directory, 0, FailureRecord(exit_code=4, message="damaged"))
    assert ends(rates) == [Outcome(0, "failed"), Outcome(1, "diverged")]


def test_a_trial_that_is_being_trained_has_not_diverged(rates):
    """A resume that holds its lock goes back to a checkpoint before that."""
    lock = Lock(rates.directory / "0001" / "lock")
    assert ends(rates) == [Outcome(0, "finished"), None]
    lock.release()
    assert ends(rates)[1] == Outcome(1, "diverged")
