"""NPY and NPZ files, NumPy's formats of arrays, read strictly and without pickle."""

import warnings
import zipfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nncli.config.diagnostics import shown
from nncli.data.binary_files import DEFLATE_RATIO, ByteFile, damage_errors, open_file, read_values, require_memory
from nncli.data.source import SourceError

NPY = ".npy"
KINDS = {"b", "i", "u", "f", "U", "S"}  # of dtypes: booleans, integers, real numbers, text, bytes
ENCRYPTED = 1  # a flag of ZIP
COMPRESSIONS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}  # of numpy.savez and numpy.savez_compressed


class ArrayHeader(NamedTuple):
    """The header of an array in a file."""

    shape: tuple[int, ...]
    is_fortran: bool
    dtype: np.dtype[Any]

    @property
    def order(self) -> Any:
        """The order of the values, as NumPy names it: F is column-major, C row-major."""
        return "F" if self.is_fortran else "C"

    @property
    def size(self) -> int:
        """The size of the values in bytes."""
        return prod(self.shape) * self.dtype.itemsize


def open_npy(path: Path) -> NDArray[Any]:
    """The array of an NPY file as a read-only memory map: only the rows that are used are read.

    Column-major order and the byte order of another machine stay as they are; NumPy computes with them as with any
    other array. The file must not be shortened while the array is in use.

    Raises:
        SourceError: the file is missing or damaged, or its array has neither numbers nor text.
        StorageError: the operating system refuses to read it.
    """
    with open_file(path) as (file, size):
        header = _header(str(path), file)
        _require_size(str(path), header, file.tell(), size)
        if not header.shape or not header.size:
            raise SourceError(f"{path}: an array of shape {header.shape} has no rows of values")
        with damage_errors(str(path), "cannot be mapped into memory"):
            values = np.memmap(file, header.dtype, "r", file.tell(), header.shape, header.order)
        return np.asarray(values)


def npz_names(path: Path) -> set[str]:
    """The names of the arrays of an NPZ file.

    Raises:
        SourceError: the file is missing or damaged, or has members that are not arrays.
        StorageError: the operating system refuses to read it.
    """
    with _opened(path) as archive:
        return {_name(member) for member in archive.infolist()}


def read_npz(path: Path, names: Collection[str] | None = None) -> dict[str, NDArray[Any]]:
    """The arrays of an NPZ file by name, compressed or not, in the byte order of this machine.

    Args:
        path: the file.
        names: the names of the arrays that are read; all of them if None.

    Raises:
        SourceError: the file is missing or damaged, has members that are not arrays of numbers or text, or does not
            fit into memory.
        StorageError: the operating system refuses to read it.
    """
    with _opened(path) as archive:
        members = [each for each in archive.infolist() if names is None or _name(each) in names]
        require_memory(str(path), sum(member.file_size for member in members))
        return {_name(member): _array(path, archive, member) for member in members}


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open an NPZ file, all of whose members have the suffix of arrays."""
    with (
        open_file(path) as (file, _),
        damage_errors(str(path), "not an NPZ archive, or a damaged one"),
        zipfile.ZipFile(file) as archive,
    ):
        _require_arrays(path, archive.infolist())
        yield archive


def _name(member: zipfile.ZipInfo) -> str:
    return member.filename.removesuffix(NPY)


def _require_arrays(path: Path, members: list[zipfile.ZipInfo]) -> None:
    """Require at least one member, unique names of arrays, and a plausible compression ratio (no ZIP bomb)."""
    if not members:
        raise SourceError(f"{path}: the archive has no array")
    names = set[str]()
    for member in members:
        where = f"{path}: {shown(member.filename)}"
        if not member.filename.endswith(NPY):
            raise SourceError(f"{where} is not an array; its name does not end with {NPY}")
        if member.filename in names:
            raise SourceError(f"{where} occurs twice")
        if member.flag_bits & ENCRYPTED:
            raise SourceError(f"{where} is encrypted; save it without a password")
        if member.compress_type not in COMPRESSIONS:
            raise SourceError(f"{where} has another compression than that of numpy.savez_compressed")
        if member.file_size > member.compress_size * DEFLATE_RATIO:
            sizes = f"{member.file_size:,} bytes, more than {member.compress_size:,} bytes of compressed data can hold"
            raise SourceError(f"{where} has {sizes}")
        names.add(member.filename)


def _array(path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> NDArray[Any]:
    where = f"{path}: {shown(member.filename)}"
    with damage_errors(where, "damaged"), archive.open(member) as file:
        header = _header(where, file)
        _require_size(where, header, file.tell(), member.file_size)
        values = read_values(where, file, prod(header.shape), header.dtype)
    return values.reshape(header.shape, order=header.order)


def _header(where: str, file: ByteFile) -> ArrayHeader:
    """Read the header of an array; the file is then positioned at its values."""
    with damage_errors(where, "not an NPY file, or a damaged one"):
        version = np.lib.format.read_magic(file)
        if version != (1, 0):
            number = ".".join(map(str, version))
            raise SourceError(f"{where}: version {number} of the NPY format, expected 1.0; save it with numpy.save")
        with warnings.catch_warnings(action="error"):  # about headers that only Python 2 wrote
            header = ArrayHeader(*np.lib.format.read_array_header_1_0(file))
    if header.dtype.hasobject:
        fix = "save numbers, or text as array.astype(str)"
        raise SourceError(f"{where}: an array of Python objects, which only pickle can read; {fix}")
    if header.dtype.kind not in KINDS:
        raise SourceError(f"{where}: an array of {header.dtype}, expected numbers, booleans or text")
    if not all(size >= 0 for size in header.shape):
        raise SourceError(f"{where}: the shape {header.shape} has a negative size")
    return header


def _require_size(where: str, header: ArrayHeader, start: int, size: int) -> None:
    """Require that the file ends after the values."""
    values = f"{header.size:,} bytes of values, for the shape {header.shape} of {header.dtype}"
    if size < start + header.size:
        raise SourceError(f"{where}: byte {size}: the file ends after {size - start:,} of {values}")
    if size > start + header.size:
        raise SourceError(f"{where}: byte {start + header.size}: the file has more than {values}")
