"""A run that was interrupted ends as if it had not been; what does not fit is told, and nothing is lost."""

import errno
import json
import os
import shutil
import signal
from contextlib import suppress
from itertools import count
from unittest import mock

import pytest
from nnfs.datasets import spiral_data

from nncli.analysis.verification import verify
from nncli.data.sources.nnfs import Spiral
from nncli.errors import BusyError, ConfigError, RunError, StorageError
from nncli.experiment import loading
from nncli.experiment.assembly import assemble
from nncli.experiment.loading import load
from nncli.runner.resume import Resumption
from nncli.store import atomic_write as storage
from nncli.store.append_log import AppendLog
from nncli.store.checkpoint import checkpoints, pack, unpack
from nncli.store.lock import Lock
from nncli.store.run_reader import Run, read_valid
from nncli.store.run_writer import RunWriter
from nncli.train import loop as training
from nncli.train.early_stopping import Best
from nncli.train.loop import Trainer
from tests.examples import LATE_TEST, NORMALIZED, SINE, WARM_COSINE, put_record

pytestmark = pytest.mark.slow

RESULTS = ("metrics.csv", "weights.npz", "evaluation.json", "run.json", "spec.yaml")
DROPOUT = "layers=[{type: dense, units: 8}, relu, {type: dropout, rate: 0.3}, {type: dense, units: 3}, softmax]"
STOPPING = "training.early_stopping={metric: validation_loss, min_delta: 0.01, patience: 15}"
SPECS = {
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
    """A wish to stop that comes true after so many questions."""

    def __init__(self, steps):
        self.left = count(steps, -1)

    def __call__(self):
        return next(self.left) <= 0


def train(folder, loaded, name, stop):
    """Train under a name until the end or the wish to stop; the checkpoint of that moment is written."""
    training = Trainer(assemble(loaded.config), stop)
    with RunWriter.create(folder, name, loaded, training) as directory:
        return finished(directory)


def finished(directory):
    for _ in directory.record():
        pass
    directory.finish() if directory.training.is_done else directory.save()
    return directory.path


def resume(path, stop=lambda: False, config=None, overrides=()):
    """Go on with a run; returns what was told."""
    with Resumption(path) as resumption:
        spec = resumption.resolve_config(config, overrides)
        if resumption.finished(spec):
            return ["finished"]
        with resumption.reopen(Trainer(assemble(spec), stop)) as directory:
            finished(directory)
        return resumption.told


def contents(path):
    return {name: (path / name).read_bytes() for name in RESULTS if (path / name).exists()}


@pytest.fixture
def interrupted(workdir):
    """A run that was stopped in the middle of an epoch; its checkpoints are of epoch 0 and of the stop."""

    def run(*overrides, steps=12, name="stopped"):
        return train(workdir / "runs", load(workdir / "config.yaml", overrides), name, Steps(steps))

    return run


@pytest.mark.parametrize("overrides", SPECS.values(), ids=SPECS)
def test_a_resumed_run_ends_in_the_same_bytes(workdir, overrides):
    """Wherever it is stopped, and however often, at an epoch's end or between its batches."""
    loaded = load(workdir / "config.yaml", ("training.epochs=23", *overrides))
    whole = contents(train(workdir / "runs", loaded, "whole", lambda: False))
    for steps in (1, 12, 61):
        path = train(workdir / "runs", loaded, f"stopped{steps}", Steps(steps))
        for _ in range(2):
            resume(path, Steps(steps))
        resume(path)
        assert contents(path) == whole, steps


@pytest.mark.parametrize("overrides", SPECS.values(), ids=SPECS)
def test_what_is_restored_is_what_was_saved(workdir, overrides):
    """After a resume position, best value and every vector are those of the checkpoint, to the last bit."""
    loaded = load(workdir / "config.yaml", ("training.epochs=23", *overrides))
    path = train(workdir / "runs", loaded, "stopped", Steps(14))
    checkpoint = unpack(checkpoints(path)[-1].read_bytes())
    training = Trainer(assemble(loaded.config))
    training.restore(checkpoint)
    saved = checkpoint.position
    found = training.position(saved.metrics_bytes, saved.metrics_sha256)
    assert saved.updates > 0
    assert found.model_dump() == saved.model_dump()
    assert (saved.best_value is None) == (loaded.config.training.early_stopping is None)
    vectors = training.vectors()
    assert list(vectors) == list(checkpoint.vectors)
    assert all(vector.tobytes() == checkpoint.vectors[name].tobytes() for name, vector in vectors.items())


@pytest.mark.parametrize("value", [0.1 + 0.2, 1 / 3, 5e-324, 1e-12, 1 - 2**-53, 1.7976931348623157e308])
def test_a_best_value_passes_through_a_checkpoint(workdir, value):
    """Whatever early stopping has seen as the best comes back as the same float."""
    training = Trainer(assemble(load(workdir / "config.yaml", (STOPPING,)).config))
    training.stopping.best = Best(0, value, training.network.parameters.values.copy())
    data = pack(training.position(0, ""), training.vectors(), None)
    again = Trainer(training.experiment)
    again.restore(unpack(data))
    assert (again.stopping.best.epoch, again.stopping.best.value) == (0, value)


def test_a_run_that_is_stopped_in_the_middle_goes_on_there(interrupted):
    """The batches that were trained are not trained again."""
    path = interrupted("training.batch_size=16", steps=14)
    position = unpack(checkpoints(path)[-1].read_bytes()).position
    assert position.batch > 0
    assert resume(path) == [f"{path}: resumed at epoch {position.epoch}, batch {position.batch}"]


def test_metrics_behind_the_checkpoint_are_cut_off(interrupted):
    """Rows that the checkpoint does not count on are measured again, a row that was half written too."""
    path, twin = interrupted(name="one"), interrupted(name="two")
    with (path / "metrics.csv").open("ab") as file:
        file.write(b"20,0.05,0.1,0.1,0.0,0.5,0.5,0.5\n30,0.0")
    for run in (path, twin):
        resume(run)
    assert contents(path) == contents(twin)


def damaged(data):
    return data[:-1] + bytes([data[-1] ^ 1])


@pytest.mark.parametrize("damage", [damaged, lambda data: data[:100], lambda data: b"", lambda data: b"x" * 5000])
def test_a_damaged_checkpoint_is_named_and_the_one_before_it_taken(workdir, interrupted, damage):
    """The run ends in the same bytes; what could not be read is kept under another name."""
    whole = contents(train(workdir / "runs", load(workdir / "config.yaml"), "whole", lambda: False))
    path = interrupted(steps=12)
    newest = checkpoints(path)[-1]
    newest.write_bytes(damage(newest.read_bytes()))
    skipped, resumed = resume(path)
    assert skipped.startswith(f"{newest}: the checkpoint is damaged")
    assert skipped.endswith(f"it is skipped, and kept as {newest.name}.damaged")
    assert resumed == f"{path}: resumed at epoch 0"
    assert newest.with_name(f"{newest.name}.damaged").exists()
    assert contents(path) == whole


def test_without_a_whole_checkpoint_nothing_is_changed(interrupted):
    """Every checkpoint is named with what is wrong with it, and all stay as they are."""
    path = interrupted()
    for file in checkpoints(path):
        file.write_bytes(b"damaged")
    before = {file: file.read_bytes() for file in path.rglob("*") if file.is_file()}
    with pytest.raises(RunError, match="no checkpoint is whole") as told:
        resume(path)
    assert all(str(file) in str(told.value) for file in checkpoints(path))
    assert {file: file.read_bytes() for file in path.rglob("*") if file.is_file()} == before


def test_metrics_that_were_changed_do_not_fit_the_checkpoint(interrupted):
    """A row before the checkpoint that holds another number is noticed, and an older checkpoint taken."""
    path = interrupted()
    metrics = path / "metrics.csv"
    metrics.write_bytes(metrics.read_bytes().replace(b"\n0,0.05,", b"\n0,0.06,"))
    skipped, resumed = resume(path)
    assert "metrics.csv no longer begins with what the checkpoint counts on" in skipped
    assert resumed == f"{path}: resumed at epoch 0"


@pytest.mark.parametrize("change", ["layers[1]=tanh", "seed=1"])
def test_a_checkpoint_of_another_run_is_refused(interrupted, change):
    """Even where all its vectors would fit: the other run has another activation, or another seed."""
    path, other = interrupted(), interrupted(change, name="other")
    shutil.copy(checkpoints(other)[-1], checkpoints(path)[-1])
    skipped, _ = resume(path)
    assert "is that of another run" in skipped


def test_a_checkpoint_that_does_not_say_all_is_not_resumed(interrupted):
    """One of an earlier version, which kept neither the digest of the metrics nor the masks' state."""
    path = interrupted()
    for file in checkpoints(path):
        known = unpack(file.read_bytes())
        file.write_bytes(pack(known.position.model_copy({"metrics_sha256": None}), known.vectors, None))
    with pytest.raises(RunError, match=r"before 0\.4"):
        resume(path)


@pytest.mark.parametrize(
    "change",
    [{"epoch": 31}, {"batch": 4}, {"random": None}, {"random": [1, 2]}, {"best_epoch": 3, "best_value": 0.5}],
)
def test_a_position_that_is_none_of_the_training_is_refused(interrupted, change):
    """An epoch behind the last, a batch behind the last, another random state: the older checkpoint is taken."""
    path = interrupted(DROPOUT, "training.batch_size=16", steps=14)
    newest = checkpoints(path)[-1]
    known = unpack(newest.read_bytes())
    newest.write_bytes(pack(known.position.model_copy(change), known.vectors, known.identity))
    skipped, resumed = resume(path)
    assert "it is skipped" in skipped
    assert resumed == f"{path}: resumed at epoch 0"


def test_one_trainer_a_run(interrupted):
    """Where another process trains in it, nothing is read or written."""
    path = interrupted()
    lock = Lock(path / "lock")
    with pytest.raises(BusyError):
        resume(path)
    lock.release()
    assert resume(path)


def test_a_finished_run_is_finished(workdir, run_cli):
    """Resuming it says so, with exit code 0, and changes no file."""
    assert run_cli("train", "config.yaml", "-q").code == 0
    before = {file: (file.read_bytes(), file.stat().st_mtime_ns) for file in (workdir / "runs").rglob("*.*")}
    result = run_cli("train", "--resume", "config", "-q")
    assert (result.code, result.out) == (0, "runs/config\n")
    assert result.err == "runs/config: finished already, at epoch 30; nothing is left to do\n"
    assert {file: (file.read_bytes(), file.stat().st_mtime_ns) for file in (workdir / "runs").rglob("*.*")} == before


@pytest.mark.parametrize("lost", ["evaluation.json", "weights.npz"])
def test_a_run_that_lacks_its_last_files_gets_them_again(workdir, run_cli, lost):
    """As after a power cut between the last checkpoint and them."""
    assert run_cli("train", "config.yaml", "-q").code == 0
    path = workdir / "runs" / "config"
    before = contents(path)
    (path / lost).unlink()
    assert run_cli("train", "--resume", "config", "-q").code == 0
    assert contents(path) == before


@pytest.mark.parametrize("name", ["evaluation.json", "weights.npz"])
@pytest.mark.parametrize("damage", [damaged, lambda data: data[:100], lambda data: b""])
def test_a_damaged_end_is_made_anew(workdir, run_cli, name, damage):
    """From the last checkpoint, and the damage is told."""
    assert run_cli("train", "config.yaml", "-q", "test={type: spiral, samples: 10}").code == 0
    path = workdir / "runs" / "config"
    before = contents(path)
    (path / name).write_bytes(damage(before[name]))
    result = run_cli("train", "--resume", "config", "-q")
    assert result.code == 0
    assert result.err.startswith(f"runs/config/{name}: damaged: ")
    assert contents(path) == before


def test_what_differs_is_listed(workdir, interrupted):
    """Every key, with its place in the config that was given along."""
    path = interrupted()
    text = (workdir / "config.yaml").read_text(encoding="utf-8")
    (workdir / "other.yaml").write_text(
        text.replace("units: 8", "units: 9").replace("0.05", "0.1").replace("epochs: 30", "epochs: 20"),
        encoding="utf-8",
    )
    with pytest.raises(ConfigError) as told:
        resume(path, config=workdir / "other.yaml")
    lines = [line for line in str(told.value).splitlines() if "other.yaml" in line]
    assert [line.partition("other.yaml:")[2] for line in lines] == [
        "5:26: layers[0].units: is 9 here, 8 in the run",
        "10:40: optimizer.learning_rate: is 0.1 here, 0.05 in the run",
        "11:20: training.epochs: is 20 here, 30 in the run; it may be raised, not lowered",
    ]
    assert resume(path, config=workdir / "config.yaml")


def test_keys_that_are_not_there_differ_too(workdir, interrupted):
    """A section or a layer more, or one less."""
    path = interrupted("regularization.l2=0.1")
    with pytest.raises(ConfigError, match=r"regularization.l2: is 0.0 here, 0.1 in the run"):
        resume(path, config=workdir / "config.yaml")
    with pytest.raises(ConfigError, match=r"schedule.type: is \"exponential\" here, null in the run"):
        resume(path, overrides=("schedule=exponential",))


@pytest.mark.parametrize("stopped", [True, False])
def test_epochs_may_be_raised(workdir, interrupted, stopped):
    """The run ends as one that had so many epochs from the start, and run.json says how many there are."""
    path = interrupted(DROPOUT, "training.batch_size=16", steps=50 if stopped else 10**6)
    more = interrupted(DROPOUT, "training.batch_size=16", "training.epochs=50", steps=10**6, name="more")
    resume(path, overrides=("training.epochs=50",))
    record = json.loads((path / "run.json").read_bytes())
    assert record["spec"]["training"]["epochs"] == 50
    assert record["overrides"][2:] == ["training.epochs=50", "training.log_every=10"]
    assert {**contents(path), "run.json": b""} == {**contents(more), "run.json": b""}
    assert resume(path) == ["finished"]


def test_an_evaluation_of_fewer_epochs_finishes_nothing(workdir, interrupted):
    """As after a power cut between run.json with more epochs and the removal of evaluation.json."""
    path = interrupted(steps=10**6)
    more = interrupted("training.epochs=50", steps=10**6, name="more")
    old = (path / "evaluation.json").read_bytes()
    resume(path, Steps(3), overrides=("training.epochs=50",))
    (path / "evaluation.json").write_bytes(old)
    assert resume(path) != ["finished"]
    assert {**contents(path), "run.json": b""} == {**contents(more), "run.json": b""}


def test_raised_epochs_leave_the_schedule_and_the_rows_as_they_are(workdir, interrupted):
    """A schedule that was to end with training still ends there; a config that leaves both open agrees."""
    path = interrupted(WARM_COSINE, steps=10**6)
    (workdir / "more.yaml").write_text(
        (workdir / "config.yaml").read_text(encoding="utf-8").replace("epochs: 30, log_every: 10", "epochs: 60")
        + "schedule: {type: warmup, updates: 5, then: {type: cosine, lowest: 0.1}}\n",
        encoding="utf-8",
    )
    told = resume(path, config=workdir / "more.yaml")
    assert told == [f"{path}: resumed at epoch 30; 30 epochs become 60; the schedule ends where it did"]
    rows = (path / "metrics.csv").read_text(encoding="utf-8").splitlines()
    assert [row.split(",")[0] for row in rows[1:]] == ["0", "10", "20", "30", "40", "50", "60"]
    assert [float(row.split(",")[1]) for row in rows[-2:]] == [pytest.approx(0.005)] * 2


@pytest.mark.parametrize("changes", [(), ("training.early_stopping={metric: loss, patience: 8, min_delta: 1}",)])
def test_a_row_that_was_due_only_at_the_end_is_not_when_epochs_are_raised(interrupted, changes):
    """The former last epoch, off the interval, is no longer the last: its row goes, as if it had never been."""
    many = (*changes, "training.log_every=4")
    path = interrupted(*many, "training.epochs=10", steps=10**6)
    more = interrupted(*many, "training.epochs=20", steps=10**6, name="more")
    resume(path, overrides=("training.epochs=20",))
    assert {**contents(path), "run.json": b""} == {**contents(more), "run.json": b""}


class KilledError(BaseException):
    """Stands in for a signal that ends the process."""


OFF_INTERVAL = ("training.epochs=10", "training.log_every=4")
FULL = OSError(errno.ENOSPC, "No space left on device")
RAISED = {  # changes of the spec, numbers of epochs to which it is raised before, and how the raise ends
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
CALLS_OF_A_RAISE = 10  # checkpoint, run.json: copy, rename, folder each; evaluation.json, folder; metrics.csv, a row


class Faults:
    """Lets the calls of the system that change files go through up to one, which fails, as all later ones do."""

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
def test_a_raise_that_fails_loses_nothing(interrupted, monkeypatch, changes, before, error):
    """At whichever call: the run is finished as it was, or it is resumed to the bytes of one with so many epochs."""
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
        assert [check.words for check in verify(Run(copy)) if not check.holds] == [], calls
        if Run(copy).evaluation is not None:
            assert contents(copy) == results, calls
        resume(copy, overrides=("training.epochs=17",))
        assert contents(copy) == contents(raised), calls
        shutil.rmtree(copy)


def test_a_raise_is_refused_by_a_full_disk_before_anything_is_trained(interrupted, monkeypatch):
    """The checkpoint that the raise begins with does not fit: the run stays finished, with the weights it kept."""
    path = interrupted(*OFF_INTERVAL, steps=10**6)
    before = contents(path)
    steps = []
    monkeypatch.setattr(Trainer, "step", lambda *_: steps.append(1))
    monkeypatch.setattr(os, "fsync", mock.Mock(side_effect=FULL))
    with pytest.raises(StorageError, match="No space left on device"):
        resume(path, overrides=("training.epochs=20",))
    assert (contents(path), steps) == (before, [])


@pytest.mark.parametrize("changes", [(), ("training.log_every=5",)], ids=["off the interval", "on the interval"])
def test_a_raise_whose_checkpoint_does_not_fit_leaves_the_run_finished(interrupted, monkeypatch, changes):
    """Though run.json, which commits the raise, is small enough for the full disk."""
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
    assert resume(path) == ["finished"]


def test_a_raise_of_an_earlier_version_is_resumed_safely(interrupted):
    """It recorded the epochs first: before the row of the former last one is cut off, a checkpoint does without it."""
    path = interrupted(*OFF_INTERVAL, steps=10**6)
    record = json.loads((path / "run.json").read_bytes())
    record["spec"]["training"]["epochs"] = 17
    put_record(path / "run.json", record)
    with Resumption(path) as resumption:
        directory = resumption.reopen(Trainer(assemble(resumption.resolve_config(None, ()))))
        directory._metrics.close()  # killed here
    assert read_valid(Run(path), checkpoints(path)[-1])


@pytest.mark.parametrize("changes", [(), ("training.early_stopping={metric: loss, patience: 10, min_delta: 9}",)])
def test_a_raise_commits_before_the_evaluation_is_removed(interrupted, monkeypatch, changes):
    """Killed at whichever call, the run is finished exactly where run.json has the old number of epochs."""
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


def test_the_row_of_the_kept_weights_stays_when_epochs_are_raised(interrupted):
    """The former last epoch, off the interval, is the best one."""
    path = interrupted("training.early_stopping={metric: loss, patience: 8}", *OFF_INTERVAL, steps=10**6)
    assert Run(path).evaluation.epoch == 10
    resume(path, Steps(0), overrides=("training.epochs=17",))
    assert Run(path).metrics.row_of(10) is not None


def test_a_run_raised_off_the_interval_holds(interrupted, run_cli):
    """Also the older checkpoint, which was written at the former last epoch."""
    path = interrupted(*OFF_INTERVAL, steps=10**6)
    for epochs in (13, 17, 40):
        resume(path, overrides=(f"training.epochs={epochs}",))
        assert run_cli("verify", path).code == 0


def test_a_checkpoint_that_lost_its_row_to_an_earlier_version_holds(interrupted, run_cli):
    """nncli before 0.5 left it behind when the number of epochs was raised; one that counts most is still damaged."""
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


@pytest.mark.parametrize("overrides", SPECS.values(), ids=SPECS)
@pytest.mark.parametrize("steps", [5, 20])
def test_a_training_that_is_killed_within_an_epoch_loses_no_more_than_a_span(workdir, monkeypatch, overrides, steps):
    """Checkpoints are written within an epoch, by the clock, and the run ends in the same bytes."""
    loaded = load(workdir / "config.yaml", ("training.epochs=23", "training.checkpoint_seconds=0", *overrides))
    whole = contents(train(workdir / "runs", loaded, "whole", lambda: False))
    monkeypatch.setattr(training, "MACS_BETWEEN_YIELDS", 0)
    with monkeypatch.context() as patched:
        left, step = count(steps, -1), Trainer.step

        def killed(*arguments):
            if next(left) == 0:
                raise KilledError
            step(*arguments)

        patched.setattr(Trainer, "step", killed)
        with pytest.raises(KilledError):
            train(workdir / "runs", loaded, "killed", lambda: False)
    path = workdir / "runs" / "killed"
    assert unpack(checkpoints(path)[-1].read_bytes()).position.updates == steps
    resume(path)
    assert contents(path) == whole


def test_other_data_than_the_runs_is_not_trained_on(interrupted, run_cli, monkeypatch):
    """Where the points that are drawn now are others, the run does not go on, and nothing is changed."""
    path = interrupted()
    before = contents(path)
    monkeypatch.setattr(Spiral, "points", lambda source: spiral_data(source.samples + 1, 3))
    result = run_cli("train", "--resume", path)
    assert (result.code, contents(path)) == (4, before)
    assert "the training data drawn now is not what the run was trained on" in result.err


def test_what_the_system_does_not_let_us_read_is_not_taken_for_damage(interrupted, monkeypatch):
    """An input/output error says nothing of the checkpoint: it is told, and everything stays as it is."""
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


@pytest.mark.parametrize("word", [-1, 2**32, 0.5])
def test_a_random_state_that_is_none_is_damage(interrupted, word):
    """Words that no generator has, under a digest that fits: the older checkpoint is taken."""
    path = interrupted("rng=nnfs", DROPOUT)
    newest = checkpoints(path)[-1]
    known = unpack(newest.read_bytes())
    position = known.position.model_copy({"random": [word, *known.position.random[1:]]})
    newest.write_bytes(pack(position, known.vectors, known.identity))
    skipped, resumed = resume(path)
    assert "it is skipped" in skipped
    assert resumed == f"{path}: resumed at epoch 0"


@pytest.mark.parametrize("move", [lambda run: run.rename(run.with_name("moved")), lambda run: (run / "lock").unlink()])
def test_a_run_that_was_moved_is_written_to_no_more(workdir, run_cli, monkeypatch, move):
    """Another one may have its name by then: training ends with exit code 4, and what was written stays as it is."""
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
    assert "was moved, or its lock removed" in result.err
    assert [path.name for path in run.rglob("*.ckpt") if path.name != "00000000.ckpt"] == []


@pytest.mark.parametrize(
    ("owner", "name"),
    [(Lock, "require_held"), (storage, "_synced_copy"), (storage, "fsync_directory"), (AppendLog, "sync")],
)
def test_a_run_that_is_moved_at_any_write_is_no_failing_disk(workdir, run_cli, monkeypatch, owner, name):
    """Also where it is moved between the check of its lock and a write: exit code 4, and its files stay as they are."""
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
        assert "was moved, or its lock removed" in result.err
        shutil.rmtree(workdir / "moved")
    assert number > 3


def test_a_copy_by_hard_links_stays_as_it_is(interrupted):
    """metrics.csv, which is cut and grows, becomes a file of the run's own."""
    path = interrupted()
    shutil.copytree(path, path.with_name("snapshot"), copy_function=os.link)
    before = contents(path.with_name("snapshot"))
    resume(path)
    assert contents(path.with_name("snapshot")) == before


def test_a_new_name_is_for_a_new_run(interrupted, run_cli):
    """--resume with --name is a wrong command line."""
    assert run_cli("train", "--resume", interrupted(), "--name", "other").code == 2


def test_a_full_disk_is_told_with_the_command_that_goes_on(workdir, run_cli, monkeypatch):
    """In the middle of training, with exit code 5."""

    def full(log):
        raise StorageError("metrics.csv: No space left on device")

    monkeypatch.setattr(AppendLog, "sync", full)
    result = run_cli("train", "config.yaml", "-q")
    assert result.code == 5
    assert result.err == "metrics.csv: No space left on device; go on with: nncli train --resume runs/config\n"


def test_a_signal_at_the_last_epoch_lets_the_run_finish(workdir, run_cli, monkeypatch):
    """Nothing is left to interrupt: what is written is the end, and the exit code 0."""
    measured = Trainer._row

    def row(training):
        if training.epoch == training.settings.epochs:
            os.kill(os.getpid(), signal.SIGTERM)
        return measured(training)

    monkeypatch.setattr(Trainer, "_row", row)
    assert run_cli("train", "config.yaml", "-q").code == 0
    assert (workdir / "runs" / "config" / "evaluation.json").exists()


def test_a_signal_while_the_spec_is_read_is_a_wish(workdir, run_cli, monkeypatch):
    """It ends the training that would begin, with a checkpoint, and no library that is at work."""
    read = loading.load

    def signalled(*arguments):
        os.kill(os.getpid(), signal.SIGINT)
        return read(*arguments)

    monkeypatch.setattr(loading, "load", signalled)
    result = run_cli("train", "config.yaml", "-q")
    assert result.code == 130
    assert result.err.startswith("runs/config: interrupted by SIGINT at epoch 0; go on with: ")


def test_a_second_signal_is_told_with_the_command_that_goes_on(workdir, run_cli, monkeypatch):
    """Ctrl-C that does not wait for the batch: what the last checkpoint holds is there."""
    step = Trainer.step

    def stopped(training, *rows):
        if training.epoch == 5:
            raise KeyboardInterrupt
        return step(training, *rows)

    monkeypatch.setattr(Trainer, "step", stopped)
    result = run_cli("train", "config.yaml", "-q")
    assert result.code == 130
    assert result.err == "runs/config: stopped at once; go on with: nncli train --resume runs/config\n"


def test_a_config_may_have_any_name(workdir, interrupted, run_cli):
    """One with an equals sign in it is no override where it is a file."""
    (workdir / "a=b.yaml").write_bytes((workdir / "config.yaml").read_bytes())
    assert run_cli("train", "--resume", interrupted(), "a=b.yaml", "-q").code == 0


def test_another_machine_is_told(interrupted):
    """Versions, BLAS and vector instructions that differ from those of the start may round differently."""
    path = interrupted()
    record = json.loads((path / "run.json").read_bytes())
    assert record["blas"]["kernels"]
    record["versions"]["numpy"], record["simd"], record["blas"]["kernels"] = "1.0.0", {"found": ["SSE"]}, ["old"]
    put_record(path / "run.json", record)
    _, warning = resume(path)
    assert warning.endswith("another numpy, BLAS, vector instructions than at its start")
    assert "the last bits may differ" in warning


def test_what_a_killed_process_left_is_swept_away(workdir, interrupted):
    """Copies that never got their names, in the run and beside its checkpoints; nothing else."""
    path = interrupted()
    for name in (".metrics.csv.0123abcd", "checkpoints/.00000030.ckpt.89abcdef", "notes.txt", ".hidden"):
        (path / name).write_bytes(b"x")
    resume(path)
    assert not (path / ".metrics.csv.0123abcd").exists()
    assert not (path / "checkpoints" / ".00000030.ckpt.89abcdef").exists()
    assert (path / "notes.txt").exists()
    assert (path / ".hidden").exists()


def test_a_new_run_sweeps_deserted_folders_away(workdir, interrupted):
    """Those that a killed start has left; one that is being filled, whose lock is held, stays."""
    runs = workdir / "runs"
    deserted, filling, foreign = (f".new-{name}" for name in ("0123456789abcdef", "f" * 16, "design"))
    for name in (deserted, filling, foreign):
        (runs / name).mkdir(parents=True)
        (runs / name / "lock").touch()
    lock = Lock(runs / filling / "lock")
    interrupted()
    assert sorted(path.name for path in runs.iterdir()) == sorted([foreign, filling, "stopped"])
    lock.release()
