"""Reading of untrusted directories: regular files only, bounded in size, no links."""

import errno
import os
import socket
from contextlib import suppress

import pytest

from nncli.errors import RunError, StorageError
from nncli.experiment.available_memory import Memory
from nncli.store import safe_read as files

TEXT = b"what is in it"


@pytest.fixture
def directory(tmp_path):
    """A directory with a file and a subdirectory with a file, and another directory next to it."""
    (tmp_path / "directory" / "inner").mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    for name in ("directory/file", "directory/inner/file", "outside/file"):
        (tmp_path / name).write_bytes(TEXT)
    return tmp_path / "directory"


@pytest.mark.parametrize("name", ["file", "inner/file"])
def test_regular_file_is_read_up_to_the_limit(directory, name):
    """A file of exactly the limit is read."""
    assert files.read(directory, name, len(TEXT)) == TEXT


def test_run_directory_may_be_a_link(directory, tmp_path):
    """Only links inside the directory are refused."""
    (tmp_path / "link").symlink_to(directory)
    assert files.read(tmp_path / "link", "inner/file", 99) == TEXT
    assert files.list_directory(tmp_path / "link", "inner") == ["file"]


def test_file_over_the_limit_is_not_read(directory, monkeypatch):
    """The size is checked first: a sparse file of a terabyte takes no time and no memory."""
    with (directory / "file").open("r+b") as file:
        file.truncate(2**40)
    monkeypatch.setattr(os, "fdopen", None)
    with pytest.raises(RunError, match=r"file: has 1,099,511,627,776 bytes, expected at most 12 in this run$"):
        files.read(directory, "file", 12)


def test_bytes_appended_meanwhile_are_not_read(directory, monkeypatch):
    """The size is that at the time of opening."""
    known = os.fstat

    def growing(descriptor):
        state = known(descriptor)
        with (directory / "file").open("ab") as file:
            file.write(b"x" * 100)
        return state

    monkeypatch.setattr(os, "fstat", growing)
    assert files.read(directory, "file", 50) == TEXT


def make_link(path):
    path.symlink_to(path.parent.parent / "outside" / "file")


def make_dangling_link(path):
    path.symlink_to("nowhere")


def make_loop(path):
    path.symlink_to(path.name)


def make_pipe(path):
    os.mkfifo(path)


def make_directory(path):
    path.mkdir()


def make_socket(path):
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(os.path.relpath(path))


def make_nothing(path):
    pass


OTHERS = [make_link, make_dangling_link, make_loop, make_pipe, make_directory, make_socket, make_nothing]


@pytest.mark.parametrize("make", OTHERS)
def test_special_file_is_rejected_without_blocking(directory, make):
    """Links, pipes, directories and sockets are errors that name the path."""
    (directory / "file").unlink()
    make(directory / "file")
    with pytest.raises(RunError, match=rf"^{directory}/file: "):
        files.read(directory, "file", 99)


@pytest.mark.parametrize("number", [errno.EIO, errno.ESTALE, errno.EACCES, errno.EMFILE, errno.ENOMEM])
@pytest.mark.parametrize("name", ["open", "fstat", "lstat", "listdir", "fdopen"])
def test_io_error_is_a_storage_error(directory, monkeypatch, number, name):
    """Its exit code is 5, because the run need not be damaged."""
    act = {
        "lstat": lambda: files.exists(directory / "file"),
        "listdir": lambda: files.list_directory(directory, "inner"),
    }.get(name, lambda: files.read(directory, "file", 99))

    def refuse(*_, **__):
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patched:
        patched.setattr(os, name, refuse)
        with pytest.raises(StorageError, match=os.strerror(number)) as raised:
            act()
    assert raised.value.exit_code == 5


@pytest.mark.parametrize("make", [make_pipe, make_nothing])
def test_subdirectory_that_is_a_special_file_is_rejected(directory, make):
    """Every part of the path but the last must be a directory."""
    (directory / "inner" / "file").unlink()
    (directory / "inner").rmdir()
    make(directory / "inner")
    with pytest.raises(RunError, match=r"inner/file: "):
        files.read(directory, "inner/file", 99)


def test_subdirectory_that_is_a_link_is_rejected(directory):
    """Files outside the directory do not belong to it."""
    (directory / "inner" / "file").unlink()
    (directory / "inner").rmdir()
    (directory / "inner").symlink_to(directory.parent / "outside")
    with pytest.raises(RunError, match="is not a directory, or is a symbolic link to one"):
        files.read(directory, "inner/file", 99)
    with pytest.raises(RunError, match="is not a directory, or is a symbolic link to one"):
        files.list_directory(directory, "inner")


def test_missing_directory_has_no_files(directory):
    """Its list is empty."""
    assert files.list_directory(directory, "missing") == []


def test_broken_link_exists(directory):
    """A path below a file does not exist."""
    make_dangling_link(directory / "link")
    assert files.exists(directory / "link")
    assert not files.exists(directory / "missing")
    assert not files.exists(directory / "file" / "behind")


def test_file_descriptors_are_closed(directory):
    """The number of open files is the same after successful and refused reads."""
    make_link(directory / "link")
    before = len(os.listdir("/dev/fd"))  # noqa: PTH208 (of descriptors)
    for name in ("file", "inner/file", "inner", "link", "missing", "missing/file", "file/file"):
        with suppress(RunError):
            files.read(directory, name, 99)
    files.list_directory(directory, "inner")
    assert len(os.listdir("/dev/fd")) == before  # noqa: PTH208 (of descriptors)


def test_file_larger_than_memory_is_not_read(tmp_path, monkeypatch):
    """The run may come from another machine: both sizes are reported."""
    with (tmp_path / "weights.npz").open("wb") as file:
        file.truncate(files.LARGE + 1)
    monkeypatch.setattr(files, "available_memory", lambda: Memory(files.LARGE, "this machine"))
    with pytest.raises(StorageError, match="has 256 MiB, and this machine has 256 MiB of memory"):
        files.read(tmp_path, "weights.npz", 10**12)


def test_too_long_name_does_not_exist(tmp_path):
    """No file can have it."""
    assert not files.exists(tmp_path / ("x" * 300))
