"""The lock of a run directory: exclusive, seen by readers, gone with its process."""

import errno
import fcntl
import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from nncli.errors import BusyError, RunError, StorageError
from nncli.store import lock
from nncli.store.append_log import AppendLog
from nncli.store.lock import Lock, is_locked

pytestmark = pytest.mark.slow

HOLDER = """
import sys, time
from pathlib import Path
from nncli.store.lock import Lock
lock = Lock(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(60)
"""


READER = """
import fcntl, sys, time
file = open(sys.argv[1])
getattr(fcntl, sys.argv[2])(file, fcntl.LOCK_SH)
print("held", flush=True)
time.sleep(60)
"""


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: path.symlink_to("/dev/zero")])
def test_what_is_no_lock_is_not_held(tmp_path, make):
    """Asking follows no link, and waits for no pipe."""
    make(tmp_path / "lock")
    assert not is_locked(tmp_path / "lock")


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the lock of ``tmp_path / "lock"``."""
    command = [sys.executable, "-c", HOLDER, str(tmp_path / "lock")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8") as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_lock_is_exclusive_until_it_is_released(tmp_path):
    """A second lock is refused with exit code 6, and given after the first is released."""
    path = tmp_path / "lock"
    assert not is_locked(path)
    first = Lock(path)
    assert is_locked(path)
    with pytest.raises(BusyError, match="another process is training in it") as told:
        Lock(path)
    assert told.value.exit_code == 6
    first.release()
    assert path.exists()
    assert not is_locked(path)
    Lock(path).release()


def test_a_lock_holds_across_processes_and_dies_with_its_own(tmp_path, holder):
    """Another process' lock is seen and respected; killing that process frees it."""
    path = tmp_path / "lock"
    assert is_locked(path)
    with pytest.raises(BusyError):
        Lock(path)
    holder.kill()
    holder.wait()
    assert not is_locked(path)
    Lock(path).release()


@pytest.mark.parametrize("function", ["lockf", "flock"])
def test_a_shared_lock_is_no_trainer(tmp_path, function):
    """A program that reads the file may hold one: nobody is training, and whoever is refused is told so."""
    path = tmp_path / "lock"
    path.touch()
    command = [sys.executable, "-c", READER, str(path), function]
    with subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8") as process:
        assert process.stdout.readline() == "held\n"
        assert not is_locked(path)
        if function == ("lockf" if sys.platform == "linux" else "flock"):
            with pytest.raises(BusyError, match="lock: another process that does not train holds a shared lock"):
                Lock(path)
        else:
            Lock(path).release()
        process.kill()
    Lock(path).release()


@pytest.mark.skipif(sys.platform != "linux", reason="flock is used there")
def test_the_lock_of_an_older_version_excludes_and_is_excluded(tmp_path):
    """It is an exclusive lock on all of the file."""
    path = tmp_path / "lock"
    exclusive = struct.pack("hhqqi0q", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
    with path.open("w+b") as file:
        fcntl.fcntl(file, fcntl.F_OFD_SETLK, exclusive)
        assert is_locked(path)
        with pytest.raises(BusyError, match="another process is training in it"):
            Lock(path)
    held = Lock(path)
    with path.open("r+b") as file, pytest.raises(BlockingIOError):
        fcntl.fcntl(file, fcntl.F_OFD_SETLK, exclusive)
    held.release()


@pytest.mark.parametrize("number", [errno.EIO, errno.EACCES, errno.EMFILE])
def test_a_lock_that_cannot_be_read_is_not_free(tmp_path, monkeypatch, number):
    """Nothing is known about it, which is a storage error."""

    def refuse(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(StorageError, match=os.strerror(number)):
        is_locked(tmp_path / "lock")


def test_a_lock_is_not_held_where_its_file_was_moved(tmp_path, monkeypatch):
    """Also where it is moved while that is being checked."""
    path, fstat = tmp_path / "run" / "lock", os.fstat
    path.parent.mkdir()
    held = Lock(path)
    held.require_held(path)

    def late(number):
        if path.parent.exists():
            path.parent.rename(tmp_path / "moved")
        return fstat(number)

    monkeypatch.setattr(os, "fstat", late)
    with pytest.raises(RunError, match="was moved"):
        held.require_held(path)
    held.release()


def test_a_lock_is_not_taken_through_a_link(tmp_path):
    """Nor is a log cut through one: what it leads to stays as it is."""
    (tmp_path / "there").write_bytes(b"theirs")
    (tmp_path / "link").symlink_to("there")
    with pytest.raises(StorageError):
        Lock(tmp_path / "link")
    with pytest.raises(StorageError):
        AppendLog(tmp_path / "link", b"")
    assert (tmp_path / "there").read_bytes() == b"theirs"


def test_a_lock_on_a_file_that_was_removed_is_none(tmp_path, monkeypatch):
    """Whoever sweeps may have removed it between its opening and its locking: then it is busy, and asked for again."""
    take = lock._take
    monkeypatch.setattr(lock, "_take", lambda descriptor: ((tmp_path / "lock").unlink(), take(descriptor)))
    with pytest.raises(BusyError):
        Lock(tmp_path / "lock")


def test_asking_for_a_lock_does_not_take_it(tmp_path):
    """Readers look as often as they like, and leave the lock free and the folder as it was."""
    assert not is_locked(tmp_path / "lock")
    assert names(tmp_path) == []
    (tmp_path / "lock").touch()
    assert [is_locked(tmp_path / "lock") for _ in range(3)] == [False] * 3
    Lock(tmp_path / "lock").release()


def test_the_lock_of_another_run_is_none_of_this_one(tmp_path):
    """A link to it is not followed."""
    held = Lock(tmp_path / "other")
    (tmp_path / "lock").symlink_to("other")
    assert not is_locked(tmp_path / "lock")
    held.release()


@pytest.mark.skipif(sys.platform != "linux", reason="descriptors are counted in /proc")
def test_a_refused_lock_leaves_no_descriptor_open(tmp_path):
    """Whoever asks as often as they like runs out of none."""
    held = Lock(tmp_path / "lock")
    before = sorted(Path("/proc/self/fd").iterdir())
    with pytest.raises(BusyError):
        Lock(tmp_path / "lock")
    assert sorted(Path("/proc/self/fd").iterdir()) == before
    held.release()
