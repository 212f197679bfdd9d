"""Writing a run directory: which files, and in which order."""

import csv
import hashlib
import io
import json
import math
from zipfile import ZipFile

import numpy as np
import pytest

from nncli.errors import BusyError, DivergedError, StorageError
from nncli.experiment.assembly import assemble
from nncli.experiment.loading import load
from nncli.store import atomic_write as storage
from nncli.store.append_log import AppendLog
from nncli.store.checkpoint import unpack
from nncli.store.lock import is_locked
from nncli.store.run_writer import RunWriter, name_from
from nncli.training.loop import Trainer
from tests.examples import BINARY, LATE_TEST, NORMALIZED, SINE, WARM_COSINE

STARTED = ["checkpoints", "config.original.yaml", "config.yaml", "health.csv", "lock", "metrics.csv", "run.json"]
FILES = sorted([*STARTED, "evaluation.json", "snapshots.npz", "weights.npz"])


@pytest.fixture
def trained(workdir, run_cli):
    """Train the small config with some values changed; returns the run directory."""

    def run(*arguments):
        result = run_cli("train", "config.yaml", "--quiet", *arguments)
        assert result.code == 0, result.err
        return workdir / result.out.strip()

    return run


@pytest.fixture
def prepared(workdir):
    """Create a run directory for the small config with some values changed, before its first epoch."""

    def prepare(*overrides):
        loaded = load(workdir / "config.yaml", overrides)
        return RunWriter.create(workdir / "runs", "run", loaded, Trainer(assemble(loaded.config)))

    return prepare


def names(directory):
    return sorted(path.name for path in directory.iterdir())


def strict(path):
    """A JSON file in which NaN and Infinity are errors."""

    def refuse(constant):
        raise AssertionError(f"{path.name} holds {constant}")

    return json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)


def rows(path):
    return list(csv.DictReader(io.StringIO((path / "metrics.csv").read_text(encoding="utf-8"))))


def checkpoints(path):
    return {file.name: unpack(file.read_bytes()) for file in sorted((path / "checkpoints").iterdir())}


def test_finished_run_has_its_files_only(trained):
    """Ten names, no hidden file, in a directory that holds nothing else."""
    path = trained()
    assert names(path) == FILES
    assert names(path.parent) == ["config"]
    assert names(path / "checkpoints") == ["00000000.ckpt", "00000030.ckpt"]


def test_config_is_kept_as_given_and_as_trained(workdir, trained):
    """Comments, line ends and a missing last newline are preserved; overrides are in config.yaml and run.json."""
    text = (workdir / "config.yaml").read_bytes().rstrip() + b" # caf\xc3\xa9\r\n  # end"
    (workdir / "config.yaml").write_bytes(text)
    path = trained("seed=4", "training.epochs=2")
    assert (path / "config.original.yaml").read_bytes() == text
    changed = text.replace(b"seed: 0", b"seed: 4").replace(b"epochs: 30", b"epochs: 2")
    assert (path / "config.yaml").read_bytes() == changed
    assert strict(path / "run.json")["overrides"] == ["seed=4", "training.epochs=2"]


def test_run_json_records_what_a_result_depends_on(workdir, trained):
    """Format, resolved config, parameters, data and versions."""
    description = strict(trained("seed=4") / "run.json")
    loaded = load(workdir / "config.yaml", ("seed=4",))
    made = assemble(loaded.config)
    assert description["format"] == 2
    assert description["spec"] == loaded.config.model_dump()
    assert description["parameters"] == [
        {"name": name, "shape": list(shape), "dtype": "<f4"} for name, shape in made.network.parameters.shapes.items()
    ]
    assert description["data"] == {
        name: {"rows": 60, "columns": 2, "classes": 3, "sha256": data.fingerprint()} for name, data in made.data.items()
    }
    assert description["versions"]["numpy"] == np.__version__
    assert description["blas"]["name"]
    assert description["simd"]


def test_metrics_csv_has_one_row_per_logged_epoch(trained):
    """The header names every column, and the values have full precision."""
    path = trained()
    header = "epoch,learning_rate,loss,data_loss,regularization_loss,accuracy,validation_loss,validation_accuracy"
    assert (path / "metrics.csv").read_text(encoding="utf-8").splitlines()[0] == header
    assert [row["epoch"] for row in rows(path)] == ["0", "10", "20", "30"]
    assert all(repr(float(value)) == value for row in rows(path) for name, value in row.items() if name != "epoch")


def test_weights_npz_holds_plain_arrays(trained):
    """Names, shapes and dtype are those of the parameter list; no pickles."""
    with np.load(trained() / "weights.npz", allow_pickle=False) as arrays:
        shapes = {name: (array.shape, array.dtype.str) for name, array in arrays.items()}
    assert shapes == {
        "layers.0.weights": ((2, 8), "<f4"),
        "layers.0.biases": ((8,), "<f4"),
        "layers.2.weights": ((8, 3), "<f4"),
        "layers.2.biases": ((3,), "<f4"),
    }


def test_evaluation_json_belongs_to_the_weights(trained):
    """Size and checksum are those of weights.npz, and the metrics those of the last row."""
    path = trained("test={type: spiral, samples: 10}")
    evaluation, weights = strict(path / "evaluation.json"), (path / "weights.npz").read_bytes()
    assert evaluation["weights"] == {"bytes": len(weights), "sha256": hashlib.sha256(weights).hexdigest()}
    assert (evaluation["format"], evaluation["epoch"], evaluation["epochs_trained"]) == (2, 30, 30)
    assert list(evaluation["splits"]) == ["training", "validation", "test"]
    last = rows(path)[-1]
    assert evaluation["splits"]["training"] == {
        name: float(last[name]) for name in ("loss", "data_loss", "regularization_loss", "accuracy")
    }
    assert evaluation["splits"]["validation"] == {
        name: float(last[f"validation_{name}"]) for name in ("loss", "accuracy")
    }


def test_early_stopping_writes_the_best_weights_and_their_metrics(trained):
    """weights.npz and evaluation.json are of the best epoch, whose row has the same values."""
    path = trained("training.early_stopping={metric: loss, min_delta: 100, patience: 20}")
    evaluation = strict(path / "evaluation.json")
    assert (evaluation["epoch"], evaluation["epochs_trained"]) == (0, 20)
    assert evaluation["splits"]["training"]["loss"] == float(rows(path)[0]["loss"])
    first = checkpoints(path)["00000000.ckpt"].state.vectors["values"]
    with np.load(path / "weights.npz") as arrays:
        assert np.array_equal(np.concatenate([array.ravel() for array in arrays.values()]), first)


def test_last_checkpoint_has_the_last_weights(prepared):
    """Early stopping restores the best weights after the checkpoint, from which training can be resumed."""
    with prepared("training.early_stopping={metric: loss, min_delta: 100, patience: 20}") as directory:
        network, reached = directory.trainer.network, None
        for _ in directory.record():
            reached = network.parameters.values.copy()
        directory.finish()
    newest = list(checkpoints(directory.path).values())[-1]
    assert newest.state.epoch == 20
    assert np.array_equal(newest.state.vectors["values"], reached)


def test_state_that_is_not_finite_is_not_saved(prepared):
    """If the optimizer state has a NaN, the last finite checkpoint stays the last."""
    with prepared() as directory:
        before = checkpoints(directory.path)
        directory.trainer.optimizer.state["squares"][0] = np.nan
        with pytest.raises(DivergedError, match=r"the optimizer's squares of layers\.0\.weights is no longer finite"):
            directory.save()
        assert list(checkpoints(directory.path)) == list(before)


def test_default_name_is_numbered_if_taken(trained):
    """The stem of the config, then with -2, -3; the earlier runs are not changed."""
    first = trained()
    before = {path.name: path.read_bytes() for path in first.iterdir() if path.is_file()}
    assert [trained().name, trained().name] == ["config-2", "config-3"]
    assert {path.name: path.read_bytes() for path in first.iterdir() if path.is_file()} == before


def test_given_name_is_not_numbered(workdir, run_cli, trained):
    """The second time it is exit code 6, and nothing is trained."""
    assert trained("--name", "mine").name == "mine"
    second = run_cli("train", "config.yaml", "--name", "mine")
    assert second.code == 6
    assert "already exists" in second.err
    assert "epoch" not in second.err
    assert names(workdir / "runs") == ["mine"]


@pytest.mark.parametrize("name", ["a/b", "..", ".", ".hidden", "-x", "a b", "a" * 201, "日" * 67, "a\n", "x[1]"])
def test_invalid_name_is_rejected(workdir, run_cli, name):
    """Exit code 2, and no directory is created."""
    result = run_cli("train", "config.yaml", f"--name={name}")
    assert result.code == 2
    assert "invalid run name" in result.err
    assert not (workdir / "runs").exists()


@pytest.mark.parametrize(
    ("stem", "name"),
    [
        ("spiral", "spiral"),
        ("my config (1)", "my-config-1-"),
        ("größe", "größe"),
        (".hidden", "hidden"),
        ("?!", "run"),
        ("x" * 250, "x" * 180),
    ],
)
def test_run_is_named_after_its_config(tmp_path, stem, name):
    """The stem, with '-' for characters that a name cannot have."""
    assert name_from(tmp_path / f"{stem}.yaml") == name


def test_concurrent_starts_get_two_names(prepared, workdir, monkeypatch):
    """The first to commit gets the name, the other one a number."""
    publish = storage.commit

    def slow(directory, target):
        if target.name == "run":
            target.mkdir()
        return publish(directory, target)

    monkeypatch.setattr(storage, "commit", slow)
    with prepared() as directory:
        assert directory.path.name == "run-2"
    assert names(workdir / "runs") == ["run", "run-2"]
    assert names(workdir / "runs" / "run") == []


def test_given_name_that_is_taken_meanwhile_is_busy(workdir, monkeypatch):
    """No staging directory is left."""
    monkeypatch.setattr(storage, "commit", lambda directory, target: False)
    loaded = load(workdir / "config.yaml")
    with pytest.raises(BusyError, match="already exists"):
        RunWriter.create(workdir / "runs", "run", loaded, Trainer(assemble(loaded.config)), numbered=False)
    assert names(workdir / "runs") == []


def test_run_directory_is_created_atomically(prepared, workdir):
    """Before the first epoch every file that a reader needs is there, with a checkpoint of the start."""
    with prepared() as directory:
        assert names(directory.path) == STARTED
        start = checkpoints(directory.path)["00000000.ckpt"]
        assert start.metrics_bytes == (directory.path / "metrics.csv").stat().st_size
        assert is_locked(directory.path / "lock")
    assert not is_locked(directory.path / "lock")


def test_finish_writes_in_a_fixed_order(prepared, monkeypatch):
    """Logs are synced, the checkpoint is written, the oldest removed, then the weights, then the evaluation."""
    with prepared("training.checkpoint_seconds=0") as directory:
        list(directory.record())
        calls, put, remove = [], storage.write_atomic, storage.remove
        directory.trainer.optimizer.updates += 1  # a checkpoint of its own
        monkeypatch.setattr(
            storage, "write_atomic", lambda path, data: (calls.append(f"put {path.name}"), put(path, data))
        )
        monkeypatch.setattr(storage, "remove", lambda path: (calls.append(f"remove {path.name}"), remove(path)))
        monkeypatch.setattr(AppendLog, "sync", lambda log: calls.append(f"sync {log.path.name}"))
        directory.finish()
    first, last = (
        ["sync metrics.csv", "sync health.csv", "put 00000031.ckpt"],
        ["put weights.npz", "put evaluation.json"],
    )
    assert calls == [*first, "remove 00000020.ckpt", *last]


def test_two_checkpoints_are_kept(prepared):
    """Always the newest, each with the length of the metrics that it depends on."""
    with prepared("training.checkpoint_seconds=0", "training.epochs=5", "training.log_every=1") as directory:
        for epoch in directory.record():
            kept = checkpoints(directory.path)
            newest = max(kept)
            assert list(kept) == [f"{number:08}.ckpt" for number in range(max(0, epoch.number - 1), epoch.number + 1)]
            assert kept[newest].state.epoch == epoch.number
            assert kept[newest].metrics_bytes == (directory.path / "metrics.csv").stat().st_size
            assert np.array_equal(kept[newest].state.vectors["values"], directory.trainer.network.parameters.values)


def test_checkpoint_names_with_nine_digits_are_newest(prepared):
    """After a hundred million updates the newest checkpoint is kept."""
    with prepared() as directory:
        for updates in (99_999_998, 99_999_999, 100_000_000):
            directory.trainer.optimizer.updates = updates
            directory.save()
        assert "100000000.ckpt" in names(directory.path / "checkpoints")


@pytest.mark.parametrize("number", range(4))
def test_failed_write_of_a_new_run_leaves_no_directory(workdir, run_cli, monkeypatch, number):
    """Whichever of the first files the disk refuses: exit code 5, and no directory, hidden or not."""
    put, calls = storage.write_atomic, []

    def refuse(path, data):
        calls.append(path.name)
        if len(calls) > number:
            raise StorageError(f"{path}: No space left on device")
        put(path, data)

    monkeypatch.setattr(storage, "write_atomic", refuse)
    result = run_cli("train", "config.yaml")
    assert result.code == 5
    assert f"{calls[number]}: No space left on device" in result.err
    assert names(workdir / "runs") == []


@pytest.mark.parametrize("failing", ["weights.npz", "evaluation.json"])
def test_run_is_not_finished_before_its_last_file(workdir, run_cli, monkeypatch, failing):
    """A disk that is full at the end leaves a run that can be read and is not evaluated."""
    put = storage.write_atomic

    def refuse(path, data):
        if path.name == failing:
            raise StorageError(f"{path}: No space left on device")
        put(path, data)

    monkeypatch.setattr(storage, "write_atomic", refuse)
    assert run_cli("train", "config.yaml").code == 5
    assert not (workdir / "runs" / "config" / "evaluation.json").exists()
    evaluated = run_cli("evaluate", "config", "--json")
    assert evaluated.code == 0
    assert json.loads(evaluated.out)["status"] == "not evaluated"


def test_diverged_run_ends_with_a_row_of_nan(workdir, run_cli):
    """The last row has the epoch, there are no final weights, and all earlier rows are finite."""
    result = run_cli("train", "config.yaml", "optimizer={type: sgd, learning_rate: 1e30}", "training.log_every=1")
    assert result.code == 7
    path = workdir / "runs" / "config"
    *before, last = rows(path)
    assert f"epoch {last.pop('epoch')}: " in result.err
    assert set(last.values()) == {"nan"}
    assert before
    assert all(math.isfinite(float(value)) for row in before for value in row.values())
    assert names(path) == sorted([*STARTED, "snapshots.npz"])


def test_equal_weights_are_equal_files(trained):
    """The entries of an NPZ file have no time stamp."""
    first, second = (trained() / "weights.npz" for _ in range(2))
    assert first.read_bytes() == second.read_bytes()
    with ZipFile(first) as file:
        assert {entry.date_time for entry in file.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_row_of_nan_is_synced(workdir, run_cli, monkeypatch):
    """A training that diverges syncs its last row before it ends."""
    synced = []
    sync = AppendLog.sync
    monkeypatch.setattr(AppendLog, "sync", lambda log: (synced.append(log.path.read_bytes()), sync(log)))
    assert run_cli("train", "config.yaml", "optimizer={type: sgd, learning_rate: 1e30}", "-q").code == 7
    metrics, _ = synced[-2:]  # health.csv is synced after it
    assert metrics.splitlines()[-1].endswith(b",nan,nan")


def test_running_statistics_are_saved_like_weights(trained):
    """They are in the parameter list and in weights.npz, after the trainable parameters."""
    path = trained(*NORMALIZED)
    listed = {each["name"]: each["shape"] for each in strict(path / "run.json")["parameters"]}
    with np.load(path / "weights.npz", allow_pickle=False) as arrays:
        assert {name: list(array.shape) for name, array in arrays.items()} == listed
        assert listed["layers.1.scale"] == listed["layers.1.running_mean"] == [8]
        assert arrays["layers.1.running_mean"].all()
        assert (arrays["layers.1.running_variance"] != 1).all()
        assert (arrays["layers.1.running_variance"] > 0).all()
    assert [name for name in listed if "running" in name] == ["layers.1.running_mean", "layers.1.running_variance"]
    assert list(listed)[-2:] == ["layers.1.running_mean", "layers.1.running_variance"]


@pytest.mark.parametrize(
    ("changes", "metrics"),
    [
        (SINE, "r2,mean_absolute_error,root_mean_squared_error,regression_accuracy"),
        (BINARY, "accuracy,precision,recall,f1,auc"),
        ((*BINARY, "metrics=[auc]"), "auc"),
    ],
)
def test_metrics_csv_has_the_metrics_of_the_task(trained, changes, metrics):
    """The header is the losses and the metrics of the task, without and with the prefix of the split."""
    header = (trained(*changes) / "metrics.csv").read_text(encoding="utf-8").splitlines()[0]
    held_out = ",".join(f"validation_{name}" for name in ["loss", *metrics.split(",")])
    assert header == f"epoch,learning_rate,loss,data_loss,regularization_loss,{metrics},{held_out}"


def test_regression_data_has_no_classes(trained):
    """run.json has null."""
    data_record = strict(trained(*SINE) / "run.json")["data"]
    assert [(name, each["rows"], each["columns"], each["classes"]) for name, each in data_record.items()] == [
        ("training", 40, 1, None),
        ("validation", 29, 1, None),
    ]


def test_resolved_schedule_is_recorded(trained):
    """run.json has the end that was filled in, and null for the component that was left out."""
    spec = strict(trained(WARM_COSINE, "training.batch_size=16") / "run.json")["spec"]
    assert spec["schedule"]["then"] == {"type": "cosine", "updates": 4 * 30 - 5, "lowest": 0.1}
    assert spec["clipping"] is None


def test_test_set_sampled_after_training_is_in_evaluation_json(trained):
    """With its rows and fingerprint; run.json does not have it."""
    path = trained(*LATE_TEST)
    assert list(strict(path / "run.json")["data"]) == ["training", "validation"]
    evaluation = strict(path / "evaluation.json")
    assert list(evaluation["splits"]) == ["training", "validation", "test"]
    data_record = evaluation["data"]["test"]
    assert list(evaluation["data"]) == ["test"]
    assert (data_record["rows"], data_record["columns"], data_record["classes"]) == (30, 2, 3)
    assert len(data_record["sha256"]) == 64


@pytest.mark.parametrize("changes", [("test={type: spiral, samples: 10}",), (*LATE_TEST, "test.seed=5")])
def test_test_set_sampled_before_training_is_in_run_json(trained, changes):
    """With derived generators, or a seed of its own; evaluation.json does not repeat it."""
    path = trained(*changes)
    assert list(strict(path / "run.json")["data"]) == ["training", "validation", "test"]
    assert strict(path / "evaluation.json")["data"] == {}
