"""Strict reading of weights.npz: the saved arrays are read, and every other file is refused."""

import io
import struct
import tracemalloc
import zipfile
from contextlib import suppress
from types import SimpleNamespace

import numpy as np
import pytest

from nncli.store.npz import pack_npz, read_npz, signatures

ARRAYS = {
    "layers.0.weights": np.arange(6, dtype="<f4").reshape(2, 3),
    "layers.0.biases": np.arange(3, dtype="<f4"),
}
WANTED = signatures(ARRAYS)


def saved(arrays=ARRAYS, write=np.savez):
    """An NPZ file."""
    file = io.BytesIO()
    write(file, **arrays)
    return file.getvalue()


def npy(array, version=(1, 0)):
    """An array as an NPY file."""
    file = io.BytesIO()
    np.lib.format.write_array(file, array, version)
    return file.getvalue()


def zipped(*members, compression=zipfile.ZIP_STORED):
    """A ZIP archive of members, each a name and its bytes."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name), data, compression)
    return file.getvalue()


def members(**changed):
    """The members of a valid archive, some of them replaced."""
    known = {name: npy(array) for name, array in ARRAYS.items()}
    return [(f"{name}.npy", data) for name, data in {**known, **changed}.items()]


def test_saved_arrays_are_read_bit_for_bit():
    """The order of the members and the program that wrote the archive do not matter."""
    for data in (saved(), zipped(*members()), zipped(*reversed(members()))):
        read = read_npz(data, WANTED)
        assert set(read) == set(ARRAYS)
        assert all(np.array_equal(read[name], ARRAYS[name]) for name in ARRAYS)


def test_packed_weights_are_bytes():
    """A view of ``BytesIO.getbuffer()`` in a cycle of garbage would crash Python before 3.12.2."""
    assert type(pack_npz(SimpleNamespace(values=None, views=lambda _: ARRAYS))) is bytes


def test_archive_without_arrays_is_read():
    """It is that of a network without parameters."""
    assert read_npz(saved({}), {}) == {}


def header(text):
    """An NPY header with this text as its description."""
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode("latin1")


DESCRIBED = "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }\n"
WRONG = {
    "nothing": b"",
    "no archive": b"x" * 100,
    "text around": b"#!/bin/sh\n" + saved(),
    "text after it": saved() + b"\n",
    "a comment": saved()[:-2] + b"\5\0hello",
    "another shape": saved({**ARRAYS, "layers.0.biases": np.zeros(4, "<f4")}),
    "one that broadcasts": saved({**ARRAYS, "layers.0.biases": np.zeros(1, "<f4")}),
    "another type": saved({**ARRAYS, "layers.0.biases": np.zeros(3, "<f8")}),
    "the other byte order": saved({**ARRAYS, "layers.0.biases": np.zeros(3, ">f4")}),
    "column by column": saved({**ARRAYS, "layers.0.weights": np.asfortranarray(ARRAYS["layers.0.weights"])}),
    "one missing": saved({"layers.0.biases": ARRAYS["layers.0.biases"]}),
    "one more": saved({**ARRAYS, "more": np.zeros(1)}),
    "many more": saved({**ARRAYS, **{f"more{i}": np.zeros(1) for i in range(100)}}),
    "compressed": saved(write=np.savez_compressed),
    "compressed by half": zipped(*members(), compression=zipfile.ZIP_BZIP2),
    "a pickle": saved({**ARRAYS, "layers.0.biases": np.array([[], 1, None], object)}),
    "an array without numbers": zipped(*members(**{"layers.0.biases": npy(ARRAYS["layers.0.biases"])[:-1]})),
    "an array with more": zipped(*members(**{"layers.0.biases": npy(ARRAYS["layers.0.biases"]) + b"\0"})),
    "an array of version 2": zipped(*members(**{"layers.0.biases": npy(ARRAYS["layers.0.biases"], (2, 0))})),
    "no array": zipped(*members(**{"layers.0.biases": b"no array"})),
    "an empty member": zipped(*members(**{"layers.0.biases": b""})),
    "a name without npy": zipped(*((name.removesuffix(".npy"), data) for name, data in members())),
    "a name elsewhere": zipped(*((f"../{name}", data) for name, data in members())),
    "a header of another language": zipped(*members(**{"layers.0.biases": header("{'descr': open}")})),
    "a header of brackets": zipped(*members(**{"layers.0.biases": header("(" * 500)})),
    "a header of minuses": zipped(*members(**{"layers.0.biases": header("-" * 500)})),
    "an endless header": zipped(*members(**{"layers.0.biases": header("{" + " " * 60_000 + "}")})),
    "a version that does not match its header": zipped(
        *members(**{"layers.0.biases": header(DESCRIBED).replace(b"\x01\x00", b"\x02\x00", 1) + bytes(12)})
    ),
    "a long header": zipped(*members(**{"layers.0.biases": header(DESCRIBED[:-1] + " " * 600 + "\n") + bytes(12)})),
    "a second one without npy": zipped(*members(), ("layers.0.biases", npy(ARRAYS["layers.0.biases"]))),
    "a header of Python 2": zipped(*members(**{"layers.0.biases": header(DESCRIBED.replace("3,", "3L,")) + bytes(12)})),
    "a shape beyond all memory": zipped(
        *members(**{"layers.0.biases": header(f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({10**15},), }}\n")})
    ),
    "a negative shape": zipped(
        *members(**{"layers.0.biases": header("{'descr': '<f4', 'fortran_order': False, 'shape': (-3,), }\n")})
    ),
}


@pytest.mark.parametrize("data", WRONG.values(), ids=WRONG)
def test_other_files_are_rejected_with_a_value_error(data):
    """Names, shapes, dtypes, order and length must be the expected ones."""
    with pytest.raises(ValueError, match=r"."):
        read_npz(data, WANTED)


def test_duplicate_members_are_rejected():
    """Which of the two is read would depend on the program."""
    with pytest.warns(UserWarning, match="Duplicate name"):
        data = zipped(*members(), members()[0])
    with pytest.raises(ValueError, match="two of its arrays have the same name"):
        read_npz(data, WANTED)


def test_handwritten_header_is_read():
    """It is the valid counterpart of the refused headers."""
    read = read_npz(zipped(*members(**{"layers.0.biases": header(DESCRIBED) + bytes(12)})), WANTED)
    assert read["layers.0.biases"].tolist() == [0, 0, 0]


def test_header_that_python_cannot_parse_is_rejected(monkeypatch):
    """Whatever the parser raises becomes a ValueError, MemoryError included."""
    monkeypatch.setattr(np.lib.format, "read_array_header_1_0", lambda *_, **__: (_ for _ in ()).throw(MemoryError))
    with pytest.raises(ValueError, match="is not an array"):
        read_npz(saved(), WANTED)


def test_changed_value_fails_the_crc():
    """The checksums of the archive detect a changed value even without the SHA-256 of evaluation.json."""
    data = bytearray(saved())
    at = data.index(ARRAYS["layers.0.biases"].tobytes())
    data[at + 5] ^= 1
    with pytest.raises(ValueError, match="CRC"):
        read_npz(bytes(data), WANTED)


def test_any_damage_is_a_value_error():
    """Every changed byte and every truncation raises nothing else, or does not change an array."""
    data = saved()
    for index in range(len(data)):
        for damaged in (data[:index], data[:index] + bytes([data[index] ^ 0xFF]) + data[index + 1 :]):
            try:
                read = read_npz(damaged, WANTED)
            except ValueError:
                continue
            assert all(np.array_equal(read[name], ARRAYS[name]) for name in ARRAYS), index


def end(data, size, start, members):
    """The archive with another end record."""
    return data[:-22] + struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, members, members, size, start, 0)


@pytest.mark.parametrize("limit", [0, 100, 400])
def test_zip64_archive_is_read(monkeypatch, limit):
    """zipfile writes 64-bit sizes above 2 GiB; the test lowers that limit."""
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", limit)
    data = saved()
    monkeypatch.undo()
    assert b"PK\6\6" in data
    read = read_npz(data, WANTED)
    assert all(np.array_equal(read[name], array) for name, array in ARRAYS.items())
    for index in range(len(data) - 98, len(data)):
        with suppress(ValueError):
            read_npz(data[:index] + bytes([data[index] ^ 1]) + data[index + 1 :], WANTED)


def test_huge_directory_is_not_read():
    """A directory of many members takes no memory, whichever end record refers to it."""
    entry = struct.pack("<4s6H3I5H2I", b"PK\1\2", 20, 20, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0) + b"a"
    directory = entry * 200_000
    plain = directory + end(b"x" * 22, len(directory), 0, 65535)
    record = struct.pack("<4sQHHIIQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, 200_000, 200_000, len(directory), 0)
    locator = struct.pack("<4sIQI", b"PK\6\7", 0, len(directory), 1)
    second = directory + record + locator + end(b"x" * 22, 76, len(directory), 2)
    for data in (plain, second):
        tracemalloc.start()
        with pytest.raises(ValueError, match=r"weights do not fit|not an NPZ archive"):
            read_npz(data, WANTED)
        assert tracemalloc.get_traced_memory()[1] < 100_000
        tracemalloc.stop()


def test_end_records_must_be_adjacent(monkeypatch):
    """A locator with another offset is refused."""
    with monkeypatch.context() as patched:
        patched.setattr(zipfile, "ZIP64_LIMIT", 0)
        data = bytearray(saved())
    struct.pack_into("<Q", data, data.rindex(b"PK\6\7") + 8, 0)
    with pytest.raises(ValueError, match="its two end records are not adjacent"):
        read_npz(bytes(data), WANTED)


def test_directory_larger_than_expected_is_not_read():
    """None of its entries is parsed."""
    many = b"x" * 1000
    with pytest.raises(ValueError, match="7 arrays, expected"):
        read_npz(many + end(b"x" * 22, len(many), 0, 7), WANTED)
