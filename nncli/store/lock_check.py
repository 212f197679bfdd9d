"""A self-test of a directory before several processes train in it: locks, exclusive creation, exclusive renaming."""

from pathlib import Path

from nncli.errors import BusyError, StorageError
from nncli.store import atomic_write
from nncli.store.lock import Lock

FIX = "use a directory of a file system that is local, or is mounted with locks: --runs-dir DIRECTORY"


def require_locks(directory: Path) -> None:
    """Require that a directory keeps two processes from training in the same run; nothing is left in it.

    Locks that two machines do not see of each other cannot be found by one of them.

    Raises:
        StorageError: a file cannot be written, or something does not work; the message says what.
    """
    staging, lock = atomic_write.staging_directory(directory)
    try:
        if not _is_refused(staging / "lock"):
            raise StorageError(f"{directory}: its file system gives a lock to two holders at once; {FIX}")
        if not atomic_write.is_rename_exclusive(staging):
            raise StorageError(f"{directory}: its file system renames a directory over another one; {FIX}")
    finally:
        atomic_write.discard(staging)
        lock.release()


def _is_refused(path: Path) -> bool:
    """Whether a lock that is held is refused to a second open file description."""
    try:
        second = Lock(path)
    except BusyError:
        return True
    second.release()
    return False
