"""A file that is only appended to; its SHA-256 is kept up to date as it grows."""

import hashlib
import os
from pathlib import Path

from nncli.store.safe_read import failures


class AppendLog:
    """A file that only grows; what has been appended is in the file at once, and on the disk after ``sync``.

    Args:
        path: the file.
        prefix: what it begins with; what follows in it is cut off.
    """

    def __init__(self, path: Path, prefix: bytes) -> None:
        self.path, self.size, self._digest = path, len(prefix), hashlib.sha256(prefix)
        with failures(path):
            self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW)
            try:
                os.ftruncate(self._descriptor, self.size)
            except OSError:
                os.close(self._descriptor)
                raise

    @property
    def sha256(self) -> str:
        """The digest of all that is in it."""
        return self._digest.hexdigest()

    def append(self, data: bytes) -> None:
        """Add bytes at the end."""
        with failures(self.path):
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        self.size += len(data)
        self._digest.update(data)

    def sync(self) -> None:
        """fsync."""
        with failures(self.path):
            os.fsync(self._descriptor)

    def close(self) -> None:
        """Close the file."""
        with failures(self.path):
            os.close(self._descriptor)
