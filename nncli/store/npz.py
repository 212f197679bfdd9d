"""NPZ files, such as weights.npz, read strictly as untrusted input: uncompressed arrays, all of them expected."""

import io
import math
import struct
import warnings
import zipfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import IO, TypeAlias

import numpy as np

from nncli.config.diagnostics import sanitized_line, shown
from nncli.nn.parameters import Array, Parameters

Signature: TypeAlias = tuple[tuple[int, ...], str]

WEIGHTS_FORMAT = 1  # the format version of weights.npz
NPY = ".npy"
# The records at the end of a ZIP archive; that of ZIP64 is used above 2 GiB.
# signature, disks, members on this disk and in all, directory size and offset, comment
END = struct.Struct("<4sHHHHIIH")
LOCATOR = struct.Struct("<4sIQI")  # signature, disk, offset of the ZIP64 end record, disks
ZIP64_END = struct.Struct("<4sQHHIIQQQQ")  # signature, size, versions, disks, members, directory size and offset
ENTRY = 128  # bytes of a directory entry besides the name: 46, ".npy", and 28 for ZIP64
LONGEST_HEADER = 512  # characters before the values of an array; a two-dimensional array has 128


def signatures(arrays: Mapping[str, Array]) -> dict[str, Signature]:
    """The shape and the dtype of each array."""
    return {name: (array.shape, array.dtype.str) for name, array in arrays.items()}


def require_same_arrays(found: Mapping[str, Signature], expected: Mapping[str, Signature]) -> None:
    """Require equal names, shapes and dtypes; nothing is truncated, broadcast or cast to fit.

    Raises:
        ValueError: an array is missing, unexpected, or of another shape or dtype.
    """
    for name in (*expected, *found):
        if found.get(name) != expected.get(name):
            actual, due = found.get(name, "missing"), expected.get(name, "none")
            raise ValueError(f"the weights do not fit: {sanitized_line(name)} is {actual}, expected {due}")


def read_npz(data: bytes, expected: Mapping[str, Signature]) -> dict[str, Array]:
    """The arrays of an NPZ file.

    Nothing of an array's size is allocated before its name, shape and dtype have been compared with the expected ones.

    Raises:
        ValueError: it is not a valid NPZ file, or contains other arrays.
    """
    with _archive(data, expected) as archive:
        found = {member.filename.removesuffix(NPY): _signature(archive, member) for member in archive.infolist()}
        require_same_arrays(found, expected)
        return {name: _values(archive, f"{name}{NPY}", *signature) for name, signature in expected.items()}


def read_signature(data: bytes, name: str, expected: Collection[str]) -> Signature:
    """The shape and the dtype of one array of an NPZ file, before its values are read.

    Args:
        data: the content of the file.
        name: the array.
        expected: the names of all arrays.

    Raises:
        ValueError: it is not a valid NPZ file, or has no such array.
    """
    with _archive(data, expected) as archive:
        member = next((each for each in archive.infolist() if each.filename == f"{name}{NPY}"), None)
        if member is None:
            raise ValueError(f"it has no array {name}")
        return _signature(archive, member)


@contextmanager
def _archive(data: bytes, expected: Collection[str]) -> Iterator[zipfile.ZipFile]:
    """The ZIP archive, once its directory is known to fit the names of the expected arrays."""
    _require_small_directory(data, expected)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _require_stored(archive.infolist())
            yield archive
    except (ValueError, MemoryError):
        raise
    except Exception as error:  # it is not documented what zipfile raises for a damaged archive
        raise ValueError(f"not an NPZ archive: {shown(str(error))}") from None


def _require_small_directory(data: bytes, expected: Collection[str]) -> None:
    """Require a ZIP directory at the end whose size fits the expected arrays, before zipfile reads it."""
    members, size, start, end = _end(data)
    if start + size != end:
        raise ValueError("not an NPZ archive: its directory is not at the end")
    largest = 2 * sum(ENTRY + len(name.encode()) for name in expected)
    if size > largest:
        raise ValueError(f"the weights do not fit: {members} arrays, expected {len(expected)}")


def _end(data: bytes) -> tuple[int, int, int, int]:
    """The number of members, the size and offset of the directory, and the offset of the first end record."""
    end = len(data) - END.size
    if end < 0 or not data.startswith(b"PK\5\6", end):
        raise ValueError(f"not an NPZ archive: no end record in its {len(data):,} bytes")
    _, _, _, _, members, size, start, _ = END.unpack_from(data, end)
    locator, zip64_end = end - LOCATOR.size, end - LOCATOR.size - ZIP64_END.size
    if zip64_end < 0 or not data.startswith(b"PK\6\7", locator):
        return members, size, start, end
    _, _, offset, _ = LOCATOR.unpack_from(data, locator)
    if offset != zip64_end or not data.startswith(b"PK\6\6", zip64_end):
        raise ValueError("not an NPZ archive: its two end records are not adjacent")
    *_, members, size, start = ZIP64_END.unpack_from(data, zip64_end)
    return members, size, start, zip64_end


def _require_stored(members: list[zipfile.ZipInfo]) -> None:
    """Require uncompressed members with the names of arrays, each of them once."""
    for member in members:
        if member.compress_type != zipfile.ZIP_STORED or member.compress_size != member.file_size:
            raise ValueError(f"{shown(member.filename)} is compressed, expected an uncompressed array")
        if not member.filename.endswith(NPY):
            raise ValueError(f"{shown(member.filename)} is not an array")
    if len({member.filename for member in members}) < len(members):
        raise ValueError("two of its arrays have the same name")


def _signature(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Signature:
    with archive.open(member) as file:
        return _header(file, member.filename)


def _values(archive: zipfile.ZipFile, name: str, shape: tuple[int, ...], dtype: str) -> Array:
    with archive.open(name) as file:
        _header(file, name)
        data = file.read(math.prod(shape) * np.dtype(dtype).itemsize)
        if file.read(1):
            raise ValueError(f"{shown(name)} has more bytes than its values")
    return np.frombuffer(data, dtype).reshape(shape)


def _header(file: IO[bytes], name: str) -> Signature:
    """The shape and the dtype of the array at the start of a file, whose position is then at the values."""
    try:
        version = np.lib.format.read_magic(file)
        with warnings.catch_warnings(action="error"):  # about headers that only Python 2 wrote
            shape, is_fortran, dtype = np.lib.format.read_array_header_1_0(file, max_header_size=LONGEST_HEADER)
    except Exception as error:  # it is not documented what Python's parser raises for a damaged header
        raise ValueError(f"{shown(name)} is not an array: {shown(str(error))}") from None
    if version != (1, 0) or is_fortran:
        raise ValueError(f"{shown(name)} is not in C order or not of NPY version 1.0")
    return shape, dtype.str


def pack_npz(parameters: Parameters) -> bytes:
    """The arrays of a network under their names as an NPZ file; equal arrays give equal bytes."""
    return pack_arrays(parameters.views(parameters.values))


def pack_arrays(arrays: Mapping[str, Array]) -> bytes:
    """Arrays under their names as an NPZ file, as ``np.savez`` writes it, but faster; equal arrays give equal bytes."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}{NPY}", "w", force_zip64=True) as member:
                np.lib.format.write_array_header_1_0(member, np.lib.format.header_data_from_array_1_0(array))
                member.write(np.ascontiguousarray(array).data)
    return file.getvalue()  # a view from getbuffer() in a cycle of garbage crashes Python before 3.12.2
