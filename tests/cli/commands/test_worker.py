"""``nncli worker``: it continues any group, says when nothing is left, and rejects what is no group."""

import subprocess
import sys

import pytest

from nncli.store import lock
from tests.conftest import ROOT
from tests.sweep.groups import contents, group_in

SWEEP = ("sweep", "config.yaml", "optimizer.type=sgd,adam", "--seeds", "3")


def test_an_unfinished_group_is_continued(workdir, run_cli):
    """By its name or its path; then it says that nothing is left."""
    group_in(workdir / "runs")
    result = run_cli("worker", "group")
    assert result.code == 0
    assert result.err.startswith("runs/group: continues\ntrials 1/6")
    assert "trials: 6 finished\n6 trials trained in" in result.out
    again = run_cli("worker", "runs/group")
    assert (again.code, again.err) == (0, "runs/group: already finished\n")
    assert "trained in" not in again.out


@pytest.mark.slow
def test_workers_of_one_group_share_it(workdir, run_cli):
    """Each command ends when all trials have ended, with the files of one worker."""
    group_in(workdir / "runs")
    command = [sys.executable, "-m", "nncli", "worker", "group", "-q"]
    workers = [subprocess.Popen(command, env={"PYTHONPATH": str(ROOT)}) for _ in range(2)]
    assert [each.wait(timeout=120) for each in workers] == [0, 0]
    group_in(workdir / "runs", "reference")
    assert run_cli("worker", "reference", "-q").out == "runs/reference\n"
    assert contents(workdir / "runs" / "group") == contents(workdir / "runs" / "reference")


def test_what_is_no_group_is_rejected(workdir, run_cli):
    """A run, a missing name, and a damaged group."""
    assert run_cli("train", "config.yaml", "-q").code == 0
    result = run_cli("worker", "config")
    assert result.code == 4
    assert "runs/config: not a group of runs: group.json is missing; 'nncli sweep' makes one" in result.err
    assert run_cli("worker", "nothing").code == 4
    (group_in(workdir / "runs").directory / "group.json").write_text("{}", encoding="utf-8")
    assert run_cli("worker", "group").code == 4


def test_a_directory_without_locks_is_rejected(workdir, run_cli, monkeypatch):
    """Before any trial is trained."""
    plan = group_in(workdir / "runs")
    monkeypatch.setattr(lock, "_acquire", lambda descriptor: None)
    result = run_cli("worker", "group")
    assert result.code == 5
    assert "gives a lock to two holders at once" in result.err
    assert not list(plan.directory.glob("0*"))
