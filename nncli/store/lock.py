"""The exclusive advisory lock of a run directory, which at most one trainer holds."""

import errno
import fcntl
import os
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from nncli.errors import BusyError, NncliError, RunError, StorageError
from nncli.store.safe_read import failures

NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL}
NO_FILE = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO, errno.EOPNOTSUPP}


class Lock:
    """The kernel's lock on a file, held until ``release`` or the end of the process, whatever ends it.

    Args:
        path: the file; it is made where it is missing, and never removed.

    Raises:
        BusyError: another process holds a lock on the file.
        StorageError: the file cannot be opened, or its file system does not support locks.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with failures(path):
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
            try:
                _take(descriptor)
                if not os.path.samestat(os.fstat(descriptor), os.stat(path)):  # noqa: PTH116 (removed since it was opened)
                    raise FileNotFoundError
            except OSError as error:
                try:
                    raise _refusal(path, descriptor, error) from None
                finally:
                    os.close(descriptor)
        self._descriptor: int | None = descriptor

    def require_held(self, path: Path) -> None:
        """The file under this name is the one that is locked.

        Raises:
            RunError: that was moved or removed, and what is there now may be somebody else's.
        """
        with failures(path):
            try:
                is_held = self._descriptor is not None and os.path.samestat(os.fstat(self._descriptor), path.stat())
            except (FileNotFoundError, NotADirectoryError):
                is_held = False
        if not is_held:
            raise RunError(f"{path.parent}: was moved, or its lock removed; nothing more is written there")

    @contextmanager
    def moves_reported(self, path: Path) -> Iterator[None]:
        """Report a StorageError inside as the RunError of ``require_held``, where the run was moved meanwhile."""
        try:
            yield
        except StorageError:
            with suppress(StorageError):
                self.require_held(path)
            raise

    def release(self) -> None:
        """Let go of the lock, where that has not been done."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            with failures(self.path):
                os.close(descriptor)


def is_locked(path: Path) -> bool:
    """Whether a trainer holds the lock: it is exclusive, unlike that of a program that reads or copies the file.

    What lies under the name may be anything: a link is not followed, and a pipe not waited for.

    Raises:
        StorageError: the file is there, and cannot be opened.
    """
    with failures(path):
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError as error:
            if error.errno in NO_FILE:
                return False
            raise
    try:
        return _is_exclusive(descriptor)
    except OSError:  # a file system without locks
        return False
    finally:
        os.close(descriptor)


def _refusal(path: Path, descriptor: int, error: OSError) -> NncliError:
    """The error that says why the lock could not be taken."""
    if isinstance(error, BlockingIOError) and not _is_exclusive(descriptor):
        return BusyError(
            f"{path}: another process that does not train holds a shared lock on this file;"
            " end that process, or resume a copy of the run"
        )
    if isinstance(error, (BlockingIOError, FileNotFoundError)):
        return BusyError(f"{path.parent}: another process is training in it")
    if error.errno in NO_LOCKS:
        return StorageError(
            f"{path.parent.parent}: its file system does not support locks ({error.strerror}), and without one two"
            " processes could train in the same run; use a directory on a local file system: --runs DIRECTORY"
        )
    return StorageError(f"{path}: {error.strerror or error}")


if sys.platform == "linux":  # an open file description lock, which can be queried without acquiring another one

    def _take(descriptor: int) -> None:
        fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, _whole_file(fcntl.F_WRLCK))

    def _is_exclusive(descriptor: int) -> bool:
        """Whether another process holds a lock that not even a shared one is compatible with."""
        conflicting: bytes = fcntl.fcntl(descriptor, fcntl.F_OFD_GETLK, _whole_file(fcntl.F_RDLCK))
        return conflicting != _whole_file(fcntl.F_UNLCK)

    def _whole_file(kind: int) -> bytes:
        """The struct flock of a lock on all of a file: kind, whence, start, length, process."""
        return struct.pack("hhqqi0q", kind, os.SEEK_SET, 0, 0, 0)

else:  # where a lock cannot be queried, a shared one is acquired for a moment

    def _take(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _is_exclusive(descriptor: int) -> bool:
        """Whether another process holds a lock that not even a shared one is compatible with."""
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False
