"""The exclusive advisory lock of a run directory: at most one process trains in it."""

import errno
import fcntl
import os
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from nncli.errors import BusyError, NncliError, RunError, StorageError
from nncli.store.safe_read import storage_errors

NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL}
NO_FILE = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO, errno.EOPNOTSUPP}


class Lock:
    """An exclusive advisory lock on a file, held until ``release`` or the end of the process.

    Args:
        path: the lock file; it is created if it is missing, and never removed.

    Raises:
        BusyError: another process holds a lock on the file.
        StorageError: the file cannot be opened, or its file system does not support locks.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with storage_errors(path):
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
            try:
                _acquire(descriptor)
                if not os.path.samestat(os.fstat(descriptor), os.stat(path)):  # noqa: PTH116 (removed after it was opened)
                    raise FileNotFoundError
            except OSError as error:
                try:
                    raise _refusal(path, descriptor, error) from None
                finally:
                    os.close(descriptor)
        self._descriptor: int | None = descriptor

    def require_held(self, path: Path) -> None:
        """Check that the file at this path is still the locked one.

        Raises:
            RunError: it was moved or removed, and another process may now train at this path.
        """
        with storage_errors(path):
            try:
                is_held = self._descriptor is not None and os.path.samestat(os.fstat(self._descriptor), path.stat())
            except (FileNotFoundError, NotADirectoryError):
                is_held = False
        if not is_held:
            reason = "the run directory was moved or its lock file deleted; stopped writing"
            raise RunError(f"{path.parent}: {reason}", path.parent)

    @contextmanager
    def moves_reported(self, path: Path) -> Iterator[None]:
        """Replace a StorageError by the RunError of ``require_held`` if the run was moved meanwhile."""
        try:
            yield
        except StorageError:
            with suppress(StorageError):
                self.require_held(path)
            raise

    def release(self) -> None:
        """Release the lock, if it is still held."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            with storage_errors(self.path):
                os.close(descriptor)


def is_locked(path: Path) -> bool:
    """Whether a process holds the exclusive lock, as training does; a shared lock is not reported.

    The path is untrusted input: a symbolic link is not followed, and opening a pipe does not block.

    Raises:
        StorageError: the file exists but cannot be opened.
    """
    with storage_errors(path):
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
    """The exception for a lock that could not be acquired, with the reason as its message."""
    if isinstance(error, BlockingIOError) and not _is_exclusive(descriptor):
        return BusyError(
            f"{path}: a process that is not a training holds a shared lock on this file;"
            " end that process, or resume a copy of the run"
        )
    if isinstance(error, (BlockingIOError, FileNotFoundError)):
        return BusyError(f"{path.parent}: another process is training in this directory")
    if error.errno in NO_LOCKS:
        return StorageError(
            f"{path.parent.parent}: its file system does not support locks ({error.strerror}), which keep two"
            " processes from training in the same run; use a directory on a local file system: --runs-dir DIRECTORY"
        )
    return StorageError(f"{path}: {error.strerror or error}")


if sys.platform == "linux":  # an open file description lock can be queried without acquiring another one

    def _acquire(descriptor: int) -> None:
        fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, _flock(fcntl.F_WRLCK))

    def _is_exclusive(descriptor: int) -> bool:
        """Whether another process holds an exclusive lock: not even a shared one is compatible with it."""
        conflicting: bytes = fcntl.fcntl(descriptor, fcntl.F_OFD_GETLK, _flock(fcntl.F_RDLCK))
        return conflicting != _flock(fcntl.F_UNLCK)

    def _flock(kind: int) -> bytes:
        """The C struct flock of a lock on the entire file: type, whence, start, length, process."""
        return struct.pack("hhqqi0q", kind, os.SEEK_SET, 0, 0, 0)

else:  # flock cannot be queried; a shared lock is acquired briefly instead

    def _acquire(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _is_exclusive(descriptor: int) -> bool:
        """Whether another process holds an exclusive lock: not even a shared one is compatible with it."""
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False
