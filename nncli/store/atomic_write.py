"""Atomic and durable writes of files and directories; every OSError becomes a StorageError."""

import errno
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from nncli.errors import BusyError, NncliError
from nncli.store.lock import Lock
from nncli.store.safe_read import storage_errors

STAGING = ".new-"  # prefix of a staging directory
STAGING_NAME = r"\.new-[0-9a-f]{16}"
CHOOSE_ANOTHER = "choose another directory with --runs-dir"
REMOVED = ".removed-"  # prefix of a run or a group that is being removed
REMOVED_NAME = r"\.removed-[0-9a-f]{16}"
TEMPORARY_NAME = r"\..+\.[0-9a-f]{8}"
NO_FSYNC = {errno.EINVAL, errno.EBADF, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}  # of a directory, on SMB and FUSE


def write_atomic(path: Path, data: bytes | memoryview) -> None:
    """Write a file atomically and durably: temporary file, fsync, rename, fsync of the directory."""
    with storage_errors(path):
        temporary = _write_temporary(path, data)
        try:
            temporary.replace(path)
        except OSError:
            _unlink(temporary)
            raise
        fsync_directory(path.parent)


def create_atomic(path: Path, data: bytes) -> None:
    """Like ``write_atomic``, but for a file that must not exist yet.

    If the file system has no hard links (exFAT), a kill between two calls can leave an empty file.

    Raises:
        BusyError: the file exists.
    """
    make_directories(path.parent)
    with storage_errors(path):
        temporary = _write_temporary(path, data)
        try:
            _link(temporary, path)
        except FileExistsError:
            raise BusyError(f"{path}: already exists; choose another file name") from None
        finally:
            _unlink(temporary)
        fsync_directory(path.parent)


def _write_temporary(path: Path, data: bytes | memoryview) -> Path:
    """Write the data to a hidden temporary file next to ``path`` and fsync it."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        _unlink(temporary)
        raise
    return temporary


@contextmanager
def replacing(path: Path) -> Iterator[TextIO]:
    """A text stream whose content becomes that of a file when the block ends; after an error nothing is changed.

    A symbolic link stays, and the file that it names is changed. A device or a pipe, which a rename would delete, is
    written to instead.
    """
    with storage_errors(path):
        if path.exists() and not path.is_file():
            with path.open("w", encoding="utf-8", newline="") as stream:
                yield stream
            return
        path = path.resolve()
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        try:
            with temporary.open("x", encoding="utf-8", newline="") as stream:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
            temporary.replace(path)
            fsync_directory(path.parent)
        except BaseException:
            _unlink(temporary)
            raise


def _link(temporary: Path, path: Path) -> None:
    """Give a file a name that does not exist yet, by a hard link; without hard links, rename it over a new empty file.

    Raises:
        FileExistsError: the name exists.
    """
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise
    except OSError:
        path.touch(exist_ok=False)
        try:
            temporary.replace(path)
        except BaseException:
            _unlink(path)
            raise


def _unlink(temporary: Path) -> None:
    with suppress(OSError):
        temporary.unlink()


def remove(path: Path, durable: bool = False) -> None:
    """Remove a file if it exists; if ``durable``, a power failure does not bring it back."""
    with storage_errors(path):
        path.unlink(missing_ok=True)
        if durable:
            fsync_directory(path.parent)


def fsync_directory(path: Path) -> None:
    """Make the names in a directory durable, unless the file system cannot fsync a directory.

    Raises:
        OSError: the file system can, and fails.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in NO_FSYNC:
            raise
    finally:
        os.close(descriptor)


def make_directory(path: Path) -> None:
    """Make a new empty directory."""
    with storage_errors(path):
        path.mkdir()


def make_directories(path: Path, fix: str = "choose another directory") -> None:
    """Make a directory and its missing parents durably; ``fix`` says what to do if that is not possible."""
    with storage_errors(path, f"{fix}, this one cannot be created: "):
        if not path.is_dir():
            make_directories(path.parent, fix)
            path.mkdir(exist_ok=True)
            fsync_directory(path.parent)


def quarantine(path: Path) -> Path:
    """Rename a damaged file, so that it is kept but no longer read; return the new path."""
    quarantined = path.with_name(f"{path.name}.damaged")
    with storage_errors(path):
        path.replace(quarantined)
        fsync_directory(path.parent)
    return quarantined


def remove_orphans(directory: Path) -> None:
    """Clean up the temporary files that killed processes have left in a directory."""
    with storage_errors(directory):
        for path in directory.glob(".*"):
            if re.fullmatch(TEMPORARY_NAME, path.name) and path.is_file():
                remove(path)


def staging_directory(parent: Path) -> tuple[Path, Lock]:
    """A new hidden directory, to be filled and then committed, and the lock in it; orphaned ones are removed."""
    make_directories(parent, CHOOSE_ANOTHER)
    remove_orphaned_staging(parent)
    return _locked_directory(parent)


def remove_orphaned_staging(parent: Path) -> None:
    """Remove the staging directories that killed processes have left in a directory."""
    with storage_errors(parent):
        for name in os.listdir(parent):  # noqa: PTH208 (a group may have many trials)
            if not (name.startswith(STAGING) and re.fullmatch(STAGING_NAME, name)):
                continue
            orphan = parent / name
            if orphan.is_dir() and not orphan.is_symlink():
                with suppress(NncliError):
                    lock = Lock(orphan / "lock")
                    discard(orphan)
                    lock.release()


def _locked_directory(parent: Path, attempts: int = 3) -> tuple[Path, Lock]:
    directory = parent / f"{STAGING}{secrets.token_hex(8)}"
    with storage_errors(parent, f"{CHOOSE_ANOTHER}, no run can be written to this one: "):
        directory.mkdir()
    try:
        return directory, Lock(directory / "lock")
    except NncliError as error:
        # before it was locked, another process may have removed it as an orphan
        was_removed = isinstance(error, BusyError) or not directory.exists()
        discard(directory)
        if attempts == 1 or not was_removed:
            raise
        return _locked_directory(parent, attempts - 1)


def commit(directory: Path, target: Path) -> bool:
    """Rename a staging directory to its final name, atomically and durably; False if that name exists."""
    with storage_errors(target):
        fsync_directory(directory)
        if target.exists() or target.is_symlink():
            return False
        try:
            directory.rename(target)
        except OSError:
            if target.exists():  # another process was faster
                return False
            raise
        fsync_directory(target.parent)
    return True


def publish(directory: Path, parent: Path, name: str, is_numbered: bool) -> Path:
    """Commit a staging directory under a name; if it is taken and ``is_numbered``, the first free one of name-2, ...

    Raises:
        BusyError: the name is taken.
    """
    path, number = parent / name, 1
    while not commit(directory, path):
        if not is_numbered:
            raise BusyError(f"{path}: already exists; choose another name")
        number += 1
        path = parent / f"{name}-{number}"
    return path


def write_staged(path: Path, data: bytes) -> None:
    """Like ``write_atomic``, but what a killed process leaves is removed by the next ``staging_directory``.

    So a directory in which several processes write without a lock of its own stays clean.
    """
    directory, lock = staging_directory(path.parent)
    try:
        write_atomic(directory / path.name, data)
        with storage_errors(path):
            (directory / path.name).replace(path)
            fsync_directory(path.parent)
    finally:
        discard(directory)
        lock.release()


def is_rename_exclusive(directory: Path) -> bool:
    """Whether a directory is never renamed over another one that has a file; two are made in a directory and left."""
    one, other = directory / "one", directory / "other"
    for each in (one, other):
        make_directory(each)
        write_atomic(each / "file", each.name.encode())
    try:
        one.rename(other)
    except OSError:
        return True
    return False


def discard(directory: Path) -> None:
    """Remove a staging directory; errors are ignored, and the next ``staging_directory`` removes what is left."""
    shutil.rmtree(directory, ignore_errors=True)


def set_aside(path: Path) -> Path:
    """Rename a directory to a hidden name beside it, atomically and durably, before it is removed; the new path."""
    with storage_errors(path):
        path = path.resolve()  # it may be "."
        hidden = path.with_name(f"{REMOVED}{secrets.token_hex(8)}")
        path.rename(hidden)
        fsync_directory(path.parent)
    return hidden


def put_back(hidden: Path, path: Path) -> None:
    """Undo ``set_aside`` of a path."""
    with storage_errors(path):
        hidden.rename(hidden.with_name(path.name))
        fsync_directory(hidden.parent)


def remove_directory(path: Path) -> None:
    """Remove a directory and all that is in it; symbolic links are not followed."""
    with storage_errors(path), suppress(FileNotFoundError):  # another process removes the same leftovers
        shutil.rmtree(path)
