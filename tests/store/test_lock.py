"""The advisory lock of a run: exclusive, visible to readers, released when its process ends."""

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


def names(directory):
    return sorted(path.name for path in directory.iterdir())


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: path.symlink_to("/dev/zero")])
def test_special_file_is_not_locked(tmp_path, make):
    """The query follows no link, and does not block on a pipe."""
    make(tmp_path / "lock")
    assert not is_locked(tmp_path / "lock")


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the lock on ``tmp_path / "lock"``."""
    command = [sys.executable, "-c", HOLDER, str(tmp_path / "lock")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8") as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_lock_is_exclusive_until_released(tmp_path):
    """A second lock is refused with exit code 6, and acquired after the first was released."""
    path = tmp_path / "lock"
    assert not is_locked(path)
    first = Lock(path)
    assert is_locked(path)
    with pytest.raises(BusyError, match="another process is training in this directory") as raised:
        Lock(path)
    assert raised.value.exit_code == 6
    first.release()
    assert path.exists()
    assert not is_locked(path)
    Lock(path).release()


def test_lock_of_another_process_ends_with_it(tmp_path, holder):
    """The lock of another process is visible and respected; killing that process releases it."""
    path = tmp_path / "lock"
    assert is_locked(path)
    with pytest.raises(BusyError):
        Lock(path)
    holder.kill()
    holder.wait()
    assert not is_locked(path)
    Lock(path).release()


@pytest.mark.parametrize("function", ["lockf", "flock"])
def test_shared_lock_is_not_a_training(tmp_path, function):
    """A program that reads the file may hold one: the run is not running, and a refused lock has its own message."""
    path = tmp_path / "lock"
    path.touch()
    command = [sys.executable, "-c", READER, str(path), function]
    with subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8") as process:
        assert process.stdout.readline() == "held\n"
        assert not is_locked(path)
        if function == ("lockf" if sys.platform == "linux" else "flock"):
            with pytest.raises(BusyError, match="lock: a process that is not a training holds a shared lock"):
                Lock(path)
        else:
            Lock(path).release()
        process.kill()
    Lock(path).release()


@pytest.mark.skipif(sys.platform != "linux", reason="flock is used there")
def test_lock_of_an_older_version_conflicts_in_both_directions(tmp_path):
    """It is an exclusive lock on the entire file."""
    path = tmp_path / "lock"
    exclusive = struct.pack("hhqqi0q", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
    with path.open("w+b") as file:
        fcntl.fcntl(file, fcntl.F_OFD_SETLK, exclusive)
        assert is_locked(path)
        with pytest.raises(BusyError, match="another process is training in this directory"):
            Lock(path)
    acquired = Lock(path)
    with path.open("r+b") as file, pytest.raises(BlockingIOError):
        fcntl.fcntl(file, fcntl.F_OFD_SETLK, exclusive)
    acquired.release()


@pytest.mark.parametrize("number", [errno.EIO, errno.EACCES, errno.EMFILE])
def test_unreadable_lock_is_a_storage_error(tmp_path, monkeypatch, number):
    """It is not reported as free."""

    def refuse(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(StorageError, match=os.strerror(number)):
        is_locked(tmp_path / "lock")


def test_lock_is_lost_when_its_file_is_moved(tmp_path, monkeypatch):
    """This is also true if it is moved during the check."""
    path, fstat = tmp_path / "run" / "lock", os.fstat
    path.parent.mkdir()
    acquired = Lock(path)
    acquired.require_held(path)

    def late(number):
        if path.parent.exists():
            path.parent.rename(tmp_path / "moved")
        return fstat(number)

    monkeypatch.setattr(os, "fstat", late)
    with pytest.raises(RunError, match="was moved"):
        acquired.require_held(path)
    acquired.release()


def test_symbolic_link_is_not_followed(tmp_path):
    """Neither a lock is acquired nor a log truncated through a link; its target is unchanged."""
    (tmp_path / "there").write_bytes(b"theirs")
    (tmp_path / "link").symlink_to("there")
    with pytest.raises(StorageError):
        Lock(tmp_path / "link")
    with pytest.raises(StorageError):
        AppendLog(tmp_path / "link", b"")
    assert (tmp_path / "there").read_bytes() == b"theirs"


def test_lock_on_a_removed_file_is_busy(tmp_path, monkeypatch):
    """A cleanup may remove the file between open and lock: it is busy, and the caller tries again."""
    take = lock._acquire
    monkeypatch.setattr(lock, "_acquire", lambda descriptor: ((tmp_path / "lock").unlink(), take(descriptor)))
    with pytest.raises(BusyError):
        Lock(tmp_path / "lock")


def test_query_does_not_acquire_the_lock(tmp_path):
    """Readers leave the lock free and the directory unchanged."""
    assert not is_locked(tmp_path / "lock")
    assert names(tmp_path) == []
    (tmp_path / "lock").touch()
    assert [is_locked(tmp_path / "lock") for _ in range(3)] == [False] * 3
    Lock(tmp_path / "lock").release()


def test_link_to_the_lock_of_another_run_is_not_locked(tmp_path):
    """It is not followed."""
    acquired = Lock(tmp_path / "other")
    (tmp_path / "lock").symlink_to("other")
    assert not is_locked(tmp_path / "lock")
    acquired.release()


@pytest.mark.skipif(sys.platform != "linux", reason="descriptors are counted in /proc")
def test_refused_lock_closes_its_descriptor(tmp_path):
    """Repeated attempts do not run out of file descriptors."""
    acquired = Lock(tmp_path / "lock")
    before = sorted(Path("/proc/self/fd").iterdir())
    with pytest.raises(BusyError):
        Lock(tmp_path / "lock")
    assert sorted(Path("/proc/self/fd").iterdir()) == before
    acquired.release()
