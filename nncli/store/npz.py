"""weights.npz, read in the form in which it was written and in no other: plain arrays, stored one after another."""

import io
import math
import struct
import warnings
import zipfile
from collections.abc import Mapping
from typing import IO, TypeAlias

import numpy as np

from nncli.config.diagnostics import sanitized_line, shown
from nncli.nn.parameters import Array, Parameters

Form: TypeAlias = tuple[tuple[int, ...], str]

NPY = ".npy"
END = struct.Struct("<4sHHHHIIH")  # mark, disks, members here and in all, bytes and start of the directory, comment
LOCATOR = struct.Struct("<4sIQI")  # before the end of an archive over 2 GiB: mark, disk, where LARGE_END is, disks
LARGE_END = struct.Struct("<4sQHHIIQQQQ")  # mark, size, versions, disks, members here and in all, bytes and start
ENTRY = 128  # bytes of a member in the directory besides its name: 46, those of ".npy", and 28 where a file is large
LONGEST_HEADER = 512  # characters before an array's numbers; those of two dimensions have 128


def forms(arrays: Mapping[str, Array]) -> dict[str, Form]:
    """The shape and the number format of each array."""
    return {name: (array.shape, array.dtype.str) for name, array in arrays.items()}


def require_same_arrays(found: Mapping[str, Form], wanted: Mapping[str, Form]) -> None:
    """Ask for equal names, shapes and number formats; nothing is cut, repeated or converted to fit.

    Raises:
        ValueError: an array is not the wanted one, or there is another.
    """
    for name in (*wanted, *found):
        if found.get(name) != wanted.get(name):
            given, due = found.get(name, "missing"), wanted.get(name, "none")
            raise ValueError(f"the weights do not fit: {sanitized_line(name)} is {given}, expected {due}")


def read_npz(data: bytes, wanted: Mapping[str, Form]) -> dict[str, Array]:
    """The arrays of an NPZ file.

    Nothing of an array's size is made before its name, shape and number format are the wanted ones.

    Raises:
        ValueError: it is no such file, or holds other arrays.
    """
    _require_small_directory(data, wanted)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _require_stored(archive.infolist())
            found = {member.filename.removesuffix(NPY): _form(archive, member) for member in archive.infolist()}
            require_same_arrays(found, wanted)
            return {name: _numbers(archive, f"{name}{NPY}", *form) for name, form in wanted.items()}
    except (ValueError, MemoryError):
        raise
    except Exception as error:  # what a damaged archive leads zipfile to raise is not documented
        raise ValueError(f"no archive of arrays: {shown(str(error))}") from None


def _require_small_directory(data: bytes, wanted: Mapping[str, Form]) -> None:
    """The archive ends with a directory hardly larger than that of the wanted arrays: an endless one is never read."""
    members, size, start, end = _end(data)
    if start + size != end:
        raise ValueError("no archive of arrays: it does not end as one does")
    most = 2 * sum(ENTRY + len(name.encode()) for name in wanted)
    if size > most:
        raise ValueError(f"the weights do not fit: {members} arrays, expected {len(wanted)}")


def _end(data: bytes) -> tuple[int, int, int, int]:
    """Members, size and start of the directory as the last records of the archive have them, and where these begin."""
    end = len(data) - END.size
    if end < 0 or not data.startswith(b"PK\5\6", end):
        raise ValueError(f"no archive of arrays: its {len(data):,} bytes do not end as one does")
    _, _, _, _, members, size, start, _ = END.unpack_from(data, end)
    locator, large = end - LOCATOR.size, end - LOCATOR.size - LARGE_END.size
    if large < 0 or not data.startswith(b"PK\6\7", locator):
        return members, size, start, end
    _, _, place, _ = LOCATOR.unpack_from(data, locator)
    if place != large or not data.startswith(b"PK\6\6", large):
        raise ValueError("no archive of arrays: its two end records do not stand together")
    *_, members, size, start = LARGE_END.unpack_from(data, large)
    return members, size, start, large


def _require_stored(members: list[zipfile.ZipInfo]) -> None:
    """Each member is as it is in memory, with the name of an array, which no other has."""
    for member in members:
        if member.compress_type != zipfile.ZIP_STORED or member.compress_size != member.file_size:
            raise ValueError(f"{shown(member.filename)} is compressed; arrays are stored as they are")
        if not member.filename.endswith(NPY):
            raise ValueError(f"{shown(member.filename)} is no array")
    if len({member.filename for member in members}) < len(members):
        raise ValueError("two of its arrays have the same name")


def _form(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Form:
    with archive.open(member) as file:
        return _header(file, member.filename)


def _numbers(archive: zipfile.ZipFile, name: str, shape: tuple[int, ...], dtype: str) -> Array:
    with archive.open(name) as file:
        _header(file, name)
        data = file.read(math.prod(shape) * np.dtype(dtype).itemsize)
        if file.read(1):
            raise ValueError(f"{shown(name)} goes on behind its numbers")
    return np.frombuffer(data, dtype).reshape(shape)


def _header(file: IO[bytes], name: str) -> Form:
    """Shape and number format of the array that begins here; the file is left where its numbers begin."""
    try:
        version = np.lib.format.read_magic(file)
        with warnings.catch_warnings(action="error"):  # of headers that only old programs write
            shape, is_fortran, dtype = np.lib.format.read_array_header_1_0(file, max_header_size=LONGEST_HEADER)
    except Exception as error:  # what a damaged header leads Python's own parser to raise is not documented
        raise ValueError(f"{shown(name)} is no array: {shown(str(error))}") from None
    if version != (1, 0) or is_fortran:
        raise ValueError(f"{shown(name)} is an array of another kind; all are of version 1.0 and lie row by row")
    return shape, dtype.str


def pack_npz(parameters: Parameters) -> memoryview:
    """The arrays under their plain names, as an NPZ file; equal arrays give equal bytes."""
    file = io.BytesIO()
    np.savez(file, **parameters.views(parameters.values))  # type: ignore[arg-type]
    return file.getbuffer()
