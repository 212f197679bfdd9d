"""What is exported of a run."""

import pytest

from nncli.analysis.run_list import run_listing
from nncli.errors import RunError
from nncli.export.exported_run import exported_run
from nncli.store.run_reader import Run
from nncli.store.run_status import RunStatus


def test_run_has_its_name_parameters_and_notes(runs, listed):
    """The number of epochs is no parameter, since a resume may raise it."""
    run = exported_run(listed["tested"])
    assert (run.name, run.group, run.status, run.epochs) == ("tested", "runs", RunStatus.FINISHED, 30)
    assert (run.note, run.tags, run.identity) == ("the baseline ✓", ["paper", "spiral"], Run(runs / "tested").identity)
    assert "training.epochs" not in run.parameters
    assert run.parameters["test.samples"] == 10
    assert run.parameters["metrics.0.type"] == "accuracy"
    assert None not in run.parameters.values()


def test_trial_has_the_name_of_its_group(runs, listed, monkeypatch):
    """Also if it is listed from within the group."""
    assert exported_run(listed["seeds/0001"]).name == "seeds/0001"
    monkeypatch.chdir(runs / "seeds")
    run = exported_run(run_listing(runs / "seeds" / "0001"))
    assert (run.name, run.group) == ("seeds/0001", "seeds")


def test_removed_run_is_reported(listed, runs):
    """As one that cannot be read."""
    (runs / "tested" / "metrics.csv").unlink()
    with pytest.raises(RunError, match=r"metrics\.csv: missing"):
        exported_run(listed["tested"])
