"""Training and resuming as functions: what the observer sees, when it is called, and how they end."""

from contextlib import contextmanager

import pytest

from nncli.errors import BusyError, CommandLineError, ConfigError, StorageError
from nncli.runner.resume import resume
from nncli.store import atomic_write as storage
from nncli.store.lock import Lock, is_locked
from tests.conftest import SPEC
from tests.examples import train_config


class Recorder:
    """An observer that records what happens, in order."""

    def __init__(self):
        self.events = []

    @contextmanager
    def __call__(self, writer):
        self.events.append(("begin", writer.path.name, writer.trainer.epoch))
        try:
            yield lambda epoch: self.events.append(epoch.number) if epoch.metrics else None
        finally:
            self.events.append(("end", (writer.path / "evaluation.json").exists()))


def test_observer_spans_training_and_its_last_files(workdir):
    """It begins once the run directory exists, takes each epoch, and ends after the run is finished."""
    recorder = Recorder()
    result = train_config(workdir / "config.yaml", observer=recorder)
    assert recorder.events == [("begin", "config", 0), 0, 10, 20, 30, ("end", True)]
    assert (result.path, result.progress) == (workdir / "runs" / "config", "epoch 30")
    assert result.evaluation.epochs_trained == 30


def test_observer_is_not_called_before_training_begins(workdir):
    """A config that is wrong, or a name that is taken, opens no display."""
    recorder, runs = Recorder(), workdir / "runs"
    (runs / "taken").mkdir(parents=True)
    with pytest.raises(ConfigError):
        train_config(workdir / "config.yaml", ["seed=-1"], observer=recorder)
    with pytest.raises(BusyError):
        train_config(workdir / "config.yaml", name="taken", observer=recorder)
    with pytest.raises(CommandLineError, match="invalid run name ''"):
        train_config(workdir / "config.yaml", name="", observer=recorder)
    assert recorder.events == []


def test_stopped_training_has_no_evaluation(workdir):
    """Its result says how far it is, and a checkpoint of that moment is written before the observer ends."""
    polls = iter([False] * 5)
    changes = ("training.batch_size=16",)
    result = train_config(workdir / "config.yaml", changes, stop=lambda: next(polls, True))
    assert (result.evaluation, result.progress) == (None, "epoch 1, batch 1")
    assert (result.path / "checkpoints" / "00000005.ckpt").exists()
    assert not is_locked(result.path / "lock")


def test_resume_reports_before_the_observer_begins(workdir):
    """The messages come first, as a display would hide them."""
    path = train_config(workdir / "config.yaml", stop=lambda: True).path
    recorder = Recorder()
    resume(path, observer=recorder, report=recorder.events.append)
    assert recorder.events[:2] == [f"{path}: resumed at epoch 0", ("begin", "config", 0)]


def test_resume_of_a_finished_run_is_its_evaluation(workdir):
    """It is reported, and nothing is trained; more epochs do not change a run that stopped early."""
    stopping = "training.early_stopping={metric: loss, min_delta: 100, patience: 20}"
    finished = train_config(workdir / "config.yaml")
    early = train_config(workdir / "config.yaml", [stopping])
    recorder, messages = Recorder(), []
    again = resume(finished.path, observer=recorder, report=messages.append)
    more = resume(early.path, ("training.epochs=90",), observer=recorder, report=messages.append)
    assert (again, more.evaluation) == (finished, early.evaluation)
    assert recorder.events == []
    assert messages == [
        f"{finished.path}: already finished (30 epochs); to continue, set a larger number, such as training.epochs=60",
        f"{early.path}: already finished: stopped early at epoch 20, which more epochs do not change",
    ]


@pytest.mark.parametrize("ending", ["wrong config", "full disk", "finished"])
def test_resume_releases_the_lock(workdir, monkeypatch, ending):
    """However it ends."""
    path = train_config(workdir / "config.yaml", stop=lambda: ending != "finished").path

    def full(*_):
        raise StorageError("No space left on device")

    if ending == "full disk":
        monkeypatch.setattr(storage, "write_atomic", full)
    try:
        resume(path, ("seed=9",) if ending == "wrong config" else ())
    except (ConfigError, StorageError):
        assert ending != "finished"
    assert not is_locked(path / "lock")
    Lock(path / "lock").release()


def test_resume_takes_the_lock_before_it_plans(workdir, monkeypatch):
    """Another process cannot change what the plan was made of."""
    path = train_config(workdir / "config.yaml", stop=lambda: True).path
    monkeypatch.setattr("nncli.runner.resume.plan_resume", lambda *_: pytest.fail("planned without the lock"))
    lock = Lock(path / "lock")
    with pytest.raises(BusyError):
        resume(path)
    lock.release()


def test_threads_are_set_for_training(workdir):
    """A number of threads that the BLAS does not support is a mistake in the config, with its location."""
    (workdir / "config.yaml").write_text(SPEC.replace("epochs: 30,", "epochs: 30, threads: 1000,"), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"config\.yaml:11:33: training\.threads: at most 64 threads") as caught:
        train_config(workdir / "config.yaml")
    assert [diagnostic.path for diagnostic in caught.value.diagnostics] == [("training", "threads")]
