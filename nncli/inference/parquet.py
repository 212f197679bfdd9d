"""A Parquet file, written block by block.

    PAR1  pages of the first row group, a page for each column  ...  metadata  size of the metadata  PAR1

A number is the bytes of its type, a text its length and its bytes (PLAIN encoding, no compression). No column has
missing values, so that there are no levels. The metadata is a structure of Thrift in its compact protocol.

Source: Apache Parquet, "File Format" and parquet.thrift; Apache Thrift, "Thrift Compact protocol".
"""

import struct
from collections.abc import Iterable, Sequence
from typing import IO, Any

import numpy as np

from nncli.inference.record_array import Fields
from nncli.version import __version__

MAGIC = b"PAR1"
ROW_GROUP = 2**23  # bytes from which a row group is written
INT32, INT64, BINARY, LIST, STRUCT = 5, 6, 8, 9, 12  # types of Thrift
TYPES = {int: 2, float: 5, str: 6}  # INT64, DOUBLE and BYTE_ARRAY
PLAIN, RLE = 0, 3  # encodings; of levels, of which there are none
DATA_PAGE = REQUIRED = UTF8 = UNCOMPRESSED = 0


def write_parquet_file(file: IO[bytes], fields: Fields, blocks: Iterable[Sequence[Any]]) -> None:
    """Write columns of INT64, DOUBLE and strings.

    Args:
        file: the file.
        fields: the name and the type of each column.
        blocks: the values (n,) of each column, some rows at once.
    """
    groups = _RowGroups(file, fields)
    for columns in blocks:
        groups.add(columns)
    groups.finish()


class _RowGroups:
    """Collects rows, and writes them as row groups of at least ROW_GROUP bytes."""

    def __init__(self, file: IO[bytes], fields: Fields) -> None:
        self._file, self._fields = file, fields
        self._columns = [bytearray() for _ in fields]
        self._offset = self._rows = self._all_rows = 0
        self._groups = list[bytes]()
        self._write(MAGIC)

    def add(self, columns: Sequence[Any]) -> None:
        """Add the rows of a block."""
        for (_, kind), column, collected in zip(self._fields, columns, self._columns, strict=True):
            collected.extend(_plain(column, kind))
        self._rows += len(columns[0])
        if sum(map(len, self._columns)) >= ROW_GROUP:
            self._write_group()

    def finish(self) -> None:
        """Write the rows that are left, and the metadata."""
        if self._rows:
            self._write_group()
        metadata = _struct(
            (1, INT32, 1),  # version
            (2, LIST, (STRUCT, _schema(self._fields))),
            (3, INT64, self._all_rows),
            (4, LIST, (STRUCT, self._groups)),
            (6, BINARY, f"nncli version {__version__}"),
        )
        self._write(metadata + struct.pack("<I", len(metadata)) + MAGIC)

    def _write_group(self) -> None:
        chunks, start = list[bytes](), self._offset
        for field, values in zip(self._fields, self._columns, strict=True):
            chunks.append(self._write_column(field, values))
            values.clear()
        sizes = (2, INT64, self._offset - start), (3, INT64, self._rows)
        self._groups.append(_struct((1, LIST, (STRUCT, chunks)), *sizes))
        self._all_rows, self._rows = self._all_rows + self._rows, 0

    def _write_column(self, field: tuple[str, type], values: bytearray) -> bytes:
        """Write the values of a column as one page, and return the metadata of the column chunk."""
        start, size = self._offset, len(values)
        levels = (3, INT32, RLE), (4, INT32, RLE)
        page = _struct((1, INT32, self._rows), (2, INT32, PLAIN), *levels)
        self._write(_struct((1, INT32, DATA_PAGE), (2, INT32, size), (3, INT32, size), (5, STRUCT, page)))
        self._write(values)
        metadata = _struct(
            (1, INT32, TYPES[field[1]]),
            (2, LIST, (INT32, [PLAIN, RLE])),
            (3, LIST, (BINARY, [field[0]])),
            (4, INT32, UNCOMPRESSED),
            (5, INT64, self._rows),
            (6, INT64, self._offset - start),
            (7, INT64, self._offset - start),
            (9, INT64, start),  # of the page
        )
        return _struct((2, INT64, start), (3, STRUCT, metadata))

    def _write(self, data: bytes | bytearray) -> None:
        self._file.write(data)
        self._offset += len(data)


def _plain(column: Sequence[Any], kind: type) -> bytes:
    """The values of a column in the encoding PLAIN."""
    if kind is str:
        encoded = {text: struct.pack("<I", len(text.encode())) + text.encode() for text in set(column)}
        return b"".join(map(encoded.__getitem__, column))
    return np.asarray(column, "<i8" if kind is int else "<f8").tobytes()


def _schema(fields: Fields) -> list[bytes]:
    """The root, then the columns."""
    columns = [
        _struct((1, INT32, TYPES[kind]), (3, INT32, REQUIRED), (4, BINARY, name), *(_STRING if kind is str else ()))
        for name, kind in fields
    ]
    return [_struct((4, BINARY, "schema"), (5, INT32, len(fields))), *columns]


def _struct(*fields: tuple[int, int, Any]) -> bytes:
    """A structure of fields with their number, in ascending order, their type, and their value."""
    encoded, last = bytearray(), 0
    for number, kind, value in fields:
        encoded.append((number - last) << 4 | kind)
        encoded += _encoded(kind, value)
        last = number
    return bytes(encoded + b"\0")


def _encoded(kind: int, value: Any) -> bytes:
    """A value: an integer from 0 on in zigzag encoding, a text, a list of values of a type, or a structure."""
    if kind == STRUCT:
        return bytes(value)
    if kind == BINARY:
        return _varint(len(value.encode())) + bytes(value.encode())
    if kind == LIST:
        of, values = value
        size = bytes([len(values) << 4 | of]) if len(values) < 15 else bytes([15 << 4 | of]) + _varint(len(values))
        return size + b"".join(_encoded(of, each) for each in values)
    return _varint(value << 1)


def _varint(value: int) -> bytes:
    """Seven bits in each byte, the lowest first; the highest bit of a byte says that another follows."""
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


_STRING = (6, INT32, UTF8), (10, STRUCT, _struct((1, STRUCT, _struct())))  # the converted and the logical type
