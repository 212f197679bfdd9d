"""The only module that writes files: put whole, append, lock; every failure becomes a StorageError."""

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from nncli.errors import BusyError, StorageError


@contextmanager
def failures(path: Path) -> Iterator[None]:
    """What the operating system refuses below ``path``, as a StorageError that names it."""
    try:
        yield
    except OSError as error:
        raise StorageError(f"{path}: {error.strerror or error}") from error


def put(path: Path, data: bytes | memoryview) -> None:
    """Write a file so that it is there whole or not at all, and stays after a power cut."""
    with failures(path), _synced_copy(path, data) as temporary:
        temporary.replace(path)
        sync_folder(path.parent)


def put_new(path: Path, data: bytes) -> None:
    """Like ``put``, where nothing may be there before.

    Raises:
        BusyError: something is there.
    """
    make_folders(path.parent)
    with failures(path), _synced_copy(path, data) as temporary:
        try:
            os.link(temporary, path)
        except FileExistsError:
            raise BusyError(f"{path}: already exists; name another file") from None
        sync_folder(path.parent)


@contextmanager
def _synced_copy(path: Path, data: bytes | memoryview) -> Iterator[Path]:
    """The data in a hidden file beside ``path``, on the disk; the file is gone afterwards, if it is still there."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        yield temporary
    finally:
        with suppress(OSError):
            temporary.unlink()


def remove(path: Path) -> None:
    """Remove a file that may be gone already."""
    with failures(path):
        path.unlink(missing_ok=True)


def sync_folder(path: Path) -> None:
    """Make the names in a folder last."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(path: Path) -> None:
    """A new empty folder."""
    with failures(path):
        path.mkdir()


def make_folders(path: Path) -> None:
    """A folder with all folders above it, as far as they are missing; each made name is synced."""
    with failures(path):
        if not path.is_dir():
            make_folders(path.parent)
            path.mkdir(exist_ok=True)
            sync_folder(path.parent)


def hidden_folder(parent: Path) -> Path:
    """A new empty folder under a hidden name, to be filled and then published."""
    make_folders(parent)
    folder = parent / f".new-{secrets.token_hex(8)}"
    make_folder(folder)
    return folder


def publish(folder: Path, target: Path) -> bool:
    """Give a filled folder its name, all at once; False where that name is taken."""
    with failures(target):
        sync_folder(folder)
        if target.exists() or target.is_symlink():
            return False
        try:
            folder.rename(target)
        except OSError:
            if target.exists():  # somebody was faster
                return False
            raise
        sync_folder(target.parent)
    return True


def discard(folder: Path) -> None:
    """Remove a folder that was never published, as far as that is possible."""
    shutil.rmtree(folder, ignore_errors=True)


class Log:
    """A file that only grows; what has been appended is in the file at once, and on the disk after ``sync``.

    Args:
        path: the file, made where it is missing.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with failures(path):
            self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
            self.size = os.fstat(self._descriptor).st_size

    def append(self, data: bytes) -> None:
        """Add bytes at the end."""
        with failures(self.path):
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        self.size += len(data)

    def sync(self) -> None:
        """Make everything appended so far last."""
        with failures(self.path):
            os.fsync(self._descriptor)

    def close(self) -> None:
        """Let go of the file."""
        with failures(self.path):
            os.close(self._descriptor)


class Lock:
    """The kernel's lock on a file, held until ``release`` or the end of the process, whatever ends it.

    Args:
        path: the file; it is made where it is missing, and never removed.

    Raises:
        BusyError: somebody holds it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with failures(path):
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                os.close(self._descriptor)
                if isinstance(error, BlockingIOError):
                    raise BusyError(f"{path.parent}: another process is training in it") from None
                raise

    def release(self) -> None:
        """Let go of the lock."""
        with failures(self.path):
            os.close(self._descriptor)


def is_locked(path: Path) -> bool:
    """Whether somebody holds the lock; asks for a shared one for a moment, where the file can be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # a file system without locks
        return False
    finally:
        os.close(descriptor)
    return False
