"""NPY and NPZ files: values, memory, and every damage with its path."""

import io
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest

from nncli.data import array_files, binary_files
from nncli.data.array_files import open_npy, read_npz
from nncli.data.source import SourceError
from nncli.errors import StorageError

ARRAY = np.random.default_rng(0).normal(size=(3, 4))
DTYPES = ["?", "i1", "u2", "<i8", ">i4", "<f2", ">f4", "<f8", "<U5", ">U5", "S3"]


def npy(array, **options):
    """The content of an NPY file."""
    file = io.BytesIO()
    np.lib.format.write_array(file, np.asanyarray(array), **options)
    return file.getvalue()


def header(text, version=b"\1\0"):
    """An NPY file that consists of its header."""
    text = text.encode() + b"\n"
    return b"\x93NUMPY" + version + struct.pack("<H", len(text)) + text


def npz(save=np.savez, **arrays):
    """The content of an NPZ file."""
    file = io.BytesIO()
    save(file, **arrays)
    return file.getvalue()


def archive(*members, compression=zipfile.ZIP_STORED):
    """A ZIP archive of pairs of name and content."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as target:
        for name, content in members:
            target.writestr(name, content)
    return file.getvalue()


def open_bytes(tmp_path, content):
    (tmp_path / "x.npy").write_bytes(content)
    return open_npy(tmp_path / "x.npy")


def read_bytes(tmp_path, content):
    (tmp_path / "x.npz").write_bytes(content)
    return read_npz(tmp_path / "x.npz")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("order", ["C", "F"])
def test_npy_has_the_values_of_the_file(tmp_path, dtype, order):
    """All dtypes, byte orders and both orders of the values."""
    expected = np.asarray((ARRAY * 100).astype("i1").astype(dtype), order=order)
    array = open_bytes(tmp_path, npy(expected))
    np.testing.assert_array_equal(array, expected)
    assert array.flags.fnc == expected.flags.fnc


def test_npy_is_a_read_only_map(tmp_path):
    """It cannot be written to, takes no memory, and stays usable after the file is closed and removed."""
    np.save(tmp_path / "x.npy", np.zeros((1000, 1000)))
    tracemalloc.start()
    try:
        array = open_npy(tmp_path / "x.npy")
        (tmp_path / "x.npy").unlink()
        assert tracemalloc.get_traced_memory()[1] < 2**18
    finally:
        tracemalloc.stop()
    assert array[999, 999] == 0
    assert type(array) is np.ndarray
    with pytest.raises(ValueError, match="read-only"):
        array[0, 0] = 1


def test_npy_larger_than_the_memory_is_opened(tmp_path, monkeypatch):
    """Only what is used is read."""
    monkeypatch.setattr(binary_files.os, "sysconf", {"SC_PAGE_SIZE": 1, "SC_PHYS_PAGES": 10}.get)
    np.testing.assert_array_equal(open_bytes(tmp_path, npy(ARRAY)), ARRAY)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("order", ["C", "F"])
def test_npz_has_the_arrays_of_the_file(tmp_path, save, order):
    """By name, in their order, in the byte order of the machine; also without rows, and single values."""
    integers = (ARRAY * 100).astype("i1")
    arrays = {dtype: np.asarray(integers.astype(dtype), order=order) for dtype in DTYPES}
    arrays |= {"none": np.zeros((0, 3)), "single": np.float64(5), "ä/b": ARRAY}
    found = read_bytes(tmp_path, npz(save, **arrays))
    assert list(found) == list(arrays)
    for name, expected in arrays.items():
        np.testing.assert_array_equal(found[name], expected)
        assert found[name].shape == expected.shape
        assert found[name].dtype.isnative


OBJECTS = np.array([{}, 1], object)
RECORDS = np.zeros(2, [("a", "f4"), ("b", "i4")])
CONTENT = npy(ARRAY)
VALUES = "96 bytes of values, for the shape (3, 4) of float64"
NOT_NPY = "not an NPY file, or a damaged one: "
DAMAGED_NPY = {
    "empty": (b"", NOT_NPY + "EOF: reading magic string, expected 8 bytes got 0"),
    "text": (b"1,2,3\n4,5,6\n", NOT_NPY + "the magic string is not correct"),
    "pickle": (b"\x80\x04K\x05....", NOT_NPY + "the magic string is not correct"),
    "NPZ": (npz(a=ARRAY), NOT_NPY + "the magic string is not correct"),
    "magic only": (CONTENT[:8], NOT_NPY + "EOF: reading array header length"),
    "header cut short": (CONTENT[:60], NOT_NPY + "EOF: reading array header"),
    "header is no mapping": (header("[1, 2]"), NOT_NPY + "Header is not a dictionary"),
    "header is code": (header("__import__('os')"), NOT_NPY + "malformed node or string"),
    "header without shape": (header("{'descr': '<f8', 'fortran_order': False}"), NOT_NPY + "Header does not contain"),
    "header with a wrong dtype": (
        header("{'descr': 'x9', 'fortran_order': False, 'shape': (1,)}"),
        NOT_NPY + "descr is not a valid dtype",
    ),
    "header with a wrong shape": (
        header("{'descr': '<f8', 'fortran_order': False, 'shape': (1.5,)}"),
        NOT_NPY + "shape is not valid",
    ),
    "negative size": (
        header("{'descr': '<f8', 'fortran_order': False, 'shape': (-1, -2)}"),
        "the shape (-1, -2) has a negative size",
    ),
    "long header": (header(" " * 20_000), NOT_NPY + "Header info length"),
    "absurd shape": (
        header(f"{{'descr': '<f8', 'fortran_order': False, 'shape': ({2**60}, {2**60})}}"),
        f"byte 104: the file ends after 0 of {2**123:,} bytes of values, for the shape ({2**60}, {2**60}) of float64",
    ),
    "version 2": (npy(ARRAY, version=(2, 0)), "version 2.0 of the NPY format, expected 1.0; save it with numpy.save"),
    "objects": (npy(OBJECTS), "an array of Python objects, which only pickle can read; save numbers, or text as array"),
    "named fields": (npy(RECORDS), "an array of [('a', '<f4'), ('b', '<i4')], expected numbers, booleans or text"),
    "complex": (npy(ARRAY + 1j), "an array of complex128, expected numbers, booleans or text"),
    "dates": (npy(np.zeros(2, "M8[D]")), "an array of datetime64[D], expected numbers, booleans or text"),
    "values cut short": (CONTENT[:-1], f"byte 223: the file ends after 95 of {VALUES}"),
    "no values": (CONTENT[:128], f"byte 128: the file ends after 0 of {VALUES}"),
    "more values": (CONTENT + b"\0", f"byte 224: the file has more than {VALUES}"),
    "no rows": (npy(np.zeros((0, 3))), "an array of shape (0, 3) has no rows of values"),
    "single value": (npy(5.0), "an array of shape () has no rows of values"),
}


@pytest.mark.parametrize(("content", "message"), DAMAGED_NPY.values(), ids=DAMAGED_NPY)
def test_damage_of_an_npy_file_is_reported(tmp_path, content, message):
    """Each damage has its own message, with the path."""
    with pytest.raises(SourceError) as found:
        open_bytes(tmp_path, content)
    assert str(found.value).startswith(f"{tmp_path / 'x.npy'}: {message}")


STORED, COMPRESSED = npz(a=ARRAY), npz(np.savez_compressed, a=ARRAY)
FLAGS = STORED.index(b"PK\1\2") + 8  # in the directory entry
LARGE = np.arange(100_000.0)
NOT_NPZ = "not an NPZ archive, or a damaged one: "
DAMAGED_NPZ = {
    "empty": (b"", NOT_NPZ + "File is not a zip file"),
    "NPY": (CONTENT, NOT_NPZ + "File is not a zip file"),
    "cut short": (STORED[:-1], NOT_NPZ + "File is not a zip file"),
    "start missing": (STORED[10:], "'a.npy': damaged: "),
    "no arrays": (archive(), "the archive has no array"),
    "another file": (
        archive(("a.npy", CONTENT), ("readme.txt", "")),
        "'readme.txt' is not an array; its name does not",
    ),
    "directory": (archive(("d/", b"")), "'d/' is not an array"),
    "LZMA": (archive(("a.npy", CONTENT), compression=zipfile.ZIP_LZMA), "'a.npy' has another compression than that of"),
    "text": (archive(("a.npy", b"1,2,3,4,5,6")), f"'a.npy': {NOT_NPY}the magic string is not correct"),
    "objects": (npz(a=OBJECTS), "'a.npy': an array of Python objects, which only pickle can read"),
    "named fields": (npz(a=RECORDS), "'a.npy': an array of [('a', '<f4')"),
    "values cut short": (archive(("a.npy", CONTENT[:-5])), f"'a.npy': byte 219: the file ends after 91 of {VALUES}"),
    "more values": (archive(("a.npy", CONTENT + b"x")), f"'a.npy': byte 224: the file has more than {VALUES}"),
    "wrong checksum": (STORED.replace(ARRAY.tobytes()[:8], bytes(8)), f"'a.npy': {NOT_NPY}Bad CRC-32 for file 'a.npy'"),
    "wrong checksum behind a header": (
        npz(a=LARGE).replace(LARGE[5000:].tobytes(), LARGE[5000:].tobytes()[::-1]),
        "'a.npy': damaged: Bad CRC-32 for file 'a.npy'",
    ),
    "wrong shape": (
        archive(("a.npy", CONTENT.replace(b"(3, 4)", b"(9, 9)"))),
        "'a.npy': byte 224: the file ends after 96 of 648 bytes of values",
    ),
    "encrypted": (
        STORED[:FLAGS] + b"\1" + STORED[FLAGS + 1 :],
        "'a.npy' is encrypted; save it without a password",
    ),
    "control characters": (archive(("\x1b[2J.txt", b"")), "'\\x1b[2J.txt' is not an array"),
}


@pytest.mark.parametrize(("content", "message"), DAMAGED_NPZ.values(), ids=DAMAGED_NPZ)
def test_damage_of_an_npz_file_is_reported(tmp_path, content, message):
    """Each damage has its own message, with the path and the array."""
    with pytest.raises(SourceError) as found:
        read_bytes(tmp_path, content)
    assert str(found.value).startswith(f"{tmp_path / 'x.npz'}: {message}")


def test_two_arrays_of_one_name_are_rejected(tmp_path):
    """NumPy would read the last one."""
    with pytest.warns(UserWarning, match="Duplicate name"):
        content = archive(("a.npy", CONTENT), ("a.npy", CONTENT))
    with pytest.raises(SourceError, match=r"'a.npy' occurs twice"):
        read_bytes(tmp_path, content)


def test_archive_that_claims_too_much_is_rejected(tmp_path, monkeypatch):
    """Before any of it is decompressed: more than its bytes can hold, or more than the memory."""
    content = npz(np.savez_compressed, a=np.zeros((1000, 1000)))
    monkeypatch.setattr(array_files, "read_values", None)
    monkeypatch.setattr(array_files, "DEFLATE_RATIO", 500)
    with pytest.raises(
        SourceError, match=r"'a.npy' has 8,000,128 bytes, more than [78],\d{3} bytes of compressed data"
    ):
        read_bytes(tmp_path, content)
    monkeypatch.undo()
    monkeypatch.setattr(array_files, "read_values", None)
    monkeypatch.setattr(binary_files.os, "sysconf", {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 10}.get)
    with pytest.raises(SourceError, match=r"needs 0.0 GiB, and this machine has 0.0 GiB of memory"):
        read_bytes(tmp_path, content)


@pytest.mark.parametrize("content", [STORED, COMPRESSED], ids=["stored", "compressed"])
def test_changed_byte_of_an_npz_file_is_never_another_array(tmp_path, content):
    """Its checksums are compared; what does not concern the arrays, such as the time, may change."""
    for offset in range(len(content)):
        damaged = content[:offset] + bytes([content[offset] ^ 0x21]) + content[offset + 1 :]
        try:
            found = read_bytes(tmp_path, damaged)
        except SourceError:
            continue
        (array,) = found.values()
        np.testing.assert_array_equal(array, ARRAY)


@pytest.mark.parametrize("content", [STORED, COMPRESSED, CONTENT], ids=["stored", "compressed", "NPY"])
def test_every_shorter_file_is_rejected(tmp_path, content):
    """Cut at any byte, a file is damaged."""
    read = open_bytes if content is CONTENT else read_bytes
    for end in range(len(content)):
        with pytest.raises(SourceError):
            read(tmp_path, content[:end])


def test_input_output_error_is_no_damage(tmp_path, monkeypatch):
    """A disk that fails is a storage error."""

    def fail(*_):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(array_files, "read_values", fail)
    with pytest.raises(StorageError, match=r"x.npz: Input/output error"):
        read_bytes(tmp_path, STORED)
