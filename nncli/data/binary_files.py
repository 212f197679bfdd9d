"""Strict reading of binary data files: what is damaged, or does not fit into memory, is a message with the path."""

import errno
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedIOBase, BufferedReader
from pathlib import Path
from typing import IO, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from nncli.config.diagnostics import sanitized_line
from nncli.data.source import SourceError
from nncli.errors import NncliError, StorageError

ByteFile: TypeAlias = BufferedIOBase | IO[bytes]  # what zipfile opens is declared as IO

DEFLATE_RATIO = 1032  # the most bytes that one byte of deflated data can stand for
FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
MESSAGES = {
    errno.ENOENT: "no such file",
    errno.ENOTDIR: "no such file: part of the path is not a directory",
    errno.ELOOP: "its symbolic links form a loop",
    errno.ENAMETOOLONG: "the name is too long",
    errno.ENXIO: "is a socket, expected a file",
    errno.EOPNOTSUPP: "is a socket, expected a file",  # on macOS
}


@contextmanager
def open_file(path: Path) -> Iterator[tuple[BufferedReader, int]]:
    """A regular file, or a link to one, and its size in bytes.

    Raises:
        SourceError: it is missing, or no regular file.
        StorageError: the operating system refuses to read it.
    """
    try:
        with os.fdopen(os.open(path, FLAGS), "rb") as file:
            state = os.fstat(file.fileno())
            if not stat.S_ISREG(state.st_mode):
                raise SourceError(f"{path}: is a directory, pipe or device, expected a file")
            yield file, state.st_size
    except IsADirectoryError:  # of fdopen
        raise SourceError(f"{path}: is a directory, expected a file") from None
    except OSError as error:
        if error.errno in MESSAGES:
            raise SourceError(f"{path}: {MESSAGES[error.errno]}") from None
        raise StorageError(f"{path}: {error.strerror or error}") from error


@contextmanager
def damage_errors(where: str, problem: str, file: ByteFile | None = None, fix: str = "") -> Iterator[None]:
    """Report what a decoder raises for a damaged file; for most decoders it is not documented what that is.

    Args:
        where: the path, and the part of the file.
        problem: what is wrong, before the reason that the decoder gives.
        file: the file whose position is reported.
        fix: what to do about it, after the reason.
    """
    try:
        yield
    except NncliError:
        raise
    except Exception as error:
        if isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM:
            raise SourceError(f"{where}: does not fit into memory") from None
        if isinstance(error, OSError) and error.errno not in {None, errno.EINVAL}:  # EINVAL: a damaged offset
            raise
        offset = f"byte {file.tell()}: " if file else ""
        reason = sanitized_line(str(error) or type(error).__name__)
        raise SourceError(f"{where}: {offset}{problem}: {reason}{fix and f'; {fix}'}") from None


def require_memory(where: str, size: int) -> None:
    """Refuse what is larger than the memory of this machine, before any of it is allocated.

    Raises:
        SourceError: it is larger.
    """
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if size > memory:
        gib = f"{size / 2**30:,.1f} GiB, and this machine has {memory / 2**30:,.1f} GiB of memory"
        raise SourceError(f"{where}: needs {gib}")


def read_values(where: str, file: ByteFile, count: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    """The next values of a file (count,), in the byte order of this machine.

    Raises:
        SourceError: the file ends before, or the values do not fit into memory.
    """
    start, size = file.tell(), count * dtype.itemsize
    require_memory(where, size)
    try:
        values = np.empty(count, dtype)
    except MemoryError:
        raise SourceError(f"{where}: its {size:,} bytes of values do not fit into memory") from None
    view, filled = values.view(np.uint8).data, 0
    while filled < size:
        data = file.read(min(size - filled, 2**20))
        if not data:
            problem = f"the file ends after {filled:,} of {size:,} bytes of values"
            raise SourceError(f"{where}: byte {start + filled}: {problem}")
        view[filled : filled + len(data)] = data
        filled += len(data)
    return _native(values)


def _native(values: NDArray[Any]) -> NDArray[Any]:
    """The values in the byte order of this machine, converted in place."""
    if values.dtype.isnative:
        return values
    return values.byteswap(inplace=True).view(values.dtype.newbyteorder(sys.byteorder))
