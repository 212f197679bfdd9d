"""The append-only file: its content, its checksum, and storage errors."""

import errno
import hashlib
import os

import pytest

from nncli.errors import StorageError
from nncli.store.append_log import AppendLog


def a_log(directory):
    (directory / "log").touch()
    return AppendLog(directory / "log", b"")


def test_append_log_keeps_a_prefix_and_grows(tmp_path):
    """Appended bytes are readable at once; a log that is opened again is truncated after its prefix."""
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


def test_append_log_continues_after_a_short_write(tmp_path, monkeypatch):
    """If a system call writes a part of the bytes, another one writes the rest."""
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, bytes(data[:3])))
    log = a_log(tmp_path)
    log.append(b"0123456789")
    log.close()
    assert (tmp_path / "log").read_bytes() == b"0123456789"


def test_sync_calls_fsync(tmp_path, monkeypatch):
    """``sync`` calls fsync for this file."""
    synced, log = [], a_log(tmp_path)
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(os.fstat(descriptor).st_ino))
    log.sync()
    assert synced == [(tmp_path / "log").stat().st_ino]
    log.close()


@pytest.mark.parametrize(("call", "used"), [("append", "write"), ("sync", "fsync")])
def test_append_log_reports_a_full_disk(tmp_path, fail, call, used):
    """The storage error names the file."""
    log = a_log(tmp_path)
    fail(os, used, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
    with pytest.raises(StorageError, match=r"log: No space left on device"):
        getattr(log, call)(*([b"x"] if call == "append" else []))
    log.close()


def test_append_log_in_a_missing_directory_is_a_storage_error(tmp_path):
    """The file must exist."""
    with pytest.raises(StorageError, match="No such file"):
        AppendLog(tmp_path / "missing", b"")
