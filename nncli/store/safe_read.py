"""Reading of files as untrusted input: bounded in size, regular files only, no symbolic links."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nncli.errors import RunError, StorageError, reason_of
from nncli.experiment.available_memory import available_memory, format_bytes

LARGE = 2**28  # bytes; smaller files are read without a comparison with the available memory
NOT_FOUND = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG}
READ_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
MESSAGES = {
    errno.ENOENT: "missing",
    errno.ELOOP: "is a symbolic link, expected a file in the run directory itself",
    errno.ENOTDIR: "is not a directory, or is a symbolic link to one",
    errno.ENXIO: "is a socket, expected a file",
    errno.EOPNOTSUPP: "is a socket, expected a file",  # on macOS
}


@contextmanager
def storage_errors(path: Path, problem: str = "") -> Iterator[None]:
    """Convert an OSError into a StorageError that names the path, and the problem before its reason."""
    try:
        yield
    except OSError as error:
        raise StorageError(f"{path}: {problem}{reason_of(error)}") from error


def read(directory: Path, name: str, limit: int) -> bytes:
    """The bytes of a regular file; bytes that are appended meanwhile are not read.

    Args:
        directory: where to begin; it may be a symbolic link.
        name: the file's path in it, with "/" between directories, none of which may be a link.
        limit: bytes; a larger file is refused before any of it is read.

    Raises:
        RunError: it is missing, too large, not a regular file, or reached through a link.
        StorageError: the operating system refuses to read it, or it does not fit into memory.
    """
    path = directory / name
    with _missing_as_run_error(path), _opened(directory, *name.split("/")) as descriptor:
        state = os.fstat(descriptor)
        if not stat.S_ISREG(state.st_mode):
            raise RunError(f"{path}: is a directory or a device, expected a file")
        if state.st_size > limit:
            raise RunError(f"{path}: has {state.st_size:,} bytes, expected at most {limit:,} in this run")
        _require_memory(path, state.st_size)
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(state.st_size)


def list_directory(directory: Path, name: str) -> list[str]:
    """The names in a subdirectory; none if it does not exist.

    Raises:
        RunError: it is a symbolic link, or not a directory.
        StorageError: the operating system refuses to read it.
    """
    with _missing_as_run_error(directory / name):
        try:
            with _opened(directory, name, ".") as descriptor:
                return os.listdir(descriptor)  # noqa: PTH208 (of a descriptor)
        except FileNotFoundError:
            return []


def exists(path: Path) -> bool:
    """Whether anything has this name, a broken symbolic link included.

    Raises:
        StorageError: the operating system refuses to say.
    """
    with storage_errors(path):
        try:
            os.lstat(path)
        except OSError as error:
            if error.errno in NOT_FOUND:
                return False
            raise
    return True


def size(path: Path) -> int:
    """The size of a file in bytes, without opening it; 0 if it does not exist.

    Raises:
        StorageError: the operating system refuses to say.
    """
    with _missing_as_run_error(path):
        try:
            return os.lstat(path).st_size
        except (FileNotFoundError, NotADirectoryError):
            return 0


def _require_memory(path: Path, size: int) -> None:
    """Refuse a file that is larger than the memory of this process."""
    if size > LARGE:
        memory = available_memory()
        if size > memory.bytes:
            raise StorageError(
                f"{path}: has {format_bytes(size)}, and {memory.owner} has {format_bytes(memory.bytes)} of memory"
            )


@contextmanager
def _opened(directory: Path, *names: str) -> Iterator[int]:
    """A file descriptor for a path below a directory; all names but the last are real directories."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for index, name in enumerate(names, 1):
            inner = os.open(name, READ_FLAGS | (os.O_DIRECTORY if index < len(names) else 0), dir_fd=descriptor)
            os.close(descriptor)
            descriptor = inner
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def _missing_as_run_error(path: Path) -> Iterator[None]:
    """Report a missing file, a link or a special file as a RunError; other errors do not concern the run itself."""
    with storage_errors(path):
        try:
            yield
        except OSError as error:
            if error.errno in MESSAGES:
                raise RunError(f"{path}: {MESSAGES[error.errno]}") from None
            raise
