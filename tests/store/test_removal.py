"""Removing runs and groups: all or nothing, never while a process trains, and only what nncli has written."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from nncli.errors import BusyError, RunError, StorageError
from nncli.store import atomic_write, removal
from nncli.store.group_files import FailureRecord, write_failure
from nncli.store.lock import Lock
from nncli.store.notes import Notes, write_notes
from nncli.store.removal import Removal, outermost, plan_removal, remove
from tests.examples import train_config
from tests.groups import seeds_group


@pytest.fixture
def run(workdir):
    """A finished run with a note."""
    path = train_config(workdir / "config.yaml").path
    write_notes(path, Notes(note="a"))
    return path


@pytest.fixture
def group(workdir):
    """A group with two trials, a failure, notes, predictions out of fold, and what killed processes have left."""
    path = seeds_group(workdir, trained=2)
    write_failure(path, 2, FailureRecord(exit_code=3, message="no rows"))
    write_notes(path, Notes(tags=["a"]))
    (path / "out_of_fold.csv").write_text("row,prediction\n")
    (path / ".group.json.0123abcd").touch()
    (path / ".new-0123456789abcdef").mkdir()
    (path / ".new-0123456789abcdef" / "0002.failed.json").touch()
    return path


def names(directory):
    return sorted(each.name for each in directory.iterdir())


def test_run_is_removed(run):
    """With all of its files; the size is that of the files."""
    size = sum(each.stat().st_size for each in run.rglob("*") if each.is_file())
    assert plan_removal(run) == Removal(run, None, size)
    remove(run)
    assert names(run.parent) == []


def test_run_with_leftovers_and_quarantined_files_is_removed(run):
    """Temporary files, damaged checkpoints, and the config of an old version are files of a run."""
    for name in (".metrics.csv.0123abcd", "health.csv.damaged", "spec.yaml", "checkpoints/00000001.ckpt.damaged"):
        (run / name).touch()
    remove(run)
    assert names(run.parent) == []


def test_group_is_removed(group):
    """With its trials and all that belongs to it."""
    assert plan_removal(group).trials == 2
    remove(group)
    assert names(group.parent) == []


@pytest.mark.parametrize(
    "name", ["thesis.tex", "checkpoints/other.bin", "sub/", "metrics.csv.bak", ".hidden", "checkpoints/00000009.ckpt/"]
)
def test_unknown_file_keeps_the_run(run, name):
    """It is named, and nothing is removed."""
    (run / name).mkdir() if name.endswith("/") else (run / name).touch()
    before = names(run)
    for action in (plan_removal, remove):
        with pytest.raises(RunError, match="has files that nncli did not write: ") as error:
            action(run)
        assert name.rstrip("/") in str(error.value)
    assert names(run) == before


@pytest.mark.parametrize(("count", "more"), [(5, ""), (6, " and 1 more")])
def test_many_unknown_files_are_counted(run, count, more):
    """The first five are named."""
    for index in range(count):
        (run / f"{index}.txt").touch()
    with pytest.raises(RunError) as error:
        plan_removal(run)
    assert f"did not write: 0.txt, 1.txt, 2.txt, 3.txt, 4.txt{more}; move" in str(error.value)


@pytest.mark.parametrize(
    "name", ["notes.txt", "0001/mine.csv", "results/", "abc.failed.json", ".new-0123456789abcdefg/"]
)
def test_unknown_file_keeps_the_group(group, name):
    """Also one within a trial."""
    (group / name).mkdir() if name.endswith("/") else (group / name).touch()
    with pytest.raises(RunError, match=f"did not write: {name.rstrip('/')};"):
        remove(group)
    assert (group / "0000" / "run.json").exists()


def test_other_directories_are_rejected(workdir, run):
    """A directory that is no run, a file, a missing path, and a symbolic link to a run."""
    (workdir / "empty").mkdir()
    (workdir / "link").symlink_to(run)
    for name, message in {
        "empty": "not a run or a group",
        "config.yaml": "it is not a directory",
        "missing": "not a run or a group",
        "link": "is a symbolic link",
    }.items():
        with pytest.raises(RunError, match=message):
            remove(workdir / name)
    assert (run / "run.json").exists()
    assert (workdir / "config.yaml").exists()


def test_running_run_is_not_removed(run):
    """The lock decides, as for a second trainer."""
    lock = Lock(run / "lock")
    for action in (plan_removal, remove):
        with pytest.raises(BusyError, match="another process is training"):
            action(run)
    lock.release()
    remove(run)


def test_group_with_a_running_trial_is_not_removed(group):
    """Its other trials are kept, too."""
    lock = Lock(group / "0001" / "lock")
    for action in (plan_removal, remove):
        with pytest.raises(BusyError, match="0001: another process is training"):
            action(group)
    lock.release()
    assert {"0000", "0001"} <= set(names(group))


def test_trial_that_starts_meanwhile_keeps_the_group(group, monkeypatch):
    """A lock that is taken between the check and the rename is found after the rename, which is undone."""
    hide, locks = atomic_write.set_aside, []

    def lock_first(path):
        locks.append(Lock(path / "0001" / "lock"))
        return hide(path)

    monkeypatch.setattr(atomic_write, "set_aside", lock_first)
    with pytest.raises(BusyError, match="seeds: another process has begun to write"):
        remove(group)
    locks[0].release()
    assert names(group.parent) == ["seeds"]
    assert {"0000", "0001"} <= set(names(group))


def test_failed_removal_leaves_a_hidden_directory(run, monkeypatch):
    """The run is gone for readers, the error is reported, and the next removal cleans up."""
    other = shutil.copytree(run, run.parent / "other")

    def refuse(path):
        (Path(path) / "metrics.csv").unlink()
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(shutil, "rmtree", refuse)
    with pytest.raises(StorageError, match="Input/output error"):
        remove(run)
    monkeypatch.undo()
    assert [name for name in names(run.parent) if not name.startswith(".removed-")] == ["other"]
    remove(other)
    assert names(run.parent) == []


KILLED = """
import os, sys
from pathlib import Path
from nncli.store.removal import remove
number, path = int(sys.argv[1]), Path(sys.argv[2])

def count(event, arguments, left=[number]):
    if event in {"os.rename", "os.remove", "os.rmdir"}:
        if left[0] == 0:
            os.kill(os.getpid(), 9)
        left[0] -= 1

sys.addaudithook(count)
remove(path)
"""


@pytest.mark.slow
def test_kill_leaves_the_run_or_a_hidden_directory(workdir, run):
    """At every call that renames or removes: the run is whole or gone, and the next removal leaves nothing."""
    code, number = -signal.SIGKILL, 0
    while code == -signal.SIGKILL:
        runs = workdir / f"runs{number}"
        shutil.copytree(run, runs / "a")
        shutil.copytree(run, runs / "b")
        files = names(runs / "a")
        command = [sys.executable, "-c", KILLED, str(number), str(runs / "a")]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        code = subprocess.run(command, env=environment, check=False).returncode
        if (runs / "a").exists():
            assert names(runs / "a") == files
        remove(runs / "b")
        assert set(names(runs)) <= {"a"}
        number += 1
    assert code == 0
    assert number > 10


def test_leftovers_in_use_are_kept(run):
    """A hidden directory whose lock, or whose trial's lock, a process holds."""
    hidden = run.parent / ".removed-0123456789abcdef"
    shutil.copytree(run, hidden / "0000")
    lock = Lock(hidden / "0000" / "lock")
    removal.remove_leftovers(run.parent)
    assert (hidden / "0000" / "run.json").exists()
    lock.release()
    removal.remove_leftovers(run.parent)
    assert names(run.parent) == [run.name]


def test_paths_given_twice_or_within_a_group_are_removed_once(group):
    """A trial belongs to its group."""
    paths = [group, group / "0000", group.parent / ".." / "runs" / "seeds", group.parent / "other"]
    assert outermost(paths) == [group, group.parent / "other"]


def test_current_directory_can_be_removed(run, monkeypatch):
    """As ``nncli rm .`` does."""
    monkeypatch.chdir(run)
    remove(Path())
    assert names(run.parent) == []
