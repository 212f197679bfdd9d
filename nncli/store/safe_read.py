"""Access to files: reading that trusts nothing, and what the system refuses as a StorageError."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nncli.errors import RunError, StorageError
from nncli.experiment.available_memory import available_memory, in_units

LARGE = 2**28  # bytes; a smaller file is read without a look at the memory
NOTHING = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG}
OPENED = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
WORDS = {
    errno.ENOENT: "missing",
    errno.ELOOP: "is a symbolic link; a run holds its files itself",
    errno.ENOTDIR: "is no folder, or a symbolic link to one",
    errno.ENXIO: "is a socket, and no file",
    errno.EOPNOTSUPP: "is a socket, and no file",  # on macOS
}


@contextmanager
def failures(path: Path) -> Iterator[None]:
    """What the operating system refuses at ``path``, as a StorageError that names it."""
    try:
        yield
    except OSError as error:
        raise StorageError(f"{path}: {error.strerror or error}") from error


def read(folder: Path, name: str, most: int) -> bytes:
    """The bytes of a regular file; what is appended to it meanwhile is not read.

    Args:
        folder: where to begin; it may itself be a link.
        name: the file in it, behind the names of inner folders and "/" where it lies deeper.
        most: bytes; a larger file is refused before any of it is read.

    Raises:
        RunError: it is missing, too large, no regular file, or behind a link.
        StorageError: the system refuses to read it.
    """
    path = folder / name
    with _refusals(path), _opened(folder, *name.split("/")) as descriptor:
        state = os.fstat(descriptor)
        if not stat.S_ISREG(state.st_mode):
            raise RunError(f"{path}: is a folder or a device, and no file")
        if state.st_size > most:
            raise RunError(f"{path}: has {state.st_size:,} bytes; in this run it can have no more than {most:,}")
        _require_memory(path, state.st_size)
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(state.st_size)


def listed(folder: Path, name: str) -> list[str]:
    """The names in an inner folder; none where there is no such folder.

    Raises:
        RunError: it is a link, or something else than a folder.
        StorageError: the system refuses to read it.
    """
    with _refusals(folder / name):
        try:
            with _opened(folder, name, ".") as descriptor:
                return os.listdir(descriptor)  # noqa: PTH208 (of a descriptor)
        except FileNotFoundError:
            return []


def is_there(path: Path) -> bool:
    """Whether anything has this name, a link that leads nowhere too.

    Raises:
        StorageError: the system does not say.
    """
    with failures(path):
        try:
            os.lstat(path)
        except OSError as error:
            if error.errno in NOTHING:
                return False
            raise
    return True


def size(path: Path) -> int:
    """The size in bytes of what has this name, which is not opened; 0 where nothing has.

    Raises:
        StorageError: the system refuses to say.
    """
    with _refusals(path):
        try:
            return os.lstat(path).st_size
        except (FileNotFoundError, NotADirectoryError):
            return 0


def _require_memory(path: Path, size: int) -> None:
    """Refuse a file that is larger than the memory of this process, as one of a run from elsewhere may be."""
    if size > LARGE:
        there = available_memory()
        if size > there.bytes:
            raise StorageError(f"{path}: has {in_units(size)}, and {there.owner} has {in_units(there.bytes)} of memory")


@contextmanager
def _opened(folder: Path, *steps: str) -> Iterator[int]:
    """A descriptor of what is reached from a folder by these steps, each of which but the last is a real folder."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for number, step in enumerate(steps, 1):
            inner = os.open(step, OPENED | (os.O_DIRECTORY if number < len(steps) else 0), dir_fd=descriptor)
            os.close(descriptor)
            descriptor = inner
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def _refusals(path: Path) -> Iterator[None]:
    """What is not there, or is no file, as a RunError that names the path; any other error says nothing of the run."""
    with failures(path):
        try:
            yield
        except OSError as error:
            if error.errno in WORDS:
                raise RunError(f"{path}: {WORDS[error.errno]}") from None
            raise
