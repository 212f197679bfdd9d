"""The only module that writes files: put whole, append, lock; every failure becomes a StorageError."""

import fcntl
import hashlib
import os
import re
import secrets
import shutil
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from nncli.errors import BusyError, NncliError, RunError, StorageError

NEW = ".new-"  # begins the name of a folder that is being filled
UNPUBLISHED = re.compile(r"\.new-[0-9a-f]{16}")
COPY = re.compile(r"\..+\.[0-9a-f]{8}")  # the name of a file that is being written


@contextmanager
def failures(path: Path) -> Iterator[None]:
    """What the operating system refuses below ``path``, as a StorageError that names it."""
    try:
        yield
    except OSError as error:
        raise StorageError(f"{path}: {error.strerror or error}") from error


def put(path: Path, data: bytes | memoryview) -> None:
    """Write a file so that it is there whole or not at all, and stays after a power cut."""
    with failures(path):
        temporary = _synced_copy(path, data)
        try:
            temporary.replace(path)
        except OSError:
            _forget(temporary)
            raise
        sync_folder(path.parent)


def put_new(path: Path, data: bytes) -> None:
    """Like ``put``, where nothing may be there before.

    Raises:
        BusyError: something is there.
    """
    make_folders(path.parent)
    with failures(path):
        temporary = _synced_copy(path, data)
        try:
            os.link(temporary, path)
        except FileExistsError:
            raise BusyError(f"{path}: already exists; name another file") from None
        finally:
            _forget(temporary)
        sync_folder(path.parent)


def _synced_copy(path: Path, data: bytes | memoryview) -> Path:
    """The data in a hidden file beside ``path``, on the disk."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        _forget(temporary)
        raise
    return temporary


def _forget(temporary: Path) -> None:
    with suppress(OSError):
        temporary.unlink()


def remove(path: Path, for_good: bool = False) -> None:
    """Remove a file that may be gone already; ``for_good`` so that no power cut brings it back."""
    with failures(path):
        path.unlink(missing_ok=True)
        if for_good:
            sync_folder(path.parent)


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


def set_aside(path: Path) -> Path:
    """Give a file a name under which nobody looks for it; returns that."""
    aside = path.with_name(f"{path.name}.damaged")
    with failures(path):
        path.replace(aside)
        sync_folder(path.parent)
    return aside


def sweep(folder: Path) -> None:
    """Remove the copies that killed processes have left in a folder, beside the files that they were to become."""
    for path in folder.glob(".*"):
        if COPY.fullmatch(path.name) and path.is_file():
            remove(path)


def hidden_folder(parent: Path) -> tuple[Path, "Lock"]:
    """A new folder under a hidden name, to be filled and then published, with the lock in it; removes deserted ones."""
    make_folders(parent)
    for deserted in parent.glob(f"{NEW}*"):
        if UNPUBLISHED.fullmatch(deserted.name) and deserted.is_dir() and not deserted.is_symlink():
            with suppress(NncliError):
                lock = Lock(deserted / "lock")
                discard(deserted)
                lock.release()
    return _locked_folder(parent)


def _locked_folder(parent: Path, attempts: int = 3) -> tuple[Path, "Lock"]:
    folder = parent / f"{NEW}{secrets.token_hex(8)}"
    make_folder(folder)
    try:
        return folder, Lock(folder / "lock")
    except NncliError:
        if attempts == 1:
            raise
        return _locked_folder(parent, attempts - 1)  # it had no lock yet, and was taken for deserted


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
        path: the file.
        kept: what it begins with; what follows in it is cut off.
    """

    def __init__(self, path: Path, kept: bytes) -> None:
        self.path, self.size, self._digest = path, len(kept), hashlib.sha256(kept)
        with failures(path):
            self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW)
            try:
                os.ftruncate(self._descriptor, self.size)
            except OSError:
                os.close(self._descriptor)
                raise

    @property
    def sha256(self) -> str:
        """The digest of all that is in it."""
        return self._digest.hexdigest()

    def append(self, data: bytes) -> None:
        """Add bytes at the end."""
        with failures(self.path):
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        self.size += len(data)
        self._digest.update(data)

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
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
            try:
                _take(descriptor)
                if not os.path.samestat(os.fstat(descriptor), os.stat(path)):  # noqa: PTH116 (removed since it was opened)
                    raise BlockingIOError
            except OSError as error:
                os.close(descriptor)
                if isinstance(error, (BlockingIOError, FileNotFoundError)):
                    raise BusyError(f"{path.parent}: another process is training in it") from None
                raise
        self._descriptor: int | None = descriptor

    def require_held(self, path: Path) -> None:
        """The file under this name is the one that is locked.

        Raises:
            RunError: that was moved or removed, and what is there now may be somebody else's.
        """
        with failures(path):
            held = None if self._descriptor is None else os.fstat(self._descriptor)
            is_held = held is not None and path.exists() and os.path.samestat(held, path.stat())
        if not is_held:
            raise RunError(f"{path.parent}: was moved, or its lock removed; nothing more is written there")

    def release(self) -> None:
        """Let go of the lock, where that has not been done."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            with failures(self.path):
                os.close(descriptor)


def is_locked(path: Path) -> bool:
    """Whether somebody holds the lock, where the file can be read.

    What lies under the name may be anything: a link is not followed, and a pipe not waited for.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        return _is_taken(descriptor)
    except OSError:  # a file system without locks
        return False
    finally:
        os.close(descriptor)


if sys.platform == "linux":  # a lock of the open file, which the kernel tells of without another one being asked for

    def _take(descriptor: int) -> None:
        fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, _whole_file(fcntl.F_WRLCK))

    def _is_taken(descriptor: int) -> bool:
        told: bytes = fcntl.fcntl(descriptor, fcntl.F_OFD_GETLK, _whole_file(fcntl.F_WRLCK))
        return told != _whole_file(fcntl.F_UNLCK)

    def _whole_file(kind: int) -> bytes:
        """The kernel's words for a lock on all of a file: kind, whence, start, length, process."""
        return struct.pack("hhqqi0q", kind, os.SEEK_SET, 0, 0, 0)

else:  # where only a lock that is asked for tells, it is a shared one, for a moment

    def _take(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _is_taken(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False
