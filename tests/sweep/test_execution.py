"""The training of one trial: what another process has ended meanwhile is left alone, and progress is reported."""

from itertools import count, pairwise
from types import SimpleNamespace

import pytest

from nncli.errors import MissingExtraError
from nncli.store.group_files import failures
from nncli.sweep import execution
from nncli.sweep.execution import Execution
from nncli.sweep.trials import Task
from nncli.sweep.worker import work
from nncli.training.loop import never
from tests.sweep.groups import RATES, contents, group_in


@pytest.fixture
def group(tmp_path):
    """The plan of a group of one finished trial and one that diverges."""
    return group_in(tmp_path, axes=[RATES], seeds=[], vary=[], overrides=["optimizer.type=sgd", "training.log_every=1"])


def parts(plan, stop=never):
    """The parts of its epochs that the first trial reports while it is trained, and its last state."""
    reports = []
    Execution(plan, stop, reports.append).perform(Task(plan.trial(0)))
    return [each.part for each in reports if each.state == "running"], reports[-1].state


def test_what_has_ended_meanwhile_is_not_trained_again(group):
    """As if another process trained it, so that the worker looks again."""
    work(group)
    before, reports = contents(group.directory), []
    runner = Execution(group, never, reports.append)
    assert [runner.perform(Task(group.trial(number))) for number in (0, 1)] == [False, False]
    assert reports == []
    assert contents(group.directory) == before


def test_a_missing_package_is_not_a_failure_of_the_trial(group, monkeypatch):
    """Another machine may have it."""

    def missing(*_, **__):
        raise MissingExtraError("images", "images")

    monkeypatch.setattr(execution, "train", missing)
    with pytest.raises(MissingExtraError):
        work(group)
    assert not failures(group.directory)


def test_progress_is_reported_from_time_to_time(group, monkeypatch):
    """Not after every epoch, since a report takes as long as some of them."""
    clock = count()
    monkeypatch.setattr(execution, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    monkeypatch.setattr(execution, "INTERVAL", 10)
    epochs = group.base.config.training.epochs
    found, state = parts(group)
    assert state == "finished"
    assert found == pytest.approx([0, 10 / epochs, 20 / epochs, 29 / epochs], abs=1.5 / epochs)
    assert all((after - before) * epochs > 5 for before, after in pairwise(found))


def test_progress_of_a_resumed_trial_goes_on(group):
    """From the part that was trained before."""
    polls = count()
    first, state = parts(group, lambda: next(polls) > 10)
    assert (first, state) == ([0.0], "stopped")
    again, state = parts(group)
    assert 0 < again[0] < 1
    assert state == "finished"
