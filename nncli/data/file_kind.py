"""The kind of a file of arrays or of an image, from its first bytes (magic number)."""

import gzip
import zlib
from pathlib import Path
from typing import Literal

from nncli.data.binary_files import open_file

Kind = Literal["npy", "npz", "image", "idx", "gzip", "other"]
STARTS: dict[bytes, Kind] = {
    b"\x93NUMPY": "npy",
    b"PK\3\4": "npz",
    b"PK\5\6": "npz",  # without arrays
    b"\x89PNG": "image",
    b"\xff\xd8": "image",
    b"\0\0": "idx",
    b"\x1f\x8b": "gzip",
}
MAX_START = max(map(len, STARTS))


def file_kind(path: Path) -> Kind:
    """The kind of a file; ``gzip`` if it is compressed and its content is no IDX file.

    Raises:
        SourceError: the file is missing.
        StorageError: the operating system refuses to read it.
    """
    with open_file(path) as (file, _):
        kind = _kind(file.read(MAX_START))
        if kind != "gzip":
            return kind
        file.seek(0)
        try:
            return "idx" if _kind(gzip.GzipFile(fileobj=file).read(MAX_START)) == "idx" else "gzip"
        except (OSError, EOFError, zlib.error):  # the reader of the file reports the damage
            return "gzip"


def _kind(start: bytes) -> Kind:
    return next((kind for known, kind in STARTS.items() if start.startswith(known)), "other")
