"""Files and directories, written atomically and durably; every failure becomes a StorageError."""

import errno
import os
import re
import secrets
import shutil
from contextlib import suppress
from pathlib import Path

from nncli.errors import BusyError, NncliError
from nncli.store.lock import Lock
from nncli.store.safe_read import failures

NEW = ".new-"  # begins the name of a folder that is being filled
UNPUBLISHED = re.compile(r"\.new-[0-9a-f]{16}")
NO_FSYNC = {errno.EINVAL, errno.EBADF, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}  # of a directory, on SMB and FUSE
COPY = re.compile(r"\..+\.[0-9a-f]{8}")  # the name of a file that is being written


def write_atomic(path: Path, data: bytes | memoryview) -> None:
    """Write a file so that it is there whole or not at all, and stays after a power cut."""
    with failures(path):
        temporary = _synced_copy(path, data)
        try:
            temporary.replace(path)
        except OSError:
            _forget(temporary)
            raise
        fsync_directory(path.parent)


def create_atomic(path: Path, data: bytes) -> None:
    """Like ``put``, where nothing may be there before.

    Where the file system has no hard links (exFAT), a kill in the middle can leave an empty file.

    Raises:
        BusyError: something is there.
    """
    make_directories(path.parent)
    with failures(path):
        temporary = _synced_copy(path, data)
        try:
            _link(temporary, path)
        except FileExistsError:
            raise BusyError(f"{path}: already exists; name another file") from None
        finally:
            _forget(temporary)
        fsync_directory(path.parent)


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


def _link(temporary: Path, path: Path) -> None:
    """Give a file a name that nothing has, by a hard link; without hard links by renaming it over a new, empty file.

    Raises:
        FileExistsError: something has the name.
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
            _forget(path)
            raise


def _forget(temporary: Path) -> None:
    with suppress(OSError):
        temporary.unlink()


def remove(path: Path, for_good: bool = False) -> None:
    """Remove a file that may be gone already; ``for_good`` so that no power cut brings it back."""
    with failures(path):
        path.unlink(missing_ok=True)
        if for_good:
            fsync_directory(path.parent)


def fsync_directory(path: Path) -> None:
    """Make the names in a directory durable, as far as its file system can: some refuse to fsync a directory."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in NO_FSYNC:
            raise
    finally:
        os.close(descriptor)


def make_directory(path: Path) -> None:
    """A new empty folder."""
    with failures(path):
        path.mkdir()


def make_directories(path: Path) -> None:
    """A folder with all folders above it, as far as they are missing; each made name is synced."""
    with failures(path):
        if not path.is_dir():
            make_directories(path.parent)
            path.mkdir(exist_ok=True)
            fsync_directory(path.parent)


def quarantine(path: Path) -> Path:
    """Give a file a name under which nobody looks for it; returns that."""
    aside = path.with_name(f"{path.name}.damaged")
    with failures(path):
        path.replace(aside)
        fsync_directory(path.parent)
    return aside


def remove_orphans(folder: Path) -> None:
    """Remove the copies that killed processes have left in a folder, beside the files that they were to become."""
    with failures(folder):
        for path in folder.glob(".*"):
            if COPY.fullmatch(path.name) and path.is_file():
                remove(path)


def staging_directory(parent: Path) -> tuple[Path, Lock]:
    """A new folder under a hidden name, to be filled and then published, with the lock in it; removes deserted ones."""
    make_directories(parent)
    with failures(parent):
        for deserted in parent.glob(f"{NEW}*"):
            if UNPUBLISHED.fullmatch(deserted.name) and deserted.is_dir() and not deserted.is_symlink():
                with suppress(NncliError):
                    lock = Lock(deserted / "lock")
                    discard(deserted)
                    lock.release()
    return _locked_folder(parent)


def _locked_folder(parent: Path, attempts: int = 3) -> tuple[Path, Lock]:
    folder = parent / f"{NEW}{secrets.token_hex(8)}"
    make_directory(folder)
    try:
        return folder, Lock(folder / "lock")
    except NncliError as error:
        # without a lock yet, it may have been taken for deserted, and removed
        was_swept = isinstance(error, BusyError) or not folder.exists()
        discard(folder)
        if attempts == 1 or not was_swept:
            raise
        return _locked_folder(parent, attempts - 1)


def commit(folder: Path, target: Path) -> bool:
    """Give a filled folder its name, all at once; False where that name is taken."""
    with failures(target):
        fsync_directory(folder)
        if target.exists() or target.is_symlink():
            return False
        try:
            folder.rename(target)
        except OSError:
            if target.exists():  # somebody was faster
                return False
            raise
        fsync_directory(target.parent)
    return True


def discard(folder: Path) -> None:
    """Remove a folder that was never published, as far as that is possible."""
    shutil.rmtree(folder, ignore_errors=True)
