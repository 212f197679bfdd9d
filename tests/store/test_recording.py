"""Snapshots and health of a run that is resumed, extended, damaged or old: the bytes of an uninterrupted run."""

import json
import os
import shutil
from itertools import count
from types import SimpleNamespace

import numpy as np
import pytest

import nncli
from nncli.errors import CommandLineError, RunError, UnsupportedVersionError
from nncli.experiment.assembly import assemble
from nncli.experiment.loading import load
from nncli.inference.predictor import Predictor
from nncli.runner import resume as resume_runner
from nncli.store.run_reader import Run
from nncli.store.run_recording import require_epoch
from nncli.store.snapshots import kept
from nncli.training.loop import Trainer
from tests.conftest import ROOT
from tests.examples import put_record, train_config

pytestmark = pytest.mark.slow

RECORDED = ("snapshots.npz", "health.csv")
OFTEN = ("training.epochs=23", "training.log_every=1", "training.checkpoint_seconds=0", "training.batch_size=16")
OLD = ROOT / "tests" / "compatibility" / "runs_0_4_1"


class KilledError(BaseException):
    """Takes the place of a signal that kills the process."""


@pytest.fixture
def trained(workdir):
    """Train the small config with some values changed."""

    def run(*overrides, name="whole", stop=lambda: False):
        return train_config(workdir / "config.yaml", overrides, name=name, stop=stop).path

    return run


def contents(path):
    return {name: (path / name).read_bytes() for name in RECORDED}


def resume(path, *overrides):
    """Resume a run to its end; returns the messages."""
    messages = []
    resume_runner.resume(path, overrides, report=messages.append)
    return messages


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
def test_run_killed_at_any_write_ends_in_the_same_bytes(workdir, trained, monkeypatch, limit):
    """Also between the snapshots and the checkpoint, when the file has been thinned further."""
    overrides = (*OFTEN, f"training.snapshots={limit}")
    expected = contents(trained(*overrides))
    replace = os.replace
    for calls in (10, 13, 17, 22):
        left = count(calls, -1)

        def killed(*arguments, left=left):
            if next(left) <= 0:
                raise KilledError
            replace(*arguments)

        with monkeypatch.context() as patched:
            patched.setattr(os, "replace", killed)
            with pytest.raises(KilledError):
                trained(*overrides, name=f"killed{calls}")
        path = workdir / "runs" / f"killed{calls}"
        resume(path)
        assert contents(path) == expected, calls


@pytest.mark.parametrize("limit", [0, 1, 2, 5, 100])
def test_snapshots_are_the_weights_at_the_logged_epochs(workdir, trained, limit):
    """By an independent training; the final weights are there in any case."""
    path = trained(*OFTEN, f"training.snapshots={limit}")
    trainer = Trainer(assemble(load(workdir / "config.yaml", OFTEN).config))
    values = {epoch.number: trainer.network.parameters.values.copy() for epoch in trainer.epochs()}
    run, parameters = Run(path), trainer.network.parameters
    assert (path / "snapshots.npz").exists() == (limit > 0)
    assert list(run.snapshots) == sorted({*kept(range(24), limit), 23})
    for epoch in run.snapshots:
        assert run.load_weights(parameters, epoch) == epoch
        assert parameters.values.tobytes() == values[epoch].tobytes()


def test_predictions_at_an_epoch_are_those_of_a_shorter_run(trained):
    """In the API and with a Predictor; the metrics are those of its row."""
    path, shorter = trained(), trained("training.epochs=20", name="shorter")
    rows = [[0.3, 0.4], [-0.1, 0.9]]
    run = nncli.load(path, epoch=20)
    assert np.array_equal(run.predict(rows), nncli.load(shorter).predict(rows))
    assert np.array_equal(Predictor(Run(path), 20).predict(rows), nncli.load(shorter).predict(rows))
    metrics = run.evaluate(["validation"])["validation"]["metrics"]
    index = run.metrics["epoch"].tolist().index(20)
    assert metrics["loss"] == run.metrics["validation_loss"][index]
    with pytest.raises(CommandLineError, match="no weights of epoch 5; the nearest are those of 0, 10, 20, 30"):
        nncli.load(path, epoch=5)


def test_health_is_a_table_of_the_logged_epochs(trained):
    """In the API by the names of the columns, with the ratio of updates and weights."""
    run = nncli.load(trained())
    assert run.health["epoch"].tolist() == run.metrics["epoch"].tolist() == [0, 10, 20, 30]
    ratio = run.health["layers.0.update_norm"] / run.health["layers.0.weight_norm"]
    assert np.array_equal(run.health["layers.0.update_ratio"], ratio, equal_nan=True)
    assert all(np.isfinite(values[1:]).all() for values in run.health.values())


@pytest.mark.parametrize("name", RECORDED)
@pytest.mark.parametrize("damage", ["missing", "empty", "link", "directory"])
def test_damaged_file_is_reported_and_training_continues(trained, name, damage):
    """The results are those of an undamaged run; the resume and verify report what was lost."""
    whole = trained(*OFTEN)
    polls = count(20, -1)
    path = trained(*OFTEN, name="stopped", stop=lambda: next(polls) <= 0)
    file = path / name
    file.unlink()
    if damage == "empty":
        file.write_bytes(b"")
    elif damage == "link":
        file.symlink_to(whole / name)
    elif damage == "directory":
        file.mkdir()
    message = next(message for message in resume(path) if name in message)
    assert message.endswith("; training continues without what was recorded there")
    assert (path / "metrics.csv").read_bytes() == (whole / "metrics.csv").read_bytes()
    assert (path / "weights.npz").read_bytes() == (whole / "weights.npz").read_bytes()
    assert (path / f"{name}.damaged").exists() == (damage != "missing")
    assert 23 in (Run(path).snapshots if name == "snapshots.npz" else Run(path).health.epochs.tolist())


def test_run_that_lost_rows_is_resumed_with_the_others(trained):
    """A row in the middle is damaged: those before it stay."""
    polls = count(60, -1)
    path = trained(*OFTEN, stop=lambda: next(polls) <= 0)
    file = path / "health.csv"
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join([*lines[:3], b"x" + lines[3][1:], *lines[4:]]))
    logged = len(lines) - 1
    expected = f"health.csv: has no rows of {logged - 2} logged epochs: line 4: 'x"
    assert any(expected in message for message in resume(path))
    assert Run(path).health.epochs.tolist()[:2] == [0, 1]


@pytest.mark.parametrize("name", RECORDED)
def test_file_of_a_newer_version_is_neither_read_nor_replaced(trained, name):
    """It is no damage: a newer version of nncli can continue it."""
    polls = count(20, -1)
    path = trained(*OFTEN, stop=lambda: next(polls) <= 0)
    record, before = json.loads((path / "run.json").read_bytes()), contents(path)
    put_record(path / "run.json", record | {"formats": record["formats"] | {name: 2}})
    message = rf"{name}: has format version 2, and nncli \S+ reads up to 1; use a newer version of nncli"
    with pytest.raises(UnsupportedVersionError, match=message):
        resume(path)
    with pytest.raises(UnsupportedVersionError, match=message):
        getattr(Run(path), name.partition(".")[0])
    assert contents(path) == before


def test_single_lost_row_is_reported(trained):
    """A run without snapshots has no others to miss."""
    polls = count(60, -1)
    path = trained(*OFTEN, "training.snapshots=0", stop=lambda: next(polls) <= 0)
    file = path / "health.csv"
    file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:-1]))
    assert [each.partition("health.csv: ")[2] for each in resume(path) if "training continues" in each] == [
        "has no rows of 1 logged epoch; training continues without them"
    ]


def test_nearest_epochs_are_on_both_sides():
    """Four of them, in their order."""
    message = "run: has no weights of epoch 62; the nearest are those of 50, 60, 70, 80"
    with pytest.raises(CommandLineError, match=message):
        require_epoch(SimpleNamespace(path="run"), range(0, 101, 10), 62)


def test_finished_run_without_its_files_cannot_be_read_but_evaluated(trained):
    """The files that results depend on are there."""
    path = trained()
    for name in RECORDED:
        (path / name).unlink()
    run = Run(path)
    assert run.evaluation is not None
    with pytest.raises(RunError, match=r"snapshots.npz: missing"):
        assert run.snapshots
    with pytest.raises(RunError, match=r"health.csv: missing"):
        assert run.health


@pytest.mark.parametrize("name", RECORDED)
def test_verify_finds_damage(trained, run_cli, name):
    """Lacking epochs, other weights than the final ones, and a missing file."""
    path, fewer = trained(), trained("training.epochs=20", name="fewer")
    assert run_cli("verify", path).code == 0
    shutil.copy(fewer / name, path / name)
    result = run_cli("verify", path)
    assert result.code == 4
    assert f"{name}: lacks 1 logged epoch from epoch 30 on" in " ".join(result.out.split())
    (path / name).unlink()
    assert f"{name}: missing" in " ".join(run_cli("verify", path).out.split())


def test_verify_compares_the_last_snapshot_with_the_final_weights(trained, run_cli):
    """Snapshots of another run of the same shapes."""
    path, other = trained(), trained("seed=1", name="other")
    shutil.copy(other / "snapshots.npz", path / "snapshots.npz")
    text = " ".join(run_cli("verify", path).out.split())
    assert "snapshots.npz: the weights of epoch 30 are not those in weights.npz" in text


def test_diverged_run_has_what_was_recorded_before(workdir, run_cli):
    """Its plots show how training diverged."""
    diverging = ("optimizer={type: sgd, learning_rate: 1e30}", "training.log_every=1")
    assert run_cli("train", "config.yaml", *diverging).code == 7
    run = Run(workdir / "runs" / "config")
    assert list(run.snapshots) == run.health.epochs.tolist() == run.metrics.column("epoch").tolist()


@pytest.mark.parametrize("name", ["classification", "interrupted_between_epochs"])
def test_old_run_has_no_recording(tmp_path, name):
    """Empty without an error, except for the final weights; a resume records nothing either."""
    path = tmp_path / name
    shutil.copytree(OLD / name, path)
    run = Run(path)
    assert run.health.epochs.tolist() == []
    assert list(run.snapshots) == ([] if run.evaluation is None else [run.evaluation.epoch])
    resume(path)
    assert not any((path / each).exists() for each in RECORDED)


def test_default_is_as_many_as_fit(workdir):
    """2 MB of arrays, and none if only the untrained weights would fit; a given number is kept."""
    wide = "layers[0].units={}"

    def snapshots(*overrides):
        return load(workdir / "config.yaml", overrides).config.training.snapshots

    assert snapshots() == 2_000_000 // (4 * (2 * 8 + 8 + 8 * 3 + 3))
    assert snapshots("dtype=float64") == 2_000_000 // (8 * 51)
    assert snapshots(wide.format(41_000)) == 2
    assert snapshots(wide.format(42_000)) == 0
    assert snapshots(wide.format(42_000), "training.snapshots=3") == 3
