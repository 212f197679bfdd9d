"""The loop of a worker: every trial is trained once, whatever other workers do, and failures are results."""

import threading
import time
from itertools import count

import pytest

from nncli.errors import StorageError
from nncli.store.group_files import AxisRecord, FailureRecord, failures, trial_paths, write_failure
from nncli.store.lock import Lock
from nncli.store.run_reader import Run
from nncli.store.run_status import RunStatus
from nncli.sweep import execution
from nncli.sweep.group import is_finished
from nncli.sweep.worker import Ending, Worker, ignore, work
from nncli.training.loop import never
from tests.sweep.groups import RATES, THREADS, contents, group_in, hidden

FAILURE = FailureRecord(exit_code=3, message="no data")


def after(calls):
    """A request to stop that comes after a number of polls."""
    polls = count(1)
    return lambda: next(polls) > calls


def states(reports):
    """The last state of each trial, by number."""
    return {each.number: each.state for each in reports}


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """The files of a group that one worker has trained without a stop."""
    plan = group_in(tmp_path_factory.mktemp("reference"))
    assert work(plan) is Ending.FINISHED
    return contents(plan.directory)


def test_all_trials_are_trained(tmp_path):
    """Each has its run directory, and each is reported when it begins and when it ends, with its metric."""
    plan, reports = group_in(tmp_path), []
    assert work(plan, report=reports.append) is Ending.FINISHED
    assert sorted(path.name for path in plan.directory.iterdir()) == [
        *(f"000{n}" for n in range(6)),
        "group.json",
        "lock",
    ]
    for number in range(6):
        assert [each.state for each in reports if each.number == number] == ["running", "finished"]
        run = Run(plan.directory / f"000{number}")
        value = next(each.value for each in reports if each.number == number and each.state == "finished")
        assert value == run.evaluation.splits["validation"]["loss"]
        assert (run.config.seed, run.config.optimizer.type) == (number % 3, ("sgd", "adam")[number // 3])
    assert {each.part for each in reports} == {0.0, 1.0}


@pytest.mark.parametrize("polls", [1, 7, 40])
def test_a_stopped_group_ends_in_the_same_bytes(tmp_path, reference, polls):
    """However often it is stopped after a checkpoint."""
    plan, stops, reports = group_in(tmp_path), 0, []
    while (ending := work(plan, after(polls + stops), reports.append)) is Ending.STOPPED:
        stops += 1
        if stops > 2:
            polls *= 2
    assert ending is Ending.FINISHED
    assert stops > 2
    assert "stopped" in {each.state for each in reports} or polls < 3
    assert contents(plan.directory) == reference


def test_a_finished_group_is_not_trained_again(tmp_path):
    """Its trials are reported as trained before."""
    plan, reports = group_in(tmp_path), []
    work(plan)
    before = contents(plan.directory)
    assert work(plan, report=reports.append) is Ending.FINISHED
    assert [(each.number, each.state, each.is_new) for each in reports] == [(n, "finished", False) for n in range(6)]
    assert contents(plan.directory) == before


def test_two_workers_share_the_trials(tmp_path, reference):
    """Each trial is trained by one of them."""
    plan, reports = group_in(tmp_path), [[], []]
    endings = []
    threads = [
        threading.Thread(target=lambda taken=taken: endings.append(work(plan, report=taken.append)))
        for taken in reports
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert endings == [Ending.FINISHED] * 2
    trained = [sorted(e.number for e in each if e.state == "finished" and e.is_new) for each in reports]
    assert sorted(trained[0] + trained[1]) == list(range(6))
    assert contents(plan.directory) == reference
    assert not hidden(plan.directory)


def test_a_trial_of_another_process_is_waited_for_and_taken_over(tmp_path, reference):
    """While its lock is held, the others are trained; when it is released, the trial is resumed."""
    plan, reports = group_in(tmp_path), []
    work(plan, after(30))
    interrupted = next(path for path in sorted(plan.directory.glob("0*")) if not (path / "evaluation.json").exists())
    lock = Lock(interrupted / "lock")
    worker = threading.Thread(target=work, args=(plan,), kwargs={"report": reports.append})
    worker.start()
    until = time.monotonic() + 60
    while len(states(reports)) < 5 and time.monotonic() < until:
        time.sleep(0.01)
    assert worker.is_alive()
    assert int(interrupted.name) not in states(reports)
    lock.release()
    worker.join()
    assert states(reports) == dict.fromkeys(range(6), "finished")
    assert contents(plan.directory) == reference


def test_failures_and_divergences_are_results(tmp_path):
    """A diverged run stays; what failed before its first epoch leaves the message of its error and its exit code."""
    plan, reports = group_in(tmp_path, axes=[THREADS, RATES], seeds=[], vary=[], overrides=["optimizer.type=sgd"]), []
    assert work(plan, report=reports.append) is Ending.FINISHED
    assert states(reports) == {0: "finished", 1: "diverged", 2: "failed", 3: "failed"}
    assert Run(plan.directory / "0001").status is RunStatus.DIVERGED
    failed = failures(plan.directory)
    assert sorted(failed) == [2, 3]
    assert failed[2].exit_code == 3
    assert "at most 64 threads" in failed[2].message
    assert work(plan, report=reports.append) is Ending.FINISHED
    assert states(reports[-4:]) == {0: "finished", 1: "diverged", 2: "failed", 3: "failed"}
    assert not any(each.is_new for each in reports[-4:])


@pytest.mark.parametrize(("most", "trained"), [(0, []), (1, ["0001", "0002"]), (2, ["0001", "0002", "0003"])])
def test_too_many_failures_end_the_group(tmp_path, most, trained):
    """After more failed and diverged trials than that no further one starts, now and when the group is continued."""
    plan = group_in(tmp_path, axes=[RATES], overrides=["optimizer.type=sgd"], max_failures=most, seeds=[0, 1])
    write_failure(plan.directory, 0, FailureRecord(exit_code=3, message="no data"))
    endings = {work(plan), work(plan)}
    assert [path.name for path in trial_paths(plan.directory)] == trained
    assert endings == {Ending.FINISHED if len(trained) == 3 else Ending.TOO_MANY_FAILURES}


def test_what_was_started_is_finished_after_too_many_failures(tmp_path):
    """Only new trials do not start."""
    plan = group_in(tmp_path, seeds=[0, 1], max_failures=0)
    started = plan.directory / "0001"
    assert work(plan, started.exists) is Ending.STOPPED
    assert not (started / "evaluation.json").exists()
    write_failure(plan.directory, 0, FAILURE)
    assert work(plan) is Ending.TOO_MANY_FAILURES
    assert (started / "evaluation.json").exists()
    assert [path.name for path in trial_paths(plan.directory)] == ["0000", "0001"]


def test_failures_of_other_workers_count_at_once(tmp_path, monkeypatch):
    """Also of trials that were still trained when this worker looked at them."""
    plan, performed = group_in(tmp_path, max_failures=0), []

    def fails_elsewhere(self, task):
        performed.append(task.trial.number)
        write_failure(plan.directory, task.trial.number, FAILURE)
        return False

    monkeypatch.setattr(execution.Execution, "perform", fails_elsewhere)
    assert work(plan) is Ending.TOO_MANY_FAILURES
    assert performed == [0]


def test_a_worker_waits_longer_and_longer(tmp_path, monkeypatch):
    """But not longer than a second, until a trial is left to it."""
    plan, waited = group_in(tmp_path), []
    monkeypatch.setattr(execution.Execution, "perform", lambda self, task: False)
    monkeypatch.setattr(Worker, "_wait", lambda self, seconds: waited.append(seconds))
    assert Worker(plan, lambda: len(waited) == 14, ignore).work() is Ending.STOPPED
    assert waited == pytest.approx([min(0.02 * 1.5**index, 1) for index in range(1, 15)])


def test_a_stop_ends_the_wait(tmp_path, monkeypatch):
    """At once."""
    monkeypatch.setattr(time, "sleep", None)
    Worker(group_in(tmp_path), lambda: True, ignore)._wait(60)


@pytest.mark.parametrize("name", ["run.json", "checkpoints"])
def test_a_damaged_trial_fails_and_is_not_trained_again(tmp_path, name):
    """Its message says what is wrong, and its files stay."""
    plan, reports = group_in(tmp_path), []
    work(plan)
    trial = plan.directory / "0002"
    damaged = trial / name if name == "run.json" else max((trial / name).iterdir())
    if name == "checkpoints":
        (trial / "evaluation.json").unlink()
        for path in (trial / name).iterdir():
            path.write_bytes(b"damaged")
    damaged.write_bytes(b"damaged")
    weights = (trial / "weights.npz").read_bytes()
    assert work(plan, report=reports.append) is Ending.FINISHED
    assert states(reports) == {**dict.fromkeys(range(6), "finished"), 2: "failed"}
    message = failures(plan.directory)[2].message
    assert ("0002/run.json: damaged" if name == "run.json" else "no valid checkpoint to resume from") in message
    assert (trial / "weights.npz").read_bytes() == weights
    assert damaged.read_bytes() == b"damaged"


def test_a_lost_evaluation_is_written_again(tmp_path, reference):
    """The trial is resumed at its end, since its checkpoint has all of it."""
    plan = group_in(tmp_path)
    work(plan)
    (plan.directory / "0002" / "evaluation.json").unlink()
    (plan.directory / "0003" / "weights.npz").unlink()
    assert work(plan) is Ending.FINISHED
    assert contents(plan.directory) == reference


def test_a_full_disk_stops_the_worker(tmp_path, monkeypatch):
    """It is no property of the trial, so that nothing is recorded and the group can be continued."""

    def full(*_, **__):
        raise StorageError("no space left on device")

    plan = group_in(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(execution, "train", full)
        with pytest.raises(StorageError, match="no space left"):
            work(plan)
    assert not failures(plan.directory)
    assert work(plan) is Ending.FINISHED


def test_too_little_memory_is_a_failure_of_the_trial(tmp_path, monkeypatch):
    """Others may need less."""

    def large(*_, **__):
        raise MemoryError

    plan = group_in(tmp_path, seeds=[], vary=[])
    monkeypatch.setattr(execution, "train", large)
    assert work(plan) is Ending.FINISHED
    assert {each.message.partition(";")[0] for each in failures(plan.directory).values()} == {"out of memory"}


def test_what_killed_processes_left_is_removed_at_the_end(tmp_path):
    """A staging directory that nobody holds."""
    plan = group_in(tmp_path)
    work(plan)
    (plan.directory / f".new-{'0' * 16}").mkdir()
    assert work(plan) is Ending.FINISHED
    assert not hidden(plan.directory)


def test_halving_continues_its_trials(tmp_path):
    """The best third is resumed with three times the epochs, and stops change nothing."""
    kept = {}
    for name, polls in (("once", None), ("stopped", 25)):
        axes = [AxisRecord(key="optimizer.learning_rate", values=[0.01, 0.1, 0.3])]
        changes = {"method": "halving", "seeds": [], "vary": [], "overrides": ["training.epochs=90"]}
        plan, stops = group_in(tmp_path, name, axes=axes, **changes), 0
        while work(plan, after(polls + stops) if polls else never) is Ending.STOPPED:
            stops += 20
        kept[name] = contents(plan.directory)
        epochs = sorted(Run(path).evaluation.epochs_trained for path in trial_paths(plan.directory))
        assert epochs == [30, 30, 90]
        assert (stops > 0) == (polls is not None)
    assert kept["once"] == kept["stopped"]


def test_halving_ends_with_trials_that_stop_early(tmp_path):
    """More epochs do not change them, so that they are at the end of every stage."""
    axes = [AxisRecord(key="optimizer.learning_rate", values=[0.01, 0.1, 0.3])]
    stopping = "training.early_stopping={metric: loss, patience: 10, min_delta: 100}"
    changes = {"method": "halving", "seeds": [], "vary": [], "overrides": ["training.epochs=90", stopping]}
    plan, reports = group_in(tmp_path, axes=axes, **changes), []
    assert work(plan) is Ending.FINISHED
    assert {Run(path).evaluation.epochs_trained for path in trial_paths(plan.directory)} == {10}
    assert is_finished(plan)
    assert work(plan, report=reports.append) is Ending.FINISHED
    assert not any(each.is_new for each in reports)
