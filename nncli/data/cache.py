"""The cache of large files: entries with parsed and encoded rows, written atomically.

The name of an entry is a hash of everything that determines its bytes. It is written to a temporary file, synced
(fsync), and renamed. Its checksum is verified when it is opened; a damaged entry is deleted and written again. No other
module of ``data/`` writes files.
"""

import errno
import fcntl
import hashlib
import io
import json
import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nncli.data.stored_array import StoredArray, stored_array
from nncli.errors import StorageError

Array = NDArray[Any]

LARGE = 2**26  # bytes; smaller files are not cached, as they are read in a second or two
VARIABLE = "NNCLI_CACHE_DIR"
SUFFIX, UNFINISHED = ".rows", ".writing"
MAGIC = b"nncli rows 1\n"
BLOCK = 2**20  # bytes
ALIGNMENT = 64  # bytes
SETTLED = 3  # seconds since the last change, after which another change has another time; at most 2 s resolution
FOOTER = 8 + hashlib.sha256().digest_size  # the size of the description, and the checksum


class EntryFile(NamedTuple):
    """A file of the cache: its path, its size in bytes, and whether it is complete."""

    path: Path
    size: int
    is_complete: bool


class OpenFile(io.FileIO):
    """A file that is closed when nothing uses it any more."""

    def __del__(self) -> None:
        self.close()


class Entry:
    """A complete entry, which stays readable if its file is deleted.

    Args:
        file: the open file.
        description: the positions of its arrays, and the facts that the writer returned.
    """

    def __init__(self, file: io.FileIO, description: dict[str, Any]) -> None:
        self._file, self.facts = file, description["facts"]
        self._arrays = description["arrays"]

    def array(self, index: int) -> Array | StoredArray:
        """An array (N, …), of which only the rows that are used are read."""
        offset, dtype, shape = self._arrays[index]
        return stored_array(self._file, offset, np.dtype(dtype), tuple(shape))


class Writer:
    """Writes the arrays of an entry, one after the other."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._digest, self.arrays = file, hashlib.sha256(), list[Any]()
        self.write(MAGIC)

    def add(self, dtype: np.dtype[Any], shape: tuple[int, ...], chunks: Iterator[Array]) -> None:
        """Write an array, given in chunks of rows."""
        self.write(bytes(-self._file.tell() % ALIGNMENT))
        self.arrays.append((self._file.tell(), dtype.str, shape))
        for chunk in chunks:
            self.write(np.ascontiguousarray(chunk, dtype).data)

    def write(self, data: Any) -> None:
        """Write bytes, and add them to the checksum."""
        self._file.write(data)
        self._digest.update(data)

    def finish(self, facts: Any) -> None:
        """Write the description of the entry, and its checksum."""
        description = json.dumps({"arrays": self.arrays, "facts": facts}).encode()
        self.write(description)
        self.write(len(description).to_bytes(8, "little"))
        self._file.write(self._digest.digest())


def directory() -> Path:
    """The cache directory: that of NNCLI_CACHE_DIR, else nncli in the cache directory of the user (XDG)."""
    given, base = os.environ.get(VARIABLE), os.environ.get("XDG_CACHE_HOME", "")
    return Path(given) if given else (Path(base) if Path(base).is_absolute() else Path.home() / ".cache") / "nncli"


def created_directory() -> Path:
    """The cache directory, which is created if it is missing."""
    directory().mkdir(parents=True, exist_ok=True)
    return directory()


def is_cached(path: Path) -> bool:
    """Whether the rows of a file are cached: it is large, and can be read again."""
    return path.is_file() and path.stat().st_size >= LARGE


def content_digest(path: Path) -> str:
    """SHA-256 of the content of a file.

    The digest is cached by path, inode, size and times of the file, unless the last change is so recent that another
    one could have the same time. A file that is changed while the clock is set back is not detected.

    Raises:
        StorageError: the operating system refuses to read it.
    """
    try:
        state = path.stat()
        if time.time() - max(state.st_mtime, state.st_ctime) < SETTLED:
            return _digest(path)
        times = (state.st_size, state.st_mtime_ns, state.st_ctime_ns)
        key = key_of("content", str(path.resolve()), state.st_dev, state.st_ino, *times)
        return str(entry(key, lambda writer: _digest(path)).facts)
    except OSError as error:
        raise StorageError(f"{path}: {error.strerror or error}") from None


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def key_of(*parts: Any) -> str:
    """The key of an entry: a hash of the JSON values that determine it."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def entry(key: str, write: Callable[[Writer], Any]) -> Entry:
    """Return the entry with this key; write it if it is missing or damaged.

    Args:
        key: the key.
        write: writes the arrays, and returns further facts as JSON values.

    Raises:
        StorageError: it cannot be written.
    """
    found = find(key)
    while found is None:
        with storage_errors():
            _write(key, write)
        found = find(key)
    return found


def find(key: str) -> Entry | None:
    """The entry with this key; None if there is none. A damaged one is deleted."""
    path = directory() / f"{key}{SUFFIX}"
    try:
        file = OpenFile(path)
    except OSError:
        return None
    description = _verified(file)
    if description is None:
        file.close()
        with suppress(OSError):
            path.unlink()
        return None
    return Entry(file, description)


def files() -> list[EntryFile]:
    """The files of the cache, in the order of their names."""
    found = list[EntryFile]()
    for path in sorted(directory().glob("*")):
        if path.suffix in {SUFFIX, UNFINISHED}:
            with suppress(FileNotFoundError):  # another process has renamed or deleted it
                found.append(EntryFile(path, path.stat().st_size, path.suffix == SUFFIX))
    return found


def clear() -> list[EntryFile]:
    """Delete all files of the cache that are not being written, and return them. Running trainings continue.

    Raises:
        StorageError: one cannot be deleted.
    """
    deleted = [each for each in files() if each.is_complete or _delete_abandoned(each.path)]
    with storage_errors():
        for each in deleted:
            each.path.unlink(missing_ok=True)
    return deleted


def _write(key: str, write: Callable[[Writer], Any]) -> None:
    """Write an entry. If several processes write it, the last one wins; all of them write the same bytes."""
    created_directory()
    for each in files():
        if not each.is_complete:
            _delete_abandoned(each.path)
    temporary, file = _unfinished(key)
    try:
        with file:
            writer = Writer(file)
            writer.finish(write(writer))
            file.flush()
            os.fsync(file.fileno())
            temporary.replace(directory() / f"{key}{SUFFIX}")
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise


def _unfinished(key: str) -> tuple[Path, BinaryIO]:
    """A new file, which is locked as long as it is open."""
    while True:
        path = directory() / f"{key}.{secrets.token_hex(4)}{UNFINISHED}"
        file = path.open("xb")
        fcntl.flock(file, fcntl.LOCK_EX)
        if path.exists():
            return path, file
        file.close()  # another process has deleted it before it was locked


def _delete_abandoned(path: Path) -> bool:
    """Delete an unfinished entry if its process was killed, and return whether it is gone."""
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()  # while it is locked, so that its process notices
    except OSError as error:
        return error.errno == errno.ENOENT
    return True


def _verified(file: io.FileIO) -> dict[str, Any] | None:
    """The description of an entry; None if it is damaged."""
    try:
        rest, digest = os.fstat(file.fileno()).st_size, hashlib.sha256()
        rest -= hashlib.sha256().digest_size
        while rest > 0 and (block := file.read(min(BLOCK, rest))):
            digest.update(block)
            rest -= len(block)
        if rest or file.read() != digest.digest():
            return None
        file.seek(-FOOTER, os.SEEK_END)
        size = int.from_bytes(file.read(8), "little")
        file.seek(-FOOTER - size, os.SEEK_END)
        description: dict[str, Any] = json.loads(file.read(size))
    except (OSError, ValueError):
        return None
    return description


@contextmanager
def storage_errors() -> Iterator[None]:
    """Convert an OSError into a StorageError with a fix."""
    try:
        yield
    except OSError as error:
        place = f"name another directory with --cache-dir or {VARIABLE}"
        raise StorageError(f"{error.filename or directory()}: {error.strerror or error}; {place}") from error
