"""An append-only file with a running SHA-256 checksum."""

import hashlib
import os
from pathlib import Path

from nncli.store.safe_read import storage_errors


class AppendLog:
    """A file that is only appended to; appended bytes are readable at once, and durable after ``sync``.

    Args:
        path: the file, which exists.
        prefix: the content to keep, with which the file begins; the file is truncated after it.

    Raises:
        StorageError: the file cannot be opened or truncated; the methods raise it if they cannot write.
    """

    def __init__(self, path: Path, prefix: bytes) -> None:
        self.path, self.size, self._digest = path, len(prefix), hashlib.sha256(prefix)
        with storage_errors(path):
            self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW)
            try:
                os.ftruncate(self._descriptor, self.size)
            except OSError:
                os.close(self._descriptor)
                raise

    @property
    def sha256(self) -> str:
        """The checksum of the content."""
        return self._digest.hexdigest()

    def append(self, data: bytes) -> None:
        """Append bytes."""
        with storage_errors(self.path):
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        self.size += len(data)
        self._digest.update(data)

    def sync(self) -> None:
        """Make the content durable (fsync)."""
        with storage_errors(self.path):
            os.fsync(self._descriptor)

    def close(self) -> None:
        """Close the file."""
        with storage_errors(self.path):
            os.close(self._descriptor)
