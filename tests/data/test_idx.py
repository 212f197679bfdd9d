"""IDX files: every type, compressed or not, and every damage with its path and offset."""

import gzip
import struct
import tracemalloc

import numpy as np
import pytest

from nncli.data import binary_files
from nncli.data.idx import TYPES, read_idx
from nncli.data.source import SourceError

CODES = {np.dtype(name): code for code, name in TYPES.items()}


def idx(array):
    """The content of an IDX file."""
    array = np.asarray(array)
    sizes = struct.pack(f">{array.ndim}I", *array.shape)
    code = CODES[array.dtype.newbyteorder(">")]
    return bytes([0, 0, code, array.ndim]) + sizes + array.astype(array.dtype.newbyteorder(">")).tobytes()


IMAGES = np.random.default_rng(0).integers(0, 256, (3, 4, 5), dtype=np.uint8)
CONTENT = idx(IMAGES)
COMPRESSED = gzip.compress(CONTENT)


def changed(content, offset, *values):
    """The content with other bytes from an offset on."""
    return content[:offset] + bytes(values) + content[offset + len(values) :]


def read(tmp_path, content, name="images"):
    (tmp_path / name).write_bytes(content)
    return read_idx(tmp_path / name)


@pytest.mark.parametrize("dtype", ["u1", "i1", "i2", "i4", "f4", "f8"])
@pytest.mark.parametrize("shape", [(5,), (2, 3), (2, 3, 4)])
@pytest.mark.parametrize("compress", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_array_is_that_of_the_file(tmp_path, dtype, shape, compress):
    """All types and shapes, in the byte order of the machine."""
    expected = np.random.default_rng(0).normal(scale=50, size=shape).astype(dtype)
    array = read(tmp_path, compress(idx(expected)))
    np.testing.assert_array_equal(array, expected)
    assert array.dtype == np.dtype(dtype)
    assert array.dtype.isnative


def test_content_is_that_of_the_format(tmp_path):
    """A file written byte by byte, as the format describes it."""
    array = read(tmp_path, bytes([0, 0, 0x0B, 2, 0, 0, 0, 1, 0, 0, 0, 2, 0x01, 0x02, 0xFF, 0xFE]))
    assert array.tolist() == [[258, -2]]


def test_name_does_not_decide_on_the_compression(tmp_path):
    """The content does."""
    for content, name in ((CONTENT, "images.gz"), (COMPRESSED, "images")):
        np.testing.assert_array_equal(read(tmp_path, content, name), IMAGES)


def test_members_of_a_gzip_file_are_joined(tmp_path):
    """As gzip does, followed by zeros at most."""
    content = gzip.compress(CONTENT[:20]) + gzip.compress(CONTENT[20:]) + bytes(8)
    np.testing.assert_array_equal(read(tmp_path, content), IMAGES)


HUGE = bytes([0, 0, 8, 3]) + b"\xff" * 12
DAMAGED = {
    "empty": (b"", 0, "the file is empty"),
    "first bytes only": (CONTENT[:3], 3, "the file ends within the first 4 bytes"),
    "first byte": (changed(CONTENT, 0, 1), 0, "expected two zero bytes, as every IDX file begins, got 01 00"),
    "NPY": (b"\x93NUMPY\x01\x00", 0, "expected two zero bytes, as every IDX file begins, got 93 4e"),
    "unknown type": (changed(CONTENT, 2, 10), 2, "unknown type 10, expected one of 8 (uint8), 9 (int8), 11 (int16)"),
    "no dimensions": (changed(CONTENT, 3, 0), 3, "0 dimensions, expected 1 to 64"),
    "many dimensions": (changed(CONTENT, 3, 65), 3, "65 dimensions, expected 1 to 64"),
    "sizes cut short": (CONTENT[:14], 14, "the file ends within the sizes of its 3 dimensions"),
    "empty dimension": (changed(CONTENT, 8, 0, 0, 0, 0), 8, "dimension 2 of 3 has size 0: no values"),
    "values cut short": (CONTENT[:-1], 75, "the file ends after 59 of 60 bytes, for 3 × 4 × 5 values of uint8"),
    "no values": (CONTENT[:16], 16, "the file ends after 0 of 60 bytes, for 3 × 4 × 5 values of uint8"),
    "more values": (CONTENT + b"x", 76, "the file has more bytes than 3 × 4 × 5 values of uint8"),
    "larger dimension": (changed(CONTENT, 7, 4), 76, "the file ends after 60 of 80 bytes, for 4 × 4 × 5 values"),
    "smaller dimension": (changed(CONTENT, 7, 2), 56, "the file has more bytes than 2 × 4 × 5 values of uint8"),
    "larger type": (
        changed(CONTENT, 2, 14),
        76,
        "the file ends after 60 of 480 bytes, for 3 × 4 × 5 values of float64",
    ),
    "absurd sizes": (HUGE, 16, "the file ends after 0 of 79,228,162,458,924,105,385,300,197,375 bytes, for 4294967295"),
    "absurd sizes in gzip": (
        gzip.compress(HUGE),
        4,
        "4294967295 × 4294967295 × 4294967295 values of uint8, more than the compressed data can hold",
    ),
    "gzip without values": (gzip.compress(b""), 0, "the file is empty"),
    "gzip of few values": (gzip.compress(CONTENT[:-1]), 75, "the file ends after 59 of 60 bytes of values"),
    "gzip of more values": (
        gzip.compress(CONTENT + b"x"),
        76,
        "the file has more bytes than 3 × 4 × 5 values of uint8",
    ),
    "gzip cut short": (COMPRESSED[:-9], None, "damaged gzip data: Compressed file ended before the end-of-stream"),
    "gzip without its end": (COMPRESSED[:-8], None, "damaged gzip data: Compressed file ended before the end-of"),
    "gzip with a wrong checksum": (changed(COMPRESSED, len(COMPRESSED) - 8, 0), None, "damaged gzip data: CRC check"),
    "gzip with a wrong length": (
        changed(COMPRESSED, len(COMPRESSED) - 4, 0),
        None,
        "damaged gzip data: Incorrect length",
    ),
    "gzip and other bytes": (COMPRESSED + b"xx", 76, "damaged gzip data: Not a gzipped file (b'xx')"),
    "gzip with damaged data": (changed(COMPRESSED, 12, 255, 255, 255), 0, "damaged gzip data: Error -3 while"),
    "start of gzip": (COMPRESSED[:2], 0, "damaged gzip data: Compressed file ended before"),
}


@pytest.mark.parametrize(("content", "offset", "message"), DAMAGED.values(), ids=DAMAGED)
def test_damage_is_reported_with_path_and_offset(tmp_path, content, offset, message):
    """Each damage has its own message."""
    with pytest.raises(SourceError) as found:
        read(tmp_path, content)
    start = f"{tmp_path / 'images'}: byte "
    place, _, text = str(found.value).removeprefix(start).partition(": ")
    assert str(found.value).startswith(start)
    assert text.startswith(message)
    assert offset is None or int(place) == offset


@pytest.mark.parametrize("content", [CONTENT, COMPRESSED], ids=["plain", "gzip"])
def test_every_shorter_file_is_rejected(tmp_path, content):
    """Cut at any byte, a file is damaged, never a smaller array."""
    for end in range(len(content)):
        with pytest.raises(SourceError):
            read(tmp_path, content[:end])


def test_changed_bit_of_a_compressed_file_is_never_another_array(tmp_path):
    """Its checksum is compared; what does not concern the data, such as the time, may change."""
    refused = 0
    for offset in range(len(COMPRESSED)):
        for bit in (1, 16, 128):
            try:
                array = read(tmp_path, changed(COMPRESSED, offset, COMPRESSED[offset] ^ bit))
            except SourceError:
                refused += 1
            else:
                np.testing.assert_array_equal(array, IMAGES)
    assert refused > 2 * len(COMPRESSED)


@pytest.mark.parametrize(
    "content",
    [HUGE, gzip.compress(HUGE), gzip.compress(HUGE[:4] + b"\0\0\xff\xff" * 3)],
    ids=["plain", "gzip", "gzip of three dimensions"],
)
def test_absurd_sizes_are_rejected_before_memory_is_allocated(tmp_path, content):
    """The header alone decides."""
    tracemalloc.start()
    try:
        with pytest.raises(SourceError):
            read(tmp_path, content)
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


def test_file_larger_than_the_memory_is_rejected(tmp_path, monkeypatch):
    """A compressed file can be, too, as one byte of zeros stands for a thousand."""
    content = gzip.compress(idx(np.zeros((100, 1000), np.uint8)))
    monkeypatch.setattr(binary_files.os, "sysconf", {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 10}.get)
    with pytest.raises(SourceError, match=r"images: needs 0.0 GiB, and this machine has"):
        read(tmp_path, content)
    np.testing.assert_array_equal(read(tmp_path, COMPRESSED), IMAGES)


def test_missing_file_is_reported(tmp_path):
    """By its path."""
    with pytest.raises(SourceError, match="train-images: no such file"):
        read_idx(tmp_path / "train-images")
