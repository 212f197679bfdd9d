"""Opening of data files, and values that are read strictly."""

import errno
import io
import os
import socket

import numpy as np
import pytest

from nncli.data import binary_files
from nncli.data.binary_files import damage_errors, open_file, read_values, require_memory
from nncli.data.source import SourceError
from nncli.errors import StorageError


def test_link_to_a_file_is_opened(tmp_path):
    """A link is as good as the file, and the size is that of the file."""
    (tmp_path / "data").write_bytes(b"12345")
    (tmp_path / "link").symlink_to("data")
    with open_file(tmp_path / "link") as (file, size):
        assert (file.read(), size) == (b"12345", 5)


def make_missing(path):
    pass


def make_directory(path):
    path.mkdir()


def make_pipe(path):
    os.mkfifo(path)


def make_dangling_link(path):
    path.symlink_to("nowhere")


def make_loop(path):
    path.symlink_to(path.name)


def make_socket(path):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(path))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (make_missing, "no such file"),
        (make_directory, "is a directory, expected a file"),
        (make_pipe, "is a directory, pipe or device, expected a file"),
        (make_dangling_link, "no such file"),
        (make_loop, "its symbolic links form a loop"),
        (make_socket, "is a socket, expected a file"),
    ],
)
def test_what_is_no_file_is_rejected(tmp_path, monkeypatch, make, message):
    """The message names the path, and nothing waits for a writer of a pipe."""
    monkeypatch.chdir(tmp_path)
    make(tmp_path / "x")
    with pytest.raises(SourceError) as found, open_file(tmp_path / "x"):
        pass
    assert str(found.value) == f"{tmp_path / 'x'}: {message}"


@pytest.mark.parametrize(
    ("name", "message"), [("file/x", "part of the path is not a directory"), ("x" * 300, "the name is too long")]
)
def test_impossible_path_is_rejected(tmp_path, name, message):
    """A path through a file, and a name that no file system has."""
    (tmp_path / "file").touch()
    with pytest.raises(SourceError, match=message), open_file(tmp_path / name):
        pass


@pytest.mark.parametrize("code", [errno.EACCES, errno.EIO])
def test_refusal_of_the_system_is_a_storage_error(tmp_path, monkeypatch, code):
    """No permission and an input/output error are exit code 5, with the path."""

    def refuse(*_):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(binary_files.os, "open", refuse)
    with pytest.raises(StorageError, match=f"x: {os.strerror(code)}"), open_file(tmp_path / "x"):
        pass


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ValueError("bad\nvalue"), "f: no array: bad�value"),
        (EOFError(), "f: no array: EOFError"),
        (OSError("no errno"), "f: no array: no errno"),
        (OSError(errno.EINVAL, "seek"), r"f: no array: \[Errno 22\] seek"),
        (MemoryError(), "f: does not fit into memory"),
        (OSError(errno.ENOMEM, "mmap"), "f: does not fit into memory"),
        (SourceError("g: told"), "g: told"),
    ],
)
def test_errors_of_a_decoder_are_reported(error, message):
    """With the path and on one line; an error that is explained already stays."""
    with pytest.raises(SourceError, match=f"^{message}$"), damage_errors("f", "no array"):
        raise error


def test_error_of_the_system_is_no_damage():
    """An input/output error is left to ``open_file``."""
    with pytest.raises(OSError, match="broken disk"), damage_errors("f", "no array"):
        raise OSError(errno.EIO, "broken disk")


def test_position_in_the_file_is_reported():
    """The offset that the decoder has reached."""
    file = io.BytesIO(b"12345")
    file.seek(3)
    with pytest.raises(SourceError, match=r"^f: byte 3: damaged: x$"), damage_errors("f", "damaged", file):
        raise ValueError("x")


@pytest.mark.parametrize("dtype", ["u1", ">i2", "<i4", ">f8", ">U3", "S2", "?"])
def test_values_have_the_byte_order_of_the_machine(dtype):
    """Equal values whatever the byte order in the file, which are not shared with the file's bytes."""
    expected = np.array([1, 0, 7], np.dtype(dtype))
    values = read_values("f", io.BytesIO(expected.tobytes()), 3, expected.dtype)
    np.testing.assert_array_equal(values, expected)
    assert values.dtype.isnative
    assert values.flags.writeable


def test_values_are_read_from_any_number_of_pieces():
    """A decoder may return fewer bytes than were asked for."""

    class Piecewise(io.BytesIO):
        def read(self, size=-1):
            return super().read(min(size, 3))

    expected = np.arange(10, dtype="<i2")
    np.testing.assert_array_equal(read_values("f", Piecewise(expected.tobytes()), 10, expected.dtype), expected)


def test_missing_values_are_reported_with_their_offset():
    """The offset is that where the file ends."""
    file = io.BytesIO(b"ab" + bytes(7))
    file.seek(2)
    with pytest.raises(SourceError, match=r"^f: byte 9: the file ends after 7 of 16 bytes of values$"):
        read_values("f", file, 2, np.dtype("f8"))


def test_more_than_the_memory_is_rejected(monkeypatch):
    """Nothing is allocated; the message has both sizes."""
    monkeypatch.setattr(binary_files.os, "sysconf", {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 2**20}.get)
    monkeypatch.setattr(binary_files.np, "empty", None)
    require_memory("f", 2**32)
    with pytest.raises(SourceError, match=r"^f: needs 8.0 GiB, and this machine has 4.0 GiB of memory$"):
        read_values("f", io.BytesIO(), 2**30, np.dtype("f8"))


def test_failed_allocation_is_reported(monkeypatch):
    """A limit of the shell is smaller than the memory."""

    def refuse(*_):
        raise MemoryError

    monkeypatch.setattr(binary_files.np, "empty", refuse)
    with pytest.raises(SourceError, match=r"^f: its 80 bytes of values do not fit into memory$"):
        read_values("f", io.BytesIO(), 10, np.dtype("f8"))
