"""A structured array as an NPY file, written block by block."""

import struct
from collections.abc import Iterable, Sequence
from typing import IO, Any

import numpy as np

from nncli.config.diagnostics import shown
from nncli.errors import CommandLineError
from nncli.nn.parameters import Array

MAX_CHARACTERS = 1000  # of a text; each text of a field takes as many bytes as the longest one
MAX_HEADER = 10_000  # characters, beyond which np.load refuses a file by default
ALIGNMENT = 64  # bytes
CHARACTER = np.dtype("U1").itemsize  # bytes

Fields = Sequence[tuple[str, type]]  # the name and the type of each: int, float or str


def write_record_array(file: IO[bytes], fields: Fields, blocks: Iterable[Sequence[Any]], scratch: IO[bytes]) -> None:
    """Write an array (N,) of records with int64, float64 and fixed-length text fields.

    The header contains the length of the longest text and the number of rows, which are known at the end. Until then
    the blocks are in a scratch file, each with its own text lengths.

    Args:
        file: the NPY file.
        fields: the fields.
        blocks: the values (n,) of each field, block by block.
        scratch: an empty temporary file.

    Raises:
        CommandLineError: there are more fields than np.load accepts, or a text is too long.
    """
    if len(_header(_dtype(fields, [MAX_CHARACTERS] * len(fields)), 2**63)) > MAX_HEADER:
        raise CommandLineError(f"np.load does not read an array with {len(fields):,} fields; write Parquet or CSV")
    written = list[tuple[np.dtype[Any], int]]()
    lengths = [1] * len(fields)
    for columns in blocks:
        records = _records(fields, columns)
        scratch.write(records.tobytes())
        written.append((records.dtype, len(records)))
        lengths = [max(n, records.dtype[i].itemsize // CHARACTER) for i, n in enumerate(lengths)]
    dtype = _dtype(fields, lengths)
    file.write(_header(dtype, sum(rows for _, rows in written)))
    scratch.seek(0)
    for block_dtype, rows in written:
        records = np.frombuffer(scratch.read(rows * block_dtype.itemsize), block_dtype)
        file.write(records.astype(dtype).tobytes())


def _records(fields: Fields, columns: Sequence[Any]) -> Array:
    """The records (n,) of a block; its texts are as long as the longest one."""
    lengths = [_length(name, each) if kind is str else 0 for (name, kind), each in zip(fields, columns, strict=True)]
    records = np.empty(len(columns[0]), _dtype(fields, lengths))
    for (name, _), column in zip(fields, columns, strict=True):
        records[name] = column
    return records


def _length(name: str, texts: Sequence[str]) -> int:
    """The length of the longest text.

    Raises:
        CommandLineError: it is too long for a field.
    """
    longest = max(map(len, texts))
    if longest > MAX_CHARACTERS:
        problem = f"{shown(name)} has a text of {longest:,} characters, and an NPY file would take as many for each row"
        raise CommandLineError(f"{problem}; write Parquet or CSV")
    return longest


def _dtype(fields: Fields, lengths: Sequence[int]) -> np.dtype[Any]:
    return np.dtype([(name, f"U{n}" if kind is str else kind) for (name, kind), n in zip(fields, lengths, strict=True)])


def _header(dtype: np.dtype[Any], rows: int) -> bytes:
    """The beginning of an NPY file: format 1.0, or 3.0 if a name is not ASCII.

    Source: numpy.lib.format, on the NPY format.
    """
    text = repr({"descr": dtype.descr, "fortran_order": False, "shape": (rows,)})
    version, size = (1, "<H") if text.isascii() else (3, "<I")
    fixed = len(np.lib.format.magic(version, 0)) + struct.calcsize(size)
    content = text.encode()
    content += b" " * (-(fixed + len(content) + 1) % ALIGNMENT) + b"\n"
    return np.lib.format.magic(version, 0) + struct.pack(size, len(content)) + content
