"""Atomic and durable writes, and the errors when storage fails."""

import errno
import os
from contextlib import nullcontext
from pathlib import Path

import pytest

from nncli.errors import BusyError, StorageError
from nncli.store import atomic_write as storage
from nncli.store import lock


def names(directory):
    return sorted(path.name for path in directory.iterdir())


@pytest.mark.slow
def test_write_atomic_creates_and_replaces(tmp_path):
    """The file has the bytes of the last write, and no temporary file remains."""
    for data in (b"first", b"", b"the second one"):
        storage.write_atomic(tmp_path / "file", data)
        assert (tmp_path / "file").read_bytes() == data
    assert names(tmp_path) == ["file"]


@pytest.mark.parametrize(("owner", "name"), [(os, "fsync"), (Path, "replace")])
@pytest.mark.parametrize("before", [None, b"old"])
def test_failed_write_changes_nothing(tmp_path, fail, owner, name, before):
    """After a full disk the old file, or none, remains, and no temporary file; the error names the file."""
    path = tmp_path / "file"
    if before is not None:
        path.write_bytes(before)
    fail(owner, name, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
    with pytest.raises(StorageError, match="No space left on device") as raised:
        storage.write_atomic(path, b"new")
    assert raised.value.exit_code == 5
    assert str(raised.value).startswith(f"{path}: ")
    assert names(tmp_path) == ([] if before is None else ["file"])
    assert before is None or path.read_bytes() == before


def test_interrupted_write_leaves_no_temporary_file(tmp_path, fail):
    """Ctrl-C during a write is raised after the temporary file was removed."""
    fail(os, "fsync", KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        storage.write_atomic(tmp_path / "file", b"new")
    assert names(tmp_path) == []


def test_write_atomic_is_durable(tmp_path, monkeypatch):
    """The content is synced before the rename, and the directory after it."""
    calls, fsync, replace = [], os.fsync, Path.replace

    def synced(descriptor):
        calls.append("sync directory" if os.path.samestat(os.fstat(descriptor), tmp_path.stat()) else "sync file")
        fsync(descriptor)

    def renamed(path, target):
        calls.append("rename")
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", renamed)
    storage.write_atomic(tmp_path / "file", b"new")
    assert calls == ["sync file", "rename", "sync directory"]


def test_write_error_names_the_target(tmp_path):
    """The message never names the temporary file."""
    with pytest.raises(StorageError) as raised:
        storage.write_atomic(tmp_path / "missing" / "file", b"new")
    assert str(raised.value).startswith(f"{tmp_path / 'missing' / 'file'}: ")


@pytest.mark.parametrize("make", [Path.touch, Path.mkdir, lambda path: path.symlink_to("nowhere")])
def test_create_atomic_never_replaces(tmp_path, make):
    """An existing file, directory or broken link is kept."""
    make(tmp_path / "file")
    with pytest.raises(BusyError, match="already exists"):
        storage.create_atomic(tmp_path / "file", b"new")
    assert names(tmp_path) == ["file"]


def test_create_atomic_makes_directories(tmp_path):
    """Missing parent directories are created."""
    storage.create_atomic(tmp_path / "a" / "b" / "file", b"new")
    assert (tmp_path / "a" / "b" / "file").read_bytes() == b"new"


def test_impossible_file_name_is_a_storage_error(tmp_path):
    """It is the user's mistake, not an internal error."""
    with pytest.raises(StorageError, match="File name too long"):
        storage.create_atomic(tmp_path / ("a" * 300), b"new")


@pytest.mark.parametrize("number", [errno.EPERM, errno.ENOSYS, errno.ENOTSUP])
@pytest.mark.parametrize("make", [None, Path.touch, Path.mkdir, lambda path: path.symlink_to("nowhere")])
def test_create_atomic_works_without_hard_links(tmp_path, fail, number, make):
    """On a file system without hard links, such as exFAT, a new file is created, and an existing one is kept."""
    fail(os, "link", OSError(number, os.strerror(number)))
    path = tmp_path / "file"
    if make is None:
        storage.create_atomic(path, b"new")
        assert path.read_bytes() == b"new"
    else:
        make(path)
        with pytest.raises(BusyError, match="already exists"):
            storage.create_atomic(path, b"new")
        assert not path.is_file() or path.read_bytes() == b""
    assert names(tmp_path) == ["file"]


@pytest.mark.parametrize("error", [OSError(errno.EIO, os.strerror(errno.EIO)), KeyboardInterrupt()])
def test_create_atomic_without_hard_links_cleans_up(tmp_path, fail, error):
    """If the rename fails or is interrupted, neither an empty nor a temporary file remains."""
    fail(os, "link", OSError(errno.EPERM, os.strerror(errno.EPERM)))
    fail(Path, "replace", error)
    with pytest.raises(StorageError if isinstance(error, OSError) else KeyboardInterrupt):
        storage.create_atomic(tmp_path / "file", b"new")
    assert names(tmp_path) == []


@pytest.mark.parametrize("number", [errno.EINVAL, errno.EBADF, errno.ENOTSUP, errno.EIO])
def test_unsupported_fsync_of_a_directory_is_ignored(tmp_path, monkeypatch, number):
    """SMB and FUSE do not support it; an input/output error is still an error."""
    fsync = os.fsync

    def refuse(descriptor):
        if os.path.samestat(os.fstat(descriptor), tmp_path.stat()):
            raise OSError(number, os.strerror(number))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(StorageError) if number == errno.EIO else nullcontext():
        storage.write_atomic(tmp_path / "file", b"new")
    assert (tmp_path / "file").read_bytes() == b"new"


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_file_system_without_locks_is_left_unchanged(tmp_path, fail, number):
    """The error suggests what to do, and no directory remains."""
    fail(lock, "_acquire", OSError(number, os.strerror(number)))
    with pytest.raises(StorageError, match=r"runs: its file system does not support locks .* --runs-dir DIRECTORY"):
        storage.staging_directory(tmp_path / "runs")
    assert names(tmp_path / "runs") == []


def test_remove_ignores_a_missing_file(tmp_path):
    """Removing a file twice is no error; removing a directory is."""
    (tmp_path / "file").touch()
    storage.remove(tmp_path / "file")
    storage.remove(tmp_path / "file")
    assert names(tmp_path) == []
    (tmp_path / "directory").mkdir()
    with pytest.raises(StorageError, match="directory"):
        storage.remove(tmp_path / "directory")


def test_commit_renames_the_staging_directory(tmp_path):
    """The directory has its final name and all its files, and the hidden name is gone."""
    directory = storage.staging_directory(tmp_path / "runs")[0]
    assert directory.name.startswith(".")
    (directory / "file").write_bytes(b"x")
    assert storage.commit(directory, tmp_path / "runs" / "name")
    assert names(tmp_path / "runs") == ["name"]
    assert (tmp_path / "runs" / "name" / "file").read_bytes() == b"x"


@pytest.mark.parametrize("make", [Path.touch, Path.mkdir, lambda path: path.symlink_to("nowhere")])
def test_commit_never_replaces_a_directory(tmp_path, make):
    """Even an empty directory is kept, and the staging directory is unchanged."""
    directory, target = storage.staging_directory(tmp_path)[0], tmp_path / "name"
    (directory / "file").touch()
    make(target)
    assert storage.commit(directory, target) is False
    assert names(directory) == ["file", "lock"]
    assert not target.is_dir() or names(target) == []


def test_commit_returns_false_after_a_race(tmp_path, monkeypatch):
    """If another process creates the name between the check and the rename, it keeps the name."""
    directory, target, rename = storage.staging_directory(tmp_path)[0], tmp_path / "name", Path.rename

    def late(path, new):
        target.mkdir()
        (target / "theirs").touch()
        return rename(path, new)

    monkeypatch.setattr(Path, "rename", late)
    assert storage.commit(directory, target) is False
    assert names(target) == ["theirs"]


def test_commit_reports_a_storage_error(tmp_path, fail):
    """A rename that fails for another reason than an existing name is a storage error."""
    directory = storage.staging_directory(tmp_path)[0]
    fail(Path, "rename", OSError(errno.EIO, os.strerror(errno.EIO)))
    with pytest.raises(StorageError, match="Input/output error"):
        storage.commit(directory, tmp_path / "name")


def test_staging_directory_below_a_file_is_a_storage_error(tmp_path):
    """A file at the path of the directory of runs is reported with exit code 5."""
    (tmp_path / "runs").touch()
    with pytest.raises(StorageError, match="runs") as raised:
        storage.staging_directory(tmp_path / "runs")
    assert raised.value.exit_code == 5


def test_cleanup_removes_only_orphans(tmp_path):
    """A link or file with the name of a staging directory, and a directory with a temporary file's name, are kept."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / ".new-link").symlink_to(tmp_path / "elsewhere")
    link = f".new-{'0' * 16}"
    (tmp_path / "runs" / link).symlink_to(tmp_path / "elsewhere")
    (tmp_path / "runs" / ".new-file").touch()
    (tmp_path / "runs" / ".x.0123abcd").mkdir()
    directory, lock = storage.staging_directory(tmp_path / "runs")
    storage.remove_orphans(tmp_path / "runs")
    lock.release()
    assert names(tmp_path / "elsewhere") == []
    assert names(tmp_path / "runs") == sorted([".new-file", ".new-link", link, ".x.0123abcd", directory.name])


def test_commit_is_durable(tmp_path, monkeypatch):
    """The staging directory is synced, renamed, and its parent synced; a new directory's parent is synced too."""
    calls, rename = [], Path.rename
    monkeypatch.setattr(storage, "fsync_directory", lambda path: calls.append(f"sync {path.name}"))
    monkeypatch.setattr(Path, "rename", lambda path, target: (calls.append("rename"), rename(path, target))[1])
    runs = tmp_path / "all" / "runs"
    directory = storage.staging_directory(runs)[0]
    assert calls == [f"sync {tmp_path.name}", "sync all"]
    calls.clear()
    assert storage.commit(directory, runs / "one")
    assert calls == [f"sync {directory.name}", "rename", "sync runs"]


def test_staged_files_and_hidden_directories_are_durable(tmp_path, monkeypatch):
    """Each is renamed, and then the directory that it is in is synced."""
    calls, replace, rename = [], Path.replace, Path.rename
    monkeypatch.setattr(storage, "fsync_directory", lambda path: calls.append(f"sync {path.name}"))
    monkeypatch.setattr(Path, "replace", lambda path, target: (calls.append("replace"), replace(path, target))[1])
    monkeypatch.setattr(Path, "rename", lambda path, target: (calls.append("rename"), rename(path, target))[1])
    (tmp_path / "runs" / "one").mkdir(parents=True)
    storage.write_staged(tmp_path / "runs" / "file", b"content")
    assert calls[-2:] == ["replace", "sync runs"]
    hidden = storage.set_aside(tmp_path / "runs" / "one")
    assert calls[-2:] == ["rename", "sync runs"]
    storage.put_back(hidden, tmp_path / "runs" / "one")
    assert calls[-2:] == ["rename", "sync runs"]
    assert names(tmp_path / "runs") == ["file", "one"]


def test_directory_that_cannot_be_written_to_is_named(tmp_path, fail):
    """Not the hidden directory in it, with the option that names another one."""
    fail(Path, "mkdir", PermissionError(errno.EACCES, os.strerror(errno.EACCES)))
    with pytest.raises(StorageError) as raised:
        storage.staging_directory(tmp_path)
    fix = "choose another directory with --runs-dir, no run can be written to this one"
    assert str(raised.value) == f"{tmp_path}: {fix}: Permission denied"


def test_replacing_keeps_a_link(tmp_path):
    """The file that the link names has the new content."""
    (tmp_path / "file").write_text("old")
    (tmp_path / "link").symlink_to("file")
    with storage.replacing(tmp_path / "link") as stream:
        stream.write("new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_text() == "new"
    assert names(tmp_path) == ["file", "link"]


def test_replacing_writes_to_a_pipe(tmp_path):
    """A pipe, as a device, stays what it is, and gets the text."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with storage.replacing(pipe) as stream:
            stream.write("new")
        assert pipe.is_fifo()
        assert os.read(reader, 10) == b"new"
    finally:
        os.close(reader)
