"""The exclusive advisory lock of a run directory, which at most one trainer holds."""

import fcntl
import os
import struct
import sys
from pathlib import Path

from nncli.errors import BusyError, RunError
from nncli.run.files import failures


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
