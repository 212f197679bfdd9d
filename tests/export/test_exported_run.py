"""What is exported of a run."""

import os
from dataclasses import replace

import pytest

from nncli.analysis.run_list import run_listing
from nncli.errors import RunError
from nncli.export.exported_run import _parameters, exported_run
from nncli.store.run_reader import Run
from nncli.store.run_status import RunStatus


def test_run_has_its_name_parameters_and_notes(runs, listed):
    """The number of epochs is no parameter, since a resume may raise it."""
    run = exported_run(listed["tested"])
    assert (run.name, run.group, run.status, run.epochs) == ("tested", "runs", RunStatus.FINISHED, 30)
    assert (run.note, run.tags, run.identity) == ("the baseline ✓", ["paper", "spiral"], Run(runs / "tested").identity)
    assert "training.epochs" not in run.parameters
    assert (run.final[0], set(run.final[1])) == (30, {"test_loss", "test_accuracy"})
    assert run.parameters["test.samples"] == 10
    assert run.parameters["metrics.0.type"] == "accuracy"
    assert None not in run.parameters.values()


def test_trial_has_the_name_of_its_group(runs, listed, monkeypatch):
    """Also if it is listed from within the group."""
    assert exported_run(listed["seeds/0001"]).name == "seeds/0001"
    monkeypatch.chdir(runs / "seeds")
    run = exported_run(run_listing(runs / "seeds" / "0001"))
    assert (run.name, run.group) == ("seeds/0001", "seeds")


def test_times_of_epochs_are_between_those_of_the_files(runs, listed):
    """The first and the last of them."""
    for name, time in {"config.original.yaml": 1100, "run.json": 1000, "metrics.csv": 1300}.items():
        os.utime(runs / "tested" / name, (time, time))
    run = exported_run(listed["tested"])
    assert (run.started, run.ended, run.time(0), run.time(10), run.time(30)) == (1000, 1300, 1000, 1100, 1300)


def test_names_of_parameters_have_allowed_characters():
    """Those that MLflow allows; others are replaced, and there is no parameter without a value."""
    config = {"a": {"b%=": 1, "c d/e": None}, "f": [True, {"g": "h"}]}
    assert list(_parameters(config, "")) == [("a.b__", 1), ("f.0", True), ("f.1.g", "h")]


def test_a_run_without_rows_has_times(listed):
    """As one that was interrupted in its first epoch, or has only its initial metrics."""
    run = exported_run(listed["tested"])
    for rows in ([], [(0, {"loss": 1.0})]):
        without = replace(run, rows=rows, started=10.0, ended=20.0)
        assert (without.time(0), without.time(1)) == (10, 20)


def test_removed_run_is_reported(listed, runs):
    """As one that cannot be read."""
    (runs / "tested" / "metrics.csv").unlink()
    with pytest.raises(RunError, match=r"metrics\.csv: missing"):
        exported_run(listed["tested"])
