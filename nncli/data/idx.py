"""IDX files, the format of MNIST and Fashion-MNIST: arrays of numbers, often compressed by gzip."""

import gzip
import struct
from math import prod
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from nncli.data.binary_files import DEFLATE_RATIO, ByteFile, damage_errors, open_file, read_values
from nncli.data.source import SourceError

TYPES = {8: ">u1", 9: ">i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
MOST_DIMENSIONS = 64  # of a NumPy array
GZIP = b"\x1f\x8b"


def read_idx(path: Path) -> NDArray[Any]:
    """The array of an IDX file, in the byte order of this machine.

        0, 0, type, D                 4 bytes; type: 8 uint8, 9 int8, 11 int16, 12 int32, 13 float32, 14 float64
        size 1, …, size D             4 bytes each, big-endian
        values                        big-endian, in row-major order, to the end of the file

    A compressed file is recognized by its first two bytes. No memory for the values is allocated before the sizes in
    the header have been compared with the size of the file.

    Raises:
        SourceError: the file is missing or damaged; the message has the offset, in the uncompressed data.
        StorageError: the operating system refuses to read it.

    Source: LeCun, Cortes and Burges, the MNIST database of handwritten digits.
    """
    with open_file(path) as (file, size):
        is_compressed = file.read(len(GZIP)) == GZIP
        file.seek(0)
        if not is_compressed:
            return _read(path, file, size)
        with gzip.GzipFile(fileobj=file) as content, damage_errors(str(path), "damaged gzip data", content):
            return _read(path, content, size * DEFLATE_RATIO, is_upper_bound=True)


def _read(path: Path, file: ByteFile, size: int, is_upper_bound: bool = False) -> NDArray[Any]:
    """The array of an uncompressed file of this size, or of at most this size."""
    shape, dtype = _header(path, file)
    start, count = file.tell(), prod(shape)
    end = start + count * dtype.itemsize
    values = f"{' × '.join(map(str, shape))} values of {dtype.name}"
    if end > size and is_upper_bound:
        _fail(path, 4, f"{values}, more than the compressed data can hold")
    if end > size:
        _fail(path, size, f"the file ends after {size - start:,} of {end - start:,} bytes, for {values}")
    array = read_values(str(path), file, count, dtype)
    if file.read(1):
        _fail(path, end, f"the file has more bytes than {values}")
    return array.reshape(shape)


def _header(path: Path, file: ByteFile) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """The shape and the dtype of the values, at which the position of the file is then."""
    magic = file.read(4)
    if len(magic) < 4:
        _fail(path, len(magic), "the file ends within the first 4 bytes" if magic else "the file is empty")
    zeros, code, dimensions = struct.unpack(">HBB", magic)
    if zeros:
        _fail(path, 0, f"expected two zero bytes, as every IDX file begins, got {magic[:2].hex(' ')}")
    if code not in TYPES:
        known = ", ".join(f"{each} ({np.dtype(name).name})" for each, name in TYPES.items())
        _fail(path, 2, f"unknown type {code}, expected one of {known}")
    if not 1 <= dimensions <= MOST_DIMENSIONS:
        _fail(path, 3, f"{dimensions} dimensions, expected 1 to {MOST_DIMENSIONS}")
    sizes = file.read(4 * dimensions)
    if len(sizes) < 4 * dimensions:
        _fail(path, 4 + len(sizes), f"the file ends within the sizes of its {dimensions} dimensions")
    shape = struct.unpack(f">{dimensions}I", sizes)
    if 0 in shape:
        _fail(path, 4 + 4 * shape.index(0), f"dimension {shape.index(0) + 1} of {dimensions} has size 0: no values")
    return shape, np.dtype(TYPES[code])


def _fail(path: Path, offset: int, problem: str) -> NoReturn:
    raise SourceError(f"{path}: byte {offset}: {problem}")
