"""Files written atomically and durably, and the error where the disk refuses."""

import errno
import os
from contextlib import nullcontext
from pathlib import Path

import pytest

from nncli.errors import BusyError, StorageError
from nncli.store import atomic_write as storage
from nncli.store import lock


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_put_writes_and_replaces(tmp_path):
    """The file holds the last bytes that were put, and nothing is beside it."""
    for data in (b"first", b"", b"the second one"):
        storage.write_atomic(tmp_path / "file", data)
        assert (tmp_path / "file").read_bytes() == data
    assert names(tmp_path) == ["file"]


@pytest.mark.parametrize(("owner", "name"), [(os, "fsync"), (Path, "replace")])
@pytest.mark.parametrize("before", [None, b"old"])
def test_a_put_that_fails_changes_nothing(tmp_path, fail, owner, name, before):
    """A full disk leaves the old file, or none, and no temporary file; the error says which file and why."""
    path = tmp_path / "file"
    if before is not None:
        path.write_bytes(before)
    fail(owner, name, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
    with pytest.raises(StorageError, match="No space left on device") as told:
        storage.write_atomic(path, b"new")
    assert told.value.exit_code == 5
    assert str(told.value).startswith(f"{path}: ")
    assert names(tmp_path) == ([] if before is None else ["file"])
    assert before is None or path.read_bytes() == before


def test_an_interrupted_put_leaves_no_temporary_file(tmp_path, fail):
    """Ctrl-C in the middle of a write passes through, and cleans up."""
    fail(os, "fsync", KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        storage.write_atomic(tmp_path / "file", b"new")
    assert names(tmp_path) == []


def test_put_syncs_the_file_before_its_name_and_the_name_after(tmp_path, monkeypatch):
    """Bytes reach the disk before the name points to them, and the name before ``put`` returns."""
    calls, fsync, replace = [], os.fsync, Path.replace

    def synced(descriptor):
        calls.append("sync folder" if os.path.samestat(os.fstat(descriptor), tmp_path.stat()) else "sync file")
        fsync(descriptor)

    def renamed(path, target):
        calls.append("rename")
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", renamed)
    storage.write_atomic(tmp_path / "file", b"new")
    assert calls == ["sync file", "rename", "sync folder"]


def test_a_put_that_fails_names_the_file_that_was_asked_for(tmp_path):
    """A user never reads the name of a temporary file."""
    with pytest.raises(StorageError) as told:
        storage.write_atomic(tmp_path / "missing" / "file", b"new")
    assert str(told.value).startswith(f"{tmp_path / 'missing' / 'file'}: ")


@pytest.mark.parametrize("make", [Path.touch, Path.mkdir, lambda path: path.symlink_to("nowhere")])
def test_put_new_refuses_what_is_there(tmp_path, make):
    """A file, a folder or a link that leads nowhere: whatever has the name keeps it."""
    make(tmp_path / "file")
    with pytest.raises(BusyError, match="already exists"):
        storage.create_atomic(tmp_path / "file", b"new")
    assert names(tmp_path) == ["file"]


def test_put_new_makes_the_folders_on_the_way(tmp_path):
    """A new file may stand in a new folder."""
    storage.create_atomic(tmp_path / "a" / "b" / "file", b"new")
    assert (tmp_path / "a" / "b" / "file").read_bytes() == b"new"


def test_put_new_with_an_impossible_name_is_a_storage_error(tmp_path):
    """A name that no file system takes is the user's, not a bug."""
    with pytest.raises(StorageError, match="File name too long"):
        storage.create_atomic(tmp_path / ("a" * 300), b"new")


@pytest.mark.parametrize("number", [errno.EPERM, errno.ENOSYS, errno.ENOTSUP])
@pytest.mark.parametrize("make", [None, Path.touch, Path.mkdir, lambda path: path.symlink_to("nowhere")])
def test_put_new_needs_no_hard_links(tmp_path, fail, number, make):
    """A file system without hard links, as exFAT, takes a new file, and keeps what is there."""
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
def test_put_new_without_hard_links_leaves_nothing_when_it_fails(tmp_path, fail, error):
    """Neither an empty file nor a temporary one stays where the rename is refused or interrupted."""
    fail(os, "link", OSError(errno.EPERM, os.strerror(errno.EPERM)))
    fail(Path, "replace", error)
    with pytest.raises(StorageError if isinstance(error, OSError) else KeyboardInterrupt):
        storage.create_atomic(tmp_path / "file", b"new")
    assert names(tmp_path) == []


@pytest.mark.parametrize("number", [errno.EINVAL, errno.EBADF, errno.ENOTSUP, errno.EIO])
def test_a_directory_that_cannot_be_synced_stops_nothing(tmp_path, monkeypatch, number):
    """SMB and FUSE refuse to fsync a directory: files are written all the same; an input/output error is an error."""
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
def test_a_file_system_without_locks_is_left_as_it_was(tmp_path, fail, number):
    """The error says what to do, and no directory stays behind."""
    fail(lock, "_acquire", OSError(number, os.strerror(number)))
    with pytest.raises(StorageError, match=r"runs: its file system does not support locks .* --runs DIRECTORY"):
        storage.staging_directory(tmp_path / "runs")
    assert names(tmp_path / "runs") == []


def test_remove_is_content_with_what_is_gone(tmp_path):
    """Removing twice is no error; a folder in the file's place is."""
    (tmp_path / "file").touch()
    storage.remove(tmp_path / "file")
    storage.remove(tmp_path / "file")
    assert names(tmp_path) == []
    (tmp_path / "folder").mkdir()
    with pytest.raises(StorageError, match="folder"):
        storage.remove(tmp_path / "folder")


def test_publish_gives_a_filled_folder_its_name(tmp_path):
    """The folder appears under its name with all that is in it, and its hidden name is gone."""
    folder = storage.staging_directory(tmp_path / "runs")[0]
    assert folder.name.startswith(".")
    (folder / "file").write_bytes(b"x")
    assert storage.commit(folder, tmp_path / "runs" / "name")
    assert names(tmp_path / "runs") == ["name"]
    assert (tmp_path / "runs" / "name" / "file").read_bytes() == b"x"


@pytest.mark.parametrize("make", [Path.touch, Path.mkdir, lambda path: path.symlink_to("nowhere")])
def test_publish_never_takes_a_name_that_is_taken(tmp_path, make):
    """Even an empty folder keeps its name, and what was to be published stays as it was."""
    folder, target = storage.staging_directory(tmp_path)[0], tmp_path / "name"
    (folder / "file").touch()
    make(target)
    assert storage.commit(folder, target) is False
    assert names(folder) == ["file", "lock"]
    assert not target.is_dir() or names(target) == []


def test_publish_loses_a_race_quietly(tmp_path, monkeypatch):
    """Somebody who takes the name between the look and the rename keeps it."""
    folder, target, rename = storage.staging_directory(tmp_path)[0], tmp_path / "name", Path.rename

    def late(path, new):
        target.mkdir()
        (target / "theirs").touch()
        return rename(path, new)

    monkeypatch.setattr(Path, "rename", late)
    assert storage.commit(folder, target) is False
    assert names(target) == ["theirs"]


def test_publish_tells_what_the_disk_refuses(tmp_path, fail):
    """A rename that fails for any other reason than the name is a storage error."""
    folder = storage.staging_directory(tmp_path)[0]
    fail(Path, "rename", OSError(errno.EIO, os.strerror(errno.EIO)))
    with pytest.raises(StorageError, match="Input/output error"):
        storage.commit(folder, tmp_path / "name")


def test_a_hidden_folder_where_none_can_be_is_a_storage_error(tmp_path):
    """A file in the place of the folder of all runs is told, with exit code 5."""
    (tmp_path / "runs").touch()
    with pytest.raises(StorageError, match="runs") as told:
        storage.staging_directory(tmp_path / "runs")
    assert told.value.exit_code == 5


def test_what_is_no_deserted_folder_is_left_alone(tmp_path):
    """A link or a file of such a name is nobody's copy, and a folder of a copy's name no copy."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / ".new-link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "runs" / ".new-file").touch()
    (tmp_path / "runs" / ".x.0123abcd").mkdir()
    folder, lock = storage.staging_directory(tmp_path / "runs")
    storage.remove_orphans(tmp_path / "runs")
    lock.release()
    assert names(tmp_path / "elsewhere") == []
    assert names(tmp_path / "runs") == sorted([".new-file", ".new-link", ".x.0123abcd", folder.name])


def test_a_name_is_published_after_its_files_and_before_it_is_told(tmp_path, monkeypatch):
    """The filled folder is synced, renamed, and the folder above synced; a folder that is made is synced too."""
    calls, rename = [], Path.rename
    monkeypatch.setattr(storage, "fsync_directory", lambda path: calls.append(f"sync {path.name}"))
    monkeypatch.setattr(Path, "rename", lambda path, target: (calls.append("rename"), rename(path, target))[1])
    runs = tmp_path / "all" / "runs"
    folder = storage.staging_directory(runs)[0]
    assert calls == [f"sync {tmp_path.name}", "sync all"]
    calls.clear()
    assert storage.commit(folder, runs / "one")
    assert calls == [f"sync {folder.name}", "rename", "sync runs"]
