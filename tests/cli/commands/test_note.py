"""``nncli note`` and the notes of ``nncli train``: written, printed, removed, and shown where runs are."""

import json
from pathlib import Path

import pytest

from nncli.store.lock import Lock
from tests.groups import seeds_group


@pytest.fixture
def run(workdir, run_cli):
    """A finished run without notes."""
    assert run_cli("train", "config.yaml", "-q").code == 0
    return workdir / "runs" / "config"


def test_note_is_written_and_printed(run, run_cli):
    """Without a text the notes are printed; a new text keeps the tags."""
    assert run_cli("note", "config").out == "runs/config: no tags, no note\n"
    assert run_cli("note", "config", "first\nsecond", "--tag", "a", "--tag", "b").out == (
        "runs/config: tags a, b\nfirst\nsecond\n"
    )
    assert run_cli("note", "config", "other", "--remove-tag", "a").out == "runs/config: tags b\nother\n"
    assert json.loads(run_cli("note", "config", "--json").out) == {"run": "runs/config", "note": "other", "tags": ["b"]}
    assert run_cli("note", "config", "", "--remove-tag", "b").out == "runs/config: no tags, no note\n"
    assert not (run / "notes.json").exists()


def test_running_run_and_group_can_be_annotated(run, workdir, run_cli):
    """No lock is taken."""
    lock = Lock(run / "lock")
    assert run_cli("note", "config", "running").code == 0
    lock.release()
    seeds_group(workdir, trained=0)
    assert run_cli("note", "seeds", "a group").out == "runs/seeds: no tags\na group\n"


def test_other_directory_has_no_notes(workdir, run_cli):
    """Exit code 4; nothing is written."""
    Path("runs/other").mkdir(parents=True)
    result = run_cli("note", "other", "a")
    assert (result.code, result.err) == (
        4,
        "runs/other: not a run or a group: neither run.json nor group.json is there\n",
    )
    assert not list(Path("runs/other").iterdir())


def test_train_writes_notes_as_training_begins(workdir, run_cli):
    """--note and --tag; a resume adds to them. Weights and metrics are the same as without."""
    assert run_cli("train", "config.yaml", "-q", "-n", "a", "--note", "text", "--tag", "x", "--tag", "y").code == 0
    assert run_cli("train", "config.yaml", "-q", "-n", "b").code == 0
    assert run_cli("train", "--resume", "a", "-q", "--tag", "z", "training.epochs=40").code == 0
    assert run_cli("train", "--resume", "b", "-q", "training.epochs=40").code == 0
    assert run_cli("note", "a").out == "runs/a: tags x, y, z\ntext\n"
    for name in ("weights.npz", "metrics.csv", "run.json"):
        assert Path("runs/a", name).read_bytes() == Path("runs/b", name).read_bytes()


@pytest.mark.parametrize("command", [("train", "config.yaml", "--seeds", "2"), ("sweep", "config.yaml", "seed=0,1")])
def test_group_gets_notes(workdir, run_cli, command):
    """Those of the command that makes it; a command that continues it adds to them."""
    assert run_cli(*command, "-q", "--name", "group", "--note", "text", "--tag", "x").code == 0
    assert run_cli(*command, "-q", "--name", "group", "--tag", "y").code == 0
    assert run_cli("note", "group").out == "runs/group: tags x, y\ntext\n"
    assert run_cli(*command, "-q", "--tag", "two words").code == 2
    assert run_cli("rm", "group", "--yes").code == 0
    assert not list(Path("runs").iterdir())


def test_invalid_tag_is_rejected_before_training(workdir, run_cli):
    """No run is created."""
    result = run_cli("train", "config.yaml", "--tag", "two words")
    assert (result.code, "invalid tag 'two words'" in result.err) == (2, True)
    assert not Path("runs").exists()


def test_report_shows_the_notes(run, run_cli):
    """In its summary."""
    assert run_cli("note", "config", "the baseline", "--tag", "paper").code == 0
    assert run_cli("report", "config").code == 0
    page = Path("report.html").read_text(encoding="utf-8")
    assert "Note: the baseline" in page
    assert "Tags: paper." in page
