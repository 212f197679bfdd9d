"""A resumed run ends bit-identical to an uninterrupted one; what is damaged is reported, and nothing is lost."""

import errno
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from itertools import count
from random import Random
from unittest import mock

import pytest
from nnfs.datasets import spiral_data

from nncli.analysis.verification import verify
from nncli.data.sources.nnfs import Spiral
from nncli.errors import BusyError, ConfigError, RunError, StorageError, UnsupportedVersionError
from nncli.experiment import loading
from nncli.experiment.assembly import assemble
from nncli.experiment.loading import load
from nncli.processes import CAN_FORK
from nncli.runner import resume as resume_runner
from nncli.runner.resume import execute, plan_resume
from nncli.store import atomic_write as storage
from nncli.store.append_log import AppendLog
from nncli.store.checkpoint import Checkpoint, checkpoints, pack, unpack
from nncli.store.lock import Lock
from nncli.store.run_checkpoints import read_valid
from nncli.store.run_reader import Run
from nncli.training import passes
from nncli.training.early_stopping import Best
from nncli.training.loop import Trainer, never
from tests.examples import DIVIDED, LATE_TEST, NORMALIZED, SINE, WARM_COSINE, put_record, train_config
from tests.fault_injection.child_processes import members_of_group
from tests.training.divided import acting, kill

pytestmark = pytest.mark.slow

RECORDED = ("snapshots.npz", "health.csv")
RESULTS = (
    *("metrics.csv", "weights.npz", "evaluation.json", "run.json", "config.yaml", "config.original.yaml"),
    *RECORDED,
)
DROPOUT = "layers=[{type: dense, units: 8}, relu, {type: dropout, rate: 0.3}, {type: dense, units: 3}, softmax]"
STOPPING = "training.early_stopping={metric: validation_loss, min_delta: 0.01, patience: 15}"
CONFIGS = {
    "learns nothing": ("optimizer={type: sgd, learning_rate: 1e5}", "training.log_every=2"),
    "plain": (),
    "mini-batches": ("training.batch_size=16",),
    "dropout": (DROPOUT,),
    "dropout in mini-batches": (DROPOUT, "training.batch_size=7", "regularization={l1: 0.001, l2: 0.01}"),
    "rare dropout in mini-batches": (DROPOUT.replace("0.3", "0.001"), "training.batch_size=7"),
    "normalization": NORMALIZED,
    "book": (*LATE_TEST, "training.batch_size=7"),
    "regression": (*SINE, "training.batch_size=9", "optimizer=nesterov", WARM_COSINE),
    "early stopping": ("training.batch_size=16", "optimizer.learning_rate=0.5", STOPPING),
    "log every 7": ("training.batch_size=32", "training.log_every=7", "optimizer={type: rmsprop}", "dtype=float64"),
    **{name: ("training.batch_size=16", f"optimizer={name}") for name in ("sgd", "adagrad", "adamw", "nadam")},
}


class Steps:
    """A stop callback that returns True after this number of polls."""

    def __init__(self, steps):
        self.left = count(steps, -1)

    def __call__(self):
        return next(self.left) <= 0


def train(path, overrides, name, stop=never):
    """Train a config under a name in ``runs`` beside it, until the end or a stop; returns the run directory."""
    return train_config(path, overrides, name=name, stop=stop).path


def resume(path, stop=never, config=None, overrides=()):
    """Resume a run; returns the messages."""
    messages = []
    resume_runner.resume(path, overrides, config=config, stop=stop, report=messages.append)
    return messages


def is_finished(messages):
    return len(messages) == 1 and "already finished" in messages[0]


def contents(path):
    return {name: (path / name).read_bytes() for name in RESULTS if (path / name).exists()}


@pytest.fixture
def interrupted(workdir):
    """Train a run that is stopped within an epoch; its checkpoints are of epoch 0 and of the stop."""

    def run(*overrides, steps=12, name="stopped"):
        return train(workdir / "config.yaml", overrides, name, Steps(steps))

    return run


@pytest.mark.parametrize("overrides", CONFIGS.values(), ids=CONFIGS)
def test_resumed_run_ends_in_the_same_bytes(workdir, overrides):
    """Wherever it is stopped, and however often, at the end of an epoch or between its batches."""
    config, overrides = workdir / "config.yaml", ("training.epochs=23", *overrides)
    uninterrupted = contents(train(config, overrides, "uninterrupted"))
    for steps in (1, 12, 61):
        path = train(config, overrides, f"stopped{steps}", Steps(steps))
        for _ in range(2):
            resume(path, Steps(steps))
        resume(path)
        assert contents(path) == uninterrupted, steps


@pytest.mark.parametrize("overrides", CONFIGS.values(), ids=CONFIGS)
def test_restored_state_is_the_saved_one(workdir, overrides):
    """Scalars and vectors are those of the checkpoint, to the last bit."""
    config, overrides = workdir / "config.yaml", ("training.epochs=23", *overrides)
    checkpoint = unpack(checkpoints(train(config, overrides, "stopped", Steps(14)))[-1].read_bytes())
    trainer = Trainer(assemble(load(config, overrides).config))
    trainer.restore(checkpoint.state)
    saved, restored = checkpoint.state, trainer.state()
    assert saved.updates > 0
    assert restored.scalars() == saved.scalars()
    assert (saved.best_value is None) == (trainer.settings.early_stopping is None)
    assert list(restored.vectors) == list(saved.vectors)
    assert all(vector.tobytes() == saved.vectors[name].tobytes() for name, vector in restored.vectors.items())


@pytest.mark.parametrize("value", [0.1 + 0.2, 1 / 3, 5e-324, 1e-12, 1 - 2**-53, 1.7976931348623157e308])
def test_best_value_passes_through_a_checkpoint(workdir, value):
    """The best value of early stopping is restored as the same float."""
    trainer = Trainer(assemble(load(workdir / "config.yaml", (STOPPING,)).config))
    trainer.stopping.best = Best(0, value, trainer.network.parameters.values.copy())
    data = pack(Checkpoint(trainer.state(), 0))
    again = Trainer(trainer.experiment)
    again.restore(unpack(data).state)
    assert (again.stopping.best.epoch, again.stopping.best.value) == (0, value)


def test_run_stopped_within_an_epoch_is_resumed_there(interrupted):
    """The batches that were trained are not trained again."""
    path = interrupted("training.batch_size=16", steps=14)
    state = unpack(checkpoints(path)[-1].read_bytes()).state
    assert state.batch > 0
    assert resume(path) == [f"{path}: resumed at epoch {state.epoch}, batch {state.batch}"]


def test_metrics_after_the_checkpoint_are_cut(interrupted):
    """Rows that the checkpoint does not depend on are logged again, a torn row too."""
    path, twin = interrupted(name="one"), interrupted(name="two")
    with (path / "metrics.csv").open("ab") as file:
        file.write(b"20,0.05,0.1,0.1,0.0,0.5,0.5,0.5\n30,0.0")
    for run in (path, twin):
        resume(run)
    assert contents(path) == contents(twin)


def damaged(data):
    return data[:-1] + bytes([data[-1] ^ 1])


@pytest.mark.parametrize("damage", [damaged, lambda data: data[:100], lambda data: b"", lambda data: b"x" * 5000])
def test_damaged_checkpoint_is_reported_and_the_older_one_used(workdir, interrupted, damage):
    """The run ends in the same bytes; the damaged file is renamed."""
    uninterrupted = contents(train(workdir / "config.yaml", (), "uninterrupted"))
    path = interrupted(steps=12)
    newest = checkpoints(path)[-1]
    newest.write_bytes(damage(newest.read_bytes()))
    skipped, resumed = resume(path)
    assert skipped.startswith(f"{newest}: the checkpoint is damaged")
    assert skipped.endswith(f"; skipped, and renamed to {newest.name}.damaged")
    assert resumed == f"{path}: resumed at epoch 0"
    assert newest.with_name(f"{newest.name}.damaged").exists()
    assert contents(path) == uninterrupted


def test_run_without_a_valid_checkpoint_is_not_changed(interrupted):
    """Each checkpoint is named with what is wrong, and all files stay as they are."""
    path = interrupted()
    for file in checkpoints(path):
        file.write_bytes(b"damaged" * 1000)
    before = {file: file.read_bytes() for file in path.rglob("*") if file.is_file()}
    with pytest.raises(RunError, match="no valid checkpoint") as caught:
        resume(path)
    assert all(str(file) in str(caught.value) for file in checkpoints(path))
    assert {file: file.read_bytes() for file in path.rglob("*") if file.is_file()} == before


def test_changed_metrics_invalidate_the_checkpoint(interrupted):
    """A changed value in a row before the checkpoint is detected, and an older checkpoint is used."""
    path = interrupted()
    metrics = path / "metrics.csv"
    metrics.write_bytes(metrics.read_bytes().replace(b"\n0,0.05,", b"\n0,0.06,"))
    skipped, resumed = resume(path)
    assert "checksum mismatch: metrics.csv does not begin with the rows before the checkpoint" in skipped
    assert resumed == f"{path}: resumed at epoch 0"


@pytest.mark.parametrize("change", ["layers[1]=tanh", "seed=1"])
def test_checkpoint_of_another_run_is_rejected(interrupted, change):
    """Even if all vectors match: the other run has another activation, or another seed."""
    path, other = interrupted(), interrupted(change, name="other")
    shutil.copy(checkpoints(other)[-1], checkpoints(path)[-1])
    skipped, _ = resume(path)
    assert "belongs to another run" in skipped


def test_checkpoint_of_nncli_0_3_is_not_resumed(interrupted):
    """It has neither the checksum of the metrics nor the state of the dropout masks."""
    path = interrupted()
    for file in checkpoints(path):
        known = unpack(file.read_bytes())
        file.write_bytes(pack(known._replace(metrics_sha256=None, identity=None)))
    with pytest.raises(RunError, match=r"before 0\.4"):
        resume(path)


@pytest.mark.parametrize(
    "change",
    [{"epoch": 31}, {"batch": 4}, {"rng": None}, {"rng": {"state": 1}}, {"best_epoch": 3, "best_value": 0.5}],
)
def test_state_of_another_training_is_rejected(interrupted, change):
    """An epoch or batch after the last, or another random state: the older checkpoint is used."""
    path = interrupted(DROPOUT, "training.batch_size=16", steps=14)
    newest = checkpoints(path)[-1]
    known = unpack(newest.read_bytes())
    newest.write_bytes(pack(known._replace(state=known.state.model_copy(change))))
    skipped, resumed = resume(path)
    assert "; skipped, and renamed to " in skipped
    assert resumed == f"{path}: resumed at epoch 0"


def test_run_that_is_trained_elsewhere_is_busy(interrupted):
    """While another process trains it, nothing is read or written."""
    path = interrupted()
    lock = Lock(path / "lock")
    with pytest.raises(BusyError):
        resume(path)
    lock.release()
    assert resume(path)


def test_finished_run_is_reported(workdir, run_cli):
    """With exit code 0, and without changing a file."""
    assert run_cli("train", "config.yaml", "-q").code == 0
    before = {file: (file.read_bytes(), file.stat().st_mtime_ns) for file in (workdir / "runs").rglob("*.*")}
    result = run_cli("train", "--resume", "config", "-q")
    assert (result.code, result.out) == (0, "runs/config\n")
    assert (
        result.err
        == "runs/config: already finished (30 epochs); to continue, set a larger number, such as training.epochs=60\n"
    )
    assert {file: (file.read_bytes(), file.stat().st_mtime_ns) for file in (workdir / "runs").rglob("*.*")} == before


@pytest.mark.parametrize("lost", ["evaluation.json", "weights.npz"])
def test_missing_last_files_are_written_again(workdir, run_cli, lost):
    """As after a power failure between the last checkpoint and them."""
    assert run_cli("train", "config.yaml", "-q").code == 0
    path = workdir / "runs" / "config"
    before = contents(path)
    (path / lost).unlink()
    assert run_cli("train", "--resume", "config", "-q").code == 0
    assert contents(path) == before


@pytest.mark.parametrize("name", ["evaluation.json", "weights.npz"])
@pytest.mark.parametrize("damage", [damaged, lambda data: data[:100], lambda data: b""])
def test_damaged_last_files_are_written_again(workdir, run_cli, name, damage):
    """From the last checkpoint, with a message."""
    assert run_cli("train", "config.yaml", "-q", "test={type: spiral, samples: 10}").code == 0
    path = workdir / "runs" / "config"
    before = contents(path)
    (path / name).write_bytes(damage(before[name]))
    result = run_cli("train", "--resume", "config", "-q")
    assert result.code == 0
    assert result.err.startswith(f"runs/config/{name}: damaged: ")
    assert contents(path) == before


def test_differences_from_the_run_are_listed(workdir, interrupted):
    """Each key, with its location in the config that was given."""
    path = interrupted()
    text = (workdir / "config.yaml").read_text(encoding="utf-8")
    (workdir / "other.yaml").write_text(
        text.replace("units: 8", "units: 9").replace("0.05", "0.1").replace("epochs: 30", "epochs: 20"),
        encoding="utf-8",
    )
    with pytest.raises(ConfigError) as caught:
        resume(path, config=workdir / "other.yaml")
    lines = [line for line in str(caught.value).splitlines() if "other.yaml" in line]
    fix = "only training.epochs can change on resume; train a new run instead"
    assert [line.partition("other.yaml:")[2].removesuffix(f"; {fix}") for line in lines] == [
        "5:26: layers[0].units: differs from the run (9 vs 8)",
        "10:40: optimizer.learning_rate: differs from the run (0.1 vs 0.05)",
        "11:20: training.epochs: is 20, but the run has 30; epochs can be raised, not lowered",
    ]
    assert resume(path, config=workdir / "config.yaml")


def test_missing_keys_are_differences(workdir, interrupted):
    """A key or a component more, or one less."""
    path = interrupted("regularization.l2=0.1")
    with pytest.raises(ConfigError, match=r"regularization.l2: differs from the run \(0.0 vs 0.1\)"):
        resume(path, config=workdir / "config.yaml")
    with pytest.raises(ConfigError, match=r"schedule.type: differs from the run \(\"exponential\" vs null\)"):
        resume(path, overrides=("schedule=exponential",))


@pytest.mark.parametrize("stopped", [True, False])
def test_raised_epochs_are_trained(workdir, interrupted, stopped):
    """The run ends as one that had this number of epochs from the start, and run.json records it."""
    path = interrupted(DROPOUT, "training.batch_size=16", steps=50 if stopped else 10**6)
    more = interrupted(DROPOUT, "training.batch_size=16", "training.epochs=50", steps=10**6, name="more")
    resume(path, overrides=("training.epochs=50",))
    record = json.loads((path / "run.json").read_bytes())
    assert record["spec"]["training"]["epochs"] == 50
    assert record["overrides"][2:] == ["training.epochs=50", "training.log_every=10"]
    given = {"run.json": b"", "config.yaml": b""}  # a run that stopped early keeps its number of epochs
    assert {**contents(path), **given} == {**contents(more), **given}
    assert is_finished(resume(path))


def test_evaluation_of_fewer_epochs_does_not_finish_a_run(workdir, interrupted):
    """As after a power failure between run.json with more epochs and the removal of evaluation.json."""
    path = interrupted(steps=10**6)
    more = interrupted("training.epochs=50", steps=10**6, name="more")
    old = (path / "evaluation.json").read_bytes()
    resume(path, Steps(3), overrides=("training.epochs=50",))
    (path / "evaluation.json").write_bytes(old)
    assert not is_finished(resume(path))
    given = {"run.json": b"", "config.yaml": b""}  # a run that stopped early keeps its number of epochs
    assert {**contents(path), **given} == {**contents(more), **given}


def test_raised_epochs_keep_the_schedule_and_the_rows(workdir, interrupted):
    """A schedule that ended with training ends at the same update; a config that leaves both to defaults agrees."""
    path = interrupted(WARM_COSINE, steps=10**6)
    (workdir / "more.yaml").write_text(
        (workdir / "config.yaml").read_text(encoding="utf-8").replace("epochs: 30, log_every: 10", "epochs: 60")
        + "schedule: {type: warmup, updates: 5, then: {type: cosine, lowest: 0.1}}\n",
        encoding="utf-8",
    )
    messages = resume(path, config=workdir / "more.yaml")
    schedule = "the schedule still ends at its former last update"
    assert messages == [f"{path}: resumed at epoch 30; epochs raised from 30 to 60; {schedule}"]
    rows = (path / "metrics.csv").read_text(encoding="utf-8").splitlines()
    assert [row.split(",")[0] for row in rows[1:]] == ["0", "10", "20", "30", "40", "50", "60"]
    assert [float(row.split(",")[1]) for row in rows[-2:]] == [pytest.approx(0.005)] * 2


def test_patience_that_ran_out_at_the_last_epoch_ends_the_run(workdir, run_cli):
    """More epochs would change nothing, which is said at once; the run stays as it is."""
    stopping = "training.early_stopping={metric: loss, patience: 10, min_delta: 9}"
    assert run_cli("train", "config.yaml", stopping, "training.epochs=10", "-q").code == 0
    before = (workdir / "runs" / "config" / "run.json").read_bytes()
    for overrides in ((), ("training.epochs=20",)):
        result = run_cli("train", "--resume", "config", *overrides)
        assert result.err.startswith(
            "runs/config: already finished: stopped early at epoch 10, which more epochs do not"
        )
    assert (workdir / "runs" / "config" / "run.json").read_bytes() == before


def test_raised_epochs_keep_the_log_interval(workdir, run_cli):
    """It would grow with the number of epochs, beyond the patience that the run was started with."""
    stopping = "training.early_stopping={metric: loss, patience: 1}"
    settings = (stopping, "optimizer.learning_rate=1e-5", "training.epochs=100", "training.log_every=null")
    assert run_cli("train", "config.yaml", *settings, "-q").code == 0
    result = run_cli("train", "--resume", "config", "training.epochs=300", "-q")
    assert (result.code, result.err) == (0, "runs/config: resumed at epoch 100; epochs raised from 100 to 300\n")


@pytest.mark.parametrize("changes", [(), ("training.early_stopping={metric: loss, patience: 8, min_delta: 1}",)])
def test_extra_final_row_is_dropped_when_epochs_are_raised(interrupted, changes):
    """The row of the former last epoch, off the log interval, goes."""
    many = (*changes, "training.log_every=4")
    path = interrupted(*many, "training.epochs=10", steps=10**6)
    more = interrupted(*many, "training.epochs=20", steps=10**6, name="more")
    resume(path, overrides=("training.epochs=20",))
    given = {"run.json": b"", "config.yaml": b""}  # a run that stopped early keeps its number of epochs
    assert {**contents(path), **given} == {**contents(more), **given}


class KilledError(BaseException):
    """Takes the place of a signal that kills the process."""


OFF_INTERVAL = ("training.epochs=10", "training.log_every=4")
FULL = OSError(errno.ENOSPC, "No space left on device")
RAISED = {  # changes of the config, epochs to which it is raised before, and the injected fault
    "plain": ((), (), KilledError()),
    "full disk": ((), (), FULL),
    "raised before": ((), (13,), FULL),
    "mini-batches with dropout": ((DROPOUT, "training.batch_size=16"), (), FULL),
    "best at the last epoch": (("training.early_stopping={metric: loss, patience: 8}",), (13,), FULL),
    "early stopping": (("training.early_stopping={metric: loss, patience: 10, min_delta: 9}",), (), FULL),
    "schedule": (("schedule={type: warmup, updates: 5, then: {type: cosine, updates: 12}}",), (), FULL),
    "book": ((*LATE_TEST, "training.batch_size=7"), (13,), KilledError()),
}
CHANGING = ("fsync", "write", "ftruncate", "unlink", "replace", "rename")
# checkpoint, run.json, config.yaml, health.csv: copy, rename, fsync of the directory; evaluation.json, directory;
# metrics.csv, health.csv
CALLS_OF_A_RAISE = 17


class Faults:
    """Lets this number of system calls that change files succeed; all later ones fail."""

    def __init__(self, monkeypatch, error, calls):
        self.left, self.made = calls, 0
        for name in CHANGING:
            monkeypatch.setattr(os, name, self.wrapped(getattr(os, name), error))

    def wrapped(self, call, error):
        def called(*arguments, **more):
            self.made += 1
            if self.left:
                self.left -= 1
                return call(*arguments, **more)
            raise error

        return called


@pytest.mark.parametrize(("changes", "before", "error"), RAISED.values(), ids=RAISED)
def test_raise_that_fails_at_any_call_loses_nothing(interrupted, monkeypatch, changes, before, error):
    """The run is finished as it was, or it is resumed to the bytes of one with this number of epochs from the start."""
    path = interrupted(*changes, *OFF_INTERVAL, steps=10**6)
    for epochs in before:
        resume(path, overrides=(f"training.epochs={epochs}",))
    results, copy = contents(path), path.with_name("copy")
    raised = shutil.copytree(path, path.with_name("raised"))
    resume(raised, overrides=("training.epochs=17",))
    for calls in range(CALLS_OF_A_RAISE):
        shutil.copytree(path, copy)
        with monkeypatch.context() as patched, suppress(StorageError, KilledError):
            faults = Faults(patched, error, calls)
            resume(copy, overrides=("training.epochs=17",))
        assert faults.made > calls, "nothing failed"
        assert [check.description for check in verify(Run(copy)) if not check.holds] == [], calls
        if Run(copy).evaluation is not None:
            assert contents(copy) == results, calls
        resume(copy, overrides=("training.epochs=17",))
        assert contents(copy) == contents(raised), calls
        shutil.rmtree(copy)


def test_raise_on_a_full_disk_is_rejected_before_training(interrupted, monkeypatch):
    """The checkpoint that it begins with does not fit: the run stays finished, with its weights."""
    path = interrupted(*OFF_INTERVAL, steps=10**6)
    before = contents(path)
    steps = []
    monkeypatch.setattr(Trainer, "step", lambda *_: steps.append(1))
    monkeypatch.setattr(os, "fsync", mock.Mock(side_effect=FULL))
    with pytest.raises(StorageError, match="No space left on device"):
        resume(path, overrides=("training.epochs=20",))
    assert (contents(path), steps) == (before, [])


@pytest.mark.parametrize("changes", [(), ("training.log_every=5",)], ids=["off the interval", "on the interval"])
def test_raise_whose_checkpoint_does_not_fit_leaves_the_run_finished(interrupted, monkeypatch, changes):
    """Although run.json, which commits the raise, would fit on the disk."""
    path, put = interrupted(*OFF_INTERVAL, *changes, steps=10**6), storage.write_atomic
    before = contents(path)

    def refuse(target, data):
        if target.suffix == ".ckpt":
            raise StorageError(f"{target}: No space left on device")
        put(target, data)

    with monkeypatch.context() as patched:
        patched.setattr(storage, "write_atomic", refuse)
        with pytest.raises(StorageError, match="No space left"):
            resume(path, overrides=("training.epochs=20",))
    assert contents(path) == before
    assert is_finished(resume(path))


def test_raise_of_an_earlier_version_is_resumed_safely(interrupted):
    """It recorded the epochs first: a checkpoint without the extra row is written before the row is cut."""
    path = interrupted(*OFF_INTERVAL, steps=10**6)
    record = json.loads((path / "run.json").read_bytes())
    record["spec"]["training"]["epochs"] = 17
    put_record(path / "run.json", record)
    lock = Lock(path / "lock")
    writer = execute(plan_resume(Run(path)), lock)
    writer._metrics.close()  # killed here
    lock.release()
    assert read_valid(Run(path), checkpoints(path)[-1])


@pytest.mark.parametrize("changes", [(), ("training.early_stopping={metric: loss, patience: 10, min_delta: 9}",)])
def test_raise_commits_before_the_evaluation_is_removed(interrupted, monkeypatch, changes):
    """Killed at any call, the run is finished exactly if run.json has the old number of epochs."""
    path = interrupted(*changes, *OFF_INTERVAL, steps=10**6)
    copy = path.with_name("copy")
    for calls in range(CALLS_OF_A_RAISE):
        shutil.copytree(path, copy)
        with monkeypatch.context() as patched, suppress(KilledError):
            Faults(patched, KilledError(), calls)
            resume(copy, overrides=("training.epochs=17",))
        run = Run(copy)
        assert (run.evaluation is not None) == (run.config.training.epochs == 10), calls
        shutil.rmtree(copy)


def test_row_of_the_best_epoch_stays_when_epochs_are_raised(interrupted):
    """The former last epoch, off the log interval, is the best one."""
    path = interrupted("training.early_stopping={metric: loss, patience: 8}", *OFF_INTERVAL, steps=10**6)
    assert Run(path).evaluation.epoch == 10
    resume(path, Steps(0), overrides=("training.epochs=17",))
    assert Run(path).metrics.row_of(10) is not None


def test_run_raised_off_the_interval_is_verified(interrupted, run_cli):
    """Including the older checkpoint, which was written at the former last epoch."""
    path = interrupted(*OFF_INTERVAL, steps=10**6)
    for epochs in (13, 17, 40):
        resume(path, overrides=(f"training.epochs={epochs}",))
        assert run_cli("verify", path).code == 0


def test_checkpoint_whose_row_an_earlier_version_dropped_is_verified(interrupted, run_cli):
    """nncli before 0.5 left it when the epochs were raised; as the newest checkpoint it is damage."""
    path = interrupted(*OFF_INTERVAL, steps=10**6)
    old = checkpoints(path)[-1]
    data = old.read_bytes()
    resume(path, overrides=("training.epochs=13",))
    old.write_bytes(data)
    assert run_cli("verify", path).code == 0
    checkpoints(path)[-1].unlink()
    assert run_cli("verify", path).code == 4


def test_raised_epochs_replace_those_recorded_before(interrupted):
    """run.json does not grow with every raise."""
    path = interrupted(*OFF_INTERVAL, steps=10**6)
    for epochs in (13, 17):
        resume(path, overrides=(f"training.epochs={epochs}",))
    assert json.loads((path / "run.json").read_bytes())["overrides"] == ["training.epochs=17", "training.log_every=4"]


@pytest.mark.parametrize("overrides", CONFIGS.values(), ids=CONFIGS)
@pytest.mark.parametrize("steps", [5, 20])
def test_training_killed_within_an_epoch_loses_at_most_a_span(workdir, monkeypatch, overrides, steps):
    """Checkpoints are written within an epoch, by the clock, and the run ends in the same bytes."""
    config, overrides = workdir / "config.yaml", ("training.epochs=23", "training.checkpoint_seconds=0", *overrides)
    uninterrupted = contents(train(config, overrides, "uninterrupted"))
    monkeypatch.setattr(passes, "MACS_BETWEEN_YIELDS", 0)
    with monkeypatch.context() as patched:
        left, step = count(steps, -1), Trainer.step

        def killed(*arguments):
            if next(left) == 0:
                raise KilledError
            step(*arguments)

        patched.setattr(Trainer, "step", killed)
        with pytest.raises(KilledError):
            train(config, overrides, "killed")
    path = workdir / "runs" / "killed"
    assert unpack(checkpoints(path)[-1].read_bytes()).state.updates == steps
    resume(path)
    assert contents(path) == uninterrupted


@pytest.mark.skipif(not CAN_FORK, reason="processes are forked")
def test_killed_process_on_two_threads_leaves_no_worker(workdir):
    """Killed at random moments, it takes its worker with it; the run ends in the same bytes."""
    changes = (*DIVIDED, "training.batch_size=500", "training.epochs=300", "training.checkpoint_seconds=0.01")
    uninterrupted, path = train(workdir / "config.yaml", changes, "uninterrupted"), workdir / "runs" / "killed"
    random, kills = Random(1), 0
    for seconds in (*(random.uniform(0, 0.15) for _ in range(5)), None):
        begun = ("--resume", path) if path.exists() else ("config.yaml", *changes, "--name", "killed")
        command = [sys.executable, "-m", "nncli", "train", *begun, "-q"]
        with subprocess.Popen(command, cwd=workdir, start_new_session=True) as process:
            while process.poll() is None and len(members_of_group(process.pid)) < 2:
                time.sleep(1e-3)
            with suppress(subprocess.TimeoutExpired):
                process.wait(seconds)
            kills += len(members_of_group(process.pid)) == 2
            process.kill()
        deadline = time.monotonic() + 20
        while members_of_group(process.pid):
            assert time.monotonic() < deadline
            time.sleep(1e-3)
    assert kills > 0
    assert process.returncode == 0
    for name in ("weights.npz", "metrics.csv"):
        assert (path / name).read_bytes() == (uninterrupted / name).read_bytes()


@pytest.mark.skipif(not CAN_FORK, reason="processes are forked")
def test_run_whose_worker_is_killed_is_resumed(workdir, run_cli):
    """The message says so, and how to go on; the run ends in the same bytes."""
    changes = (*DIVIDED, "training.epochs=60", "training.checkpoint_seconds=0")
    uninterrupted, path = train(workdir / "config.yaml", changes, "uninterrupted"), workdir / "runs" / "killed"
    with acting(40, kill):
        result = run_cli("train", "config.yaml", *changes, "--name", "killed", "-q")
    assert (result.code, result.out) == (1, "")
    assert result.err == (
        "a worker process was killed by signal 9, as the system does if memory is short; if it happens again, train a "
        "new run with fewer threads; resume with: nncli train --resume runs/killed\n"
    )
    assert 0 < unpack(checkpoints(path)[-1].read_bytes()).state.updates <= 40
    resume(path)
    for name in ("weights.npz", "metrics.csv"):
        assert (path / name).read_bytes() == (uninterrupted / name).read_bytes()


def test_run_with_other_data_is_not_resumed(interrupted, run_cli, monkeypatch):
    """If the source generates other points now, nothing is changed."""
    path = interrupted()
    before = contents(path)
    monkeypatch.setattr(Spiral, "points", lambda source: spiral_data(source.samples + 1, 3))
    result = run_cli("train", "--resume", path)
    assert (result.code, contents(path)) == (4, before)
    assert "the training data differs from what the run was trained on" in result.err


def test_unreadable_checkpoint_is_not_damage(interrupted, monkeypatch):
    """An input/output error says nothing about the checkpoint: it is reported, and everything stays as it is."""
    path, opened = interrupted(), os.open
    newest = checkpoints(path)[-1]

    def refuse(name, *flags, **more):
        if name == newest.name:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return opened(name, *flags, **more)

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(StorageError, match="Input/output error"):
        resume(path)
    assert newest.exists()


@pytest.mark.parametrize("value", [-1, 2**32, 0.5])
def test_invalid_random_state_is_damage(interrupted, value):
    """Values that no generator has, with a checksum that matches: the older checkpoint is used."""
    path = interrupted("rng=nnfs", DROPOUT)
    newest = checkpoints(path)[-1]
    known = unpack(newest.read_bytes())
    known.state.rng["state"]["key"][0] = value
    newest.write_bytes(pack(known))
    skipped, resumed = resume(path)
    assert "; skipped, and renamed to " in skipped
    assert resumed == f"{path}: resumed at epoch 0"


@pytest.mark.parametrize("move", [lambda run: run.rename(run.with_name("moved")), lambda run: (run / "lock").unlink()])
def test_run_that_was_moved_is_not_written_to(workdir, run_cli, monkeypatch, move):
    """Another run may have its name by then: training ends with exit code 4, and the files stay as they are."""
    step, run = Trainer.step, workdir / "runs" / "config"

    def moved(training, *rows):
        if training.epoch == 5:
            move(run)
            (run / "checkpoints").mkdir(parents=True, exist_ok=True)
            (run / "lock").touch()
        return step(training, *rows)

    monkeypatch.setattr(Trainer, "step", moved)
    result = run_cli("train", "config.yaml", "-q")
    assert result.code == 4
    assert "was moved or its lock file deleted" in result.err
    assert [path.name for path in run.rglob("*.ckpt") if path.name != "00000000.ckpt"] == []


@pytest.mark.parametrize(
    ("owner", "name"),
    [(Lock, "require_held"), (storage, "_write_temporary"), (storage, "fsync_directory"), (AppendLog, "sync")],
)
def test_run_that_is_moved_at_any_write_is_not_a_storage_error(workdir, run_cli, monkeypatch, owner, name):
    """Also between the check of its lock and a write: exit code 4, and its files stay as they are."""
    run, called, left = workdir / "runs" / "config", getattr(owner, name), 0

    def moved(*arguments):
        nonlocal left
        left -= run.exists()
        if left == 0 and run.exists() and name == "fsync_directory":
            run.rename(workdir / "moved")
        result = called(*arguments)
        if left == 0 and run.exists():
            run.rename(workdir / "moved")
        return result

    monkeypatch.setattr(owner, name, moved)
    for number in count(1):
        left = number
        result = run_cli("train", "config.yaml", "training.checkpoint_seconds=0", "training.epochs=3", "-q")
        if not (workdir / "moved").exists():
            break
        assert result.code == 4, result
        assert "was moved or its lock file deleted" in result.err
        shutil.rmtree(workdir / "moved")
    assert number > 3


def test_copy_by_hard_links_is_not_changed(interrupted):
    """metrics.csv, which is cut and grows, is replaced by a new file first."""
    path = interrupted()
    shutil.copytree(path, path.with_name("snapshot"), copy_function=os.link)
    before = contents(path.with_name("snapshot"))
    resume(path)
    assert contents(path.with_name("snapshot")) == before


def test_errors_on_resume_say_which_overrides_are_wrong(interrupted):
    """Those of the command line are numbered from 1; those that the run was trained with are in config.yaml."""
    layers = "layers=[{type: dense, units: 8}, relu, {type: dense, units: 3}, softmax]"
    path = interrupted("optimizer.learning_rate=0.04", layers, "training.epochs=40")
    with pytest.raises(ConfigError, match=r"^command line:1:17: training\.epochs: is 20, but the run has 40"):
        resume(path, overrides=("training.epochs=20",))
    with pytest.raises(ConfigError) as caught:
        resume(path, overrides=("training.epochs=50", "regularization.l2=0.5"))
    locations = [line.split(" ")[0:2] for line in str(caught.value).splitlines() if ": differs from" in line]
    assert locations == [
        [f"{path}/config.yaml:5:5:", "layers[0].l2:"],
        [f"{path}/config.yaml:7:5:", "layers[2].l2:"],
        ["command", "line:2:19:"],
    ]


def test_invalid_recorded_override_is_damage(interrupted):
    """It is no fault of the command line, and the message names run.json."""
    path = interrupted("training.epochs=40")
    record = json.loads((path / "run.json").read_bytes())
    put_record(path / "run.json", {**record, "overrides": ["epochs"]})
    (wrong,) = (check for check in verify(Run(path)) if not check.holds)
    assert wrong.subject == "config.original.yaml"
    assert "run.json: overrides: damaged: invalid override 'epochs'" in wrong.description


def test_resume_with_a_name_is_rejected(interrupted, run_cli):
    """--resume with --name is a wrong command line."""
    assert run_cli("train", "--resume", interrupted(), "--name", "other").code == 2


def test_full_disk_is_reported_with_the_command_that_resumes(workdir, run_cli, monkeypatch):
    """During training, with exit code 5."""

    def full(log):
        raise StorageError("metrics.csv: No space left on device")

    monkeypatch.setattr(AppendLog, "sync", full)
    result = run_cli("train", "config.yaml", "-q")
    assert result.code == 5
    assert result.err == "metrics.csv: No space left on device; resume with: nncli train --resume runs/config\n"


def test_signal_at_the_last_epoch_lets_the_run_finish(workdir, run_cli, monkeypatch):
    """Nothing is left to interrupt: the last files are written, and the exit code is 0."""
    measured = Trainer._row

    def row(training):
        if training.epoch == training.settings.epochs:
            os.kill(os.getpid(), signal.SIGTERM)
        return measured(training)

    monkeypatch.setattr(Trainer, "_row", row)
    assert run_cli("train", "config.yaml", "-q").code == 0
    assert (workdir / "runs" / "config" / "evaluation.json").exists()


def test_signal_while_the_config_is_read_is_a_stop_request(workdir, run_cli, monkeypatch):
    """It ends the training that would begin, with a checkpoint, and does not interrupt a library."""
    load = loading.load

    def interrupted(*arguments):
        os.kill(os.getpid(), signal.SIGINT)
        return load(*arguments)

    monkeypatch.setattr(loading, "load", interrupted)
    result = run_cli("train", "config.yaml", "-q")
    assert result.code == 130
    assert result.err.startswith("runs/config: interrupted by SIGINT at epoch 0; resume with: ")


def test_second_signal_is_reported_with_the_command_that_resumes(workdir, run_cli, monkeypatch):
    """Ctrl-C that does not wait for the batch: the last checkpoint is there."""
    step = Trainer.step

    def stopped(training, *rows):
        if training.epoch == 5:
            raise KeyboardInterrupt
        return step(training, *rows)

    monkeypatch.setattr(Trainer, "step", stopped)
    result = run_cli("train", "config.yaml", "-q")
    assert result.code == 130
    assert (
        result.err
        == "runs/config: stopped at once, without a new checkpoint; resume with: nncli train --resume runs/config\n"
    )


def test_config_with_an_equals_sign_in_its_name_is_not_an_override(workdir, interrupted, run_cli):
    """If a file of that name exists."""
    (workdir / "a=b.yaml").write_bytes((workdir / "config.yaml").read_bytes())
    assert run_cli("train", "--resume", interrupted(), "a=b.yaml", "-q").code == 0


def test_another_machine_is_reported(interrupted):
    """Versions, BLAS and vector instructions that differ from the start of the run may round differently."""
    path = interrupted()
    record = json.loads((path / "run.json").read_bytes())
    assert record["blas"]["kernels"]
    record["versions"]["numpy"], record["simd"], record["blas"]["kernels"] = "1.0.0", {"found": ["SSE"]}, ["old"]
    put_record(path / "run.json", record)
    _, warning = resume(path)
    assert warning.endswith("other numpy, BLAS, vector instructions than at its start")
    assert "results may differ in the last bits" in warning


def test_orphaned_temporary_files_are_removed(workdir, interrupted):
    """In the run directory and beside its checkpoints; nothing else is."""
    path = interrupted()
    for name in (".metrics.csv.0123abcd", "checkpoints/.00000030.ckpt.89abcdef", "notes.txt", ".hidden"):
        (path / name).write_bytes(b"x")
    resume(path)
    assert not (path / ".metrics.csv.0123abcd").exists()
    assert not (path / "checkpoints" / ".00000030.ckpt.89abcdef").exists()
    assert (path / "notes.txt").exists()
    assert (path / ".hidden").exists()


def test_new_run_removes_orphaned_staging_directories(workdir, interrupted):
    """Those that a killed start has left; one that is being filled, whose lock is held, stays."""
    runs = workdir / "runs"
    orphaned, filling, foreign = (f".new-{name}" for name in ("0123456789abcdef", "f" * 16, "design"))
    for name in (orphaned, filling, foreign):
        (runs / name).mkdir(parents=True)
        (runs / name / "lock").touch()
    lock = Lock(runs / filling / "lock")
    interrupted()
    assert sorted(path.name for path in runs.iterdir()) == sorted([foreign, filling, "stopped"])
    lock.release()


def packed_as_version_1(checkpoint):
    """A checkpoint as nncli 0.4 wrote it."""
    position = checkpoint.state.scalars()
    position["random"], position["random_before"] = map(numbers_of, map(position.pop, ("rng", "rng_at_epoch_start")))
    position["is_measured"] = position.pop("is_logged")
    position |= {"metrics_bytes": checkpoint.metrics_bytes, "metrics_sha256": checkpoint.metrics_sha256}
    vectors = checkpoint.state.vectors
    records = [{"name": name, "dtype": each.dtype.str, "length": len(each)} for name, each in vectors.items()]
    head = {"identity": checkpoint.identity, "position": position, "vectors": records}
    body = b"".join([json.dumps(head).encode(), b"\n", *(each.tobytes() for each in vectors.values())])
    return b"nncli checkpoint 1\n" + hashlib.sha256(body).digest() + body


def numbers_of(state):
    """The state of a generator as version 1 wrote it."""
    match state:
        case None:
            return None
        case {"bit_generator": "PCG64", "state": {"state": number}}:
            return [number]
        case {"state": {"key": key, "pos": pos}, "has_gauss": has_gauss, "gauss": gauss}:
            return [*key, pos, has_gauss, gauss]


@pytest.mark.parametrize("overrides", CONFIGS.values(), ids=CONFIGS)
def test_version_1_checkpoints_are_resumed_to_the_same_bytes(workdir, overrides):
    """A run that nncli 0.4 interrupted within an epoch ends as if it had not been interrupted."""
    config, overrides = workdir / "config.yaml", ("training.epochs=23", *overrides)
    uninterrupted = contents(train(config, overrides, "uninterrupted"))
    path = train(config, overrides, "stopped", Steps(14))
    for file in checkpoints(path):
        file.write_bytes(packed_as_version_1(unpack(file.read_bytes())))
    resume(path)
    assert contents(path) == uninterrupted


def test_checkpoint_of_a_newer_version_is_not_damage(interrupted):
    """It is not quarantined, and no older checkpoint is used instead; nothing is changed."""
    path = interrupted()
    newest = checkpoints(path)[-1]
    magic, body = b"nncli checkpoint 3\n", b"{}\n"
    newest.write_bytes(magic + hashlib.sha256(magic + body).digest() + body)
    before = {file: file.read_bytes() for file in path.rglob("*") if file.is_file()}
    with pytest.raises(UnsupportedVersionError, match=rf"{newest}: the checkpoint has format version 3"):
        resume(path)
    assert {file: file.read_bytes() for file in path.rglob("*") if file.is_file()} == before


def test_weights_of_a_newer_version_are_not_written_again(workdir):
    """A finished run that only a newer version reads stays as it is."""
    path = train(workdir / "config.yaml", (), "newer")
    record = json.loads((path / "run.json").read_text(encoding="utf-8"))
    record["formats"]["weights.npz"] = 2
    put_record(path / "run.json", record)
    before = contents(path)
    with pytest.raises(UnsupportedVersionError, match=r"weights\.npz: has format version 2"):
        resume(path)
    assert contents(path) == before


def test_plan_changes_nothing(interrupted):
    """Neither of a run with a damaged checkpoint nor of one whose epochs are raised."""
    path = interrupted(*OFF_INTERVAL, steps=10**6)
    newest = checkpoints(path)[-1]
    newest.write_bytes(damaged(newest.read_bytes()))
    before = {file: file.read_bytes() for file in path.rglob("*") if file.is_file()}
    plan = plan_resume(Run(path), None, ("training.epochs=17",))
    assert {file: file.read_bytes() for file in path.rglob("*") if file.is_file()} == before
    assert (plan.damaged, plan.raises_epochs, plan.drops_row) == ((newest,), True, False)
    assert plan.trainer.epoch == 0
