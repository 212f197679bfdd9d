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


def put(path: Path, data: bytes) -> None:
    """Write a file so that it is there whole or not at all, and stays after a power cut."""
    with failures(path):
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        try:
            with temporary.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            with suppress(OSError):
                temporary.unlink()
            raise
        sync_folder(path.parent)


def put_new(path: Path, data: bytes) -> None:
    """Write a file where nothing may be before.

    Raises:
        BusyError: something is there.
    """
    with failures(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with path.open("xb") as file:
                file.write(data)
        except FileExistsError:
            raise BusyError(f"{path}: exists already; name another file") from None


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


def hidden_folder(parent: Path) -> Path:
    """A new empty folder under a hidden name, to be filled and then published."""
    with failures(parent):
        parent.mkdir(parents=True, exist_ok=True)
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
        os.close(self._descriptor)


class Lock:
    """The kernel's lock on a file, held until ``release`` or the end of the process, whatever ends it.

    Args:
        path: the file; it is made where it is missing, and never removed.

    Raises:
        BusyError: somebody holds it.
    """

    def __init__(self, path: Path) -> None:
        with failures(path):
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(self._descriptor)
                raise BusyError(f"{path.parent}: another process is training in it") from None

    def release(self) -> None:
        """Let go of the lock."""
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
    finally:
        os.close(descriptor)
    return False
