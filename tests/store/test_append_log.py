"""A log that only grows, and the error where the disk refuses."""

import errno
import hashlib
import os

import pytest

from nncli.errors import StorageError
from nncli.store.append_log import AppendLog


def a_log(folder):
    (folder / "log").touch()
    return AppendLog(folder / "log", b"")


def test_a_log_only_grows(tmp_path):
    """Appended bytes are readable at once; a log that is opened again goes on behind what is kept of it."""
    path, text = tmp_path / "log", b""
    path.touch()
    for line in (b"one\n", b"two\n"):
        log = AppendLog(path, text)
        assert (log.size, path.read_bytes()) == (len(text), text or b"")
        log.append(line)
        text += line
        assert (log.size, log.sha256) == (len(text), hashlib.sha256(text).hexdigest())
        log.close()
        assert path.read_bytes() == text
        path.write_bytes(text + b"a part of a row that no checkpoint counts on")
    assert text == b"one\ntwo\n"


def test_a_log_goes_on_after_a_short_write(tmp_path, monkeypatch):
    """A system call that takes a part of the bytes is followed by one for the rest."""
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, bytes(data[:3])))
    log = a_log(tmp_path)
    log.append(b"0123456789")
    log.close()
    assert (tmp_path / "log").read_bytes() == b"0123456789"


def test_sync_reaches_the_disk(tmp_path, monkeypatch):
    """``sync`` asks the kernel for this very file."""
    synced, log = [], a_log(tmp_path)
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(os.fstat(descriptor).st_ino))
    log.sync()
    assert synced == [(tmp_path / "log").stat().st_ino]
    log.close()


@pytest.mark.parametrize(("call", "used"), [("append", "write"), ("sync", "fsync")])
def test_a_log_names_itself_when_the_disk_refuses(tmp_path, fail, call, used):
    """A full disk is a storage error with the file's name."""
    log = a_log(tmp_path)
    fail(os, used, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
    with pytest.raises(StorageError, match=r"log: No space left on device"):
        getattr(log, call)(*([b"x"] if call == "append" else []))
    log.close()


def test_a_log_that_cannot_be_opened_is_a_storage_error(tmp_path):
    """There is no log in a folder that is missing."""
    with pytest.raises(StorageError, match="No such file"):
        AppendLog(tmp_path / "missing", b"")
