"""Reading in a folder that others have filled: nothing but its own regular files, and no more of them than asked."""

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
def folder(tmp_path):
    """A folder with a file, and one in an inner folder; another folder beside it."""
    (tmp_path / "folder" / "inner").mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    for name in ("folder/file", "folder/inner/file", "outside/file"):
        (tmp_path / name).write_bytes(TEXT)
    return tmp_path / "folder"


@pytest.mark.parametrize("name", ["file", "inner/file"])
def test_a_regular_file_is_read(folder, name):
    """Its bytes, up to the very limit."""
    assert files.read(folder, name, len(TEXT)) == TEXT


def test_the_folder_itself_may_be_a_link(folder, tmp_path):
    """Whoever names a link means what it leads to; only what is inside is not trusted."""
    (tmp_path / "link").symlink_to(folder)
    assert files.read(tmp_path / "link", "inner/file", 99) == TEXT
    assert files.list_directory(tmp_path / "link", "inner") == ["file"]


def test_a_file_over_the_limit_is_refused_unread(folder, monkeypatch):
    """The size is known before a byte of it is read: a sparse file of a terabyte takes no time and no memory."""
    with (folder / "file").open("r+b") as file:
        file.truncate(2**40)
    monkeypatch.setattr(os, "fdopen", None)
    with pytest.raises(RunError, match=r"file: has 1,099,511,627,776 bytes, expected at most 12 in this run$"):
        files.read(folder, "file", 12)


def test_what_is_appended_meanwhile_is_not_read(folder, monkeypatch):
    """A file that grows while it is read gives what it had when it was opened."""
    known = os.fstat

    def growing(descriptor):
        state = known(descriptor)
        with (folder / "file").open("ab") as file:
            file.write(b"x" * 100)
        return state

    monkeypatch.setattr(os, "fstat", growing)
    assert files.read(folder, "file", 50) == TEXT


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
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(os.path.relpath(path))


def make_nothing(path):
    pass


OTHERS = [make_link, make_dangling_link, make_loop, make_pipe, make_directory, make_socket, make_nothing]


@pytest.mark.parametrize("make", OTHERS)
def test_what_is_no_regular_file_is_refused_at_once(folder, make):
    """A link, a pipe that nobody writes to, a folder, a socket: an error that names the path, and no waiting."""
    (folder / "file").unlink()
    make(folder / "file")
    with pytest.raises(RunError, match=rf"^{folder}/file: "):
        files.read(folder, "file", 99)


@pytest.mark.parametrize("number", [errno.EIO, errno.ESTALE, errno.EACCES, errno.EMFILE, errno.ENOMEM])
@pytest.mark.parametrize("name", ["open", "fstat", "lstat", "listdir", "fdopen"])
def test_what_the_system_refuses_to_read_says_nothing_of_the_run(folder, monkeypatch, number, name):
    """It is a storage error with exit code 5, and no damage."""
    act = {
        "lstat": lambda: files.exists(folder / "file"),
        "listdir": lambda: files.list_directory(folder, "inner"),
    }.get(name, lambda: files.read(folder, "file", 99))

    def refuse(*_, **__):
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patched:
        patched.setattr(os, name, refuse)
        with pytest.raises(StorageError, match=os.strerror(number)) as told:
            act()
    assert told.value.exit_code == 5


@pytest.mark.parametrize("make", [make_pipe, make_nothing])
def test_an_inner_folder_that_is_none_is_refused(folder, make):
    """What a path leads through has to be a folder."""
    (folder / "inner" / "file").unlink()
    (folder / "inner").rmdir()
    make(folder / "inner")
    with pytest.raises(RunError, match=r"inner/file: "):
        files.read(folder, "inner/file", 99)


def test_an_inner_folder_that_is_a_link_is_refused(folder):
    """The right files elsewhere are not the folder's own."""
    (folder / "inner" / "file").unlink()
    (folder / "inner").rmdir()
    (folder / "inner").symlink_to(folder.parent / "outside")
    with pytest.raises(RunError, match="is not a directory, or is a symbolic link to one"):
        files.read(folder, "inner/file", 99)
    with pytest.raises(RunError, match="is not a directory, or is a symbolic link to one"):
        files.list_directory(folder, "inner")


def test_a_folder_that_is_missing_has_no_files(folder):
    """Its list is empty, as that of an empty one."""
    assert files.list_directory(folder, "missing") == []


def test_a_link_that_leads_nowhere_is_there(folder):
    """It has the name, whatever it leads to; a name behind a file is not there."""
    make_dangling_link(folder / "link")
    assert files.exists(folder / "link")
    assert not files.exists(folder / "missing")
    assert not files.exists(folder / "file" / "behind")


def test_no_descriptor_is_left_open(folder):
    """Whether it reads or refuses, as many files are open afterwards as before."""
    make_link(folder / "link")
    before = len(os.listdir("/dev/fd"))  # noqa: PTH208 (of descriptors)
    for name in ("file", "inner/file", "inner", "link", "missing", "missing/file", "file/file"):
        with suppress(RunError):
            files.read(folder, name, 99)
    files.list_directory(folder, "inner")
    assert len(os.listdir("/dev/fd")) == before  # noqa: PTH208 (of descriptors)


def test_a_file_larger_than_the_memory_is_not_read(tmp_path, monkeypatch):
    """As one of a run that was trained on another machine: both sizes are reported."""
    with (tmp_path / "weights.npz").open("wb") as file:
        file.truncate(files.LARGE + 1)
    monkeypatch.setattr(files, "available_memory", lambda: Memory(files.LARGE, "this machine"))
    with pytest.raises(StorageError, match="has 256 MiB, and this machine has 256 MiB of memory"):
        files.read(tmp_path, "weights.npz", 10**12)


def test_a_name_that_is_too_long_is_absent(tmp_path):
    """No file can have it."""
    assert not files.exists(tmp_path / ("x" * 300))
