"""The export of a list of runs: counts, and runs that cannot be read."""

import pytest

from nncli.errors import CommandLineError
from nncli.export.export import export_runs


def test_runs_are_counted(listed, tmp_path, runs):
    """A run that cannot be read is skipped with the reason."""
    (runs / "tested" / "run.json").unlink()
    done = export_runs(list(listed.values()), "tensorboard", str(tmp_path / "events"))
    assert done.to_json() == {
        "kind": "tensorboard",
        "target": str(tmp_path / "events"),
        "created": 2,
        "updated": 0,
        "unchanged": 0,
        "skipped": [str(runs / "tested")],
    }
    assert "run.json is missing" in done.skipped[runs / "tested"]


def test_unknown_kind_is_rejected():
    """With the known ones."""
    with pytest.raises(CommandLineError, match="unknown kind of export 'wandb'; known: mlflow, tensorboard"):
        export_runs([], "wandb", "x")
