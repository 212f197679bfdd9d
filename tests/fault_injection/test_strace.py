"""The parser of strace's output, and the recording of operations."""

from pathlib import Path

import pytest

from tests.fault_injection.disk_model import Disk
from tests.fault_injection.disk_recording import model_files, operations, real_files
from tests.fault_injection.strace import CWD, Call, Descriptor, Point, parsed, points

pytestmark = pytest.mark.fault_injection

DIRECTORY = Path("/home/ann")


def hexed(text):
    return "".join(f"\\x{byte:02x}" for byte in text.encode())


def lines(*texts):
    """Lines of a log; strings between « and » are escaped as by strace -xx."""
    for text in texts:
        parts = text.replace("»", "«").split("«")
        yield "".join(hexed(part) if index % 2 else part for index, part in enumerate(parts))


OPENED = '7  openat(AT_FDCWD<«/home/ann»>, "«a»", O_RDWR|O_CREAT, 0666) = 3<«/home/ann/a»>'
WRITTEN = '7  write(3<«/home/ann/a»>, "«1,2 (x)»", 7) = 7'


def test_calls_are_read_with_their_arguments():
    """Descriptors have number and path, strings are bytes, flags are words, and strings may contain commas."""
    opened, written = parsed(lines(OPENED, WRITTEN))
    assert opened.tokens[:2] == (Descriptor(CWD, "/home/ann"), b"a")
    assert {"O_RDWR", "O_CREAT"} <= opened.words
    assert written == Call("write", (Descriptor(3, "/home/ann/a"), b"1,2 (x)", "7"), 7)


def test_signals_and_exits_are_no_calls_and_injections_are_marked():
    """Signals and exits are left out; a call in which the process ended has no result."""
    found = parsed(
        lines(
            "7  --- SIGTERM {si_signo=SIGTERM, si_code=SI_USER} ---",
            "7  fsync(3<«/home/ann/a»>) = -1 EIO (Input/output error) (INJECTED)",
            '7  unlink("«a»" <unfinished ...>) = ?',
            "7  +++ killed by SIGKILL +++",
        )
    )
    assert [(call.name, call.result, call.is_injected) for call in found] == [
        ("fsync", -1, True),
        ("unlink", None, False),
    ]


def test_points_are_counted_among_all_calls_of_their_name():
    """Calls elsewhere are counted but are no points, nor are calls that only read a file."""
    log = lines(
        OPENED.replace("/home", "/lib").replace("O_CREAT", "O_EXCL"),
        OPENED,
        OPENED.replace("O_CREAT", "O_EXCL"),
        '7  write(9<«/lib/b»>, "«x»", 1) = 1',
        WRITTEN,
        '7  write(1<«pipe:[1]»>, "«x»", 1) = 1',
        '7  rename("«a»", "«b»") = 0',
    )
    assert points(parsed(log), DIRECTORY) == [
        Point("openat", 2, "a"),
        Point("write", 2, "a"),
        Point("write", 3, "standard output"),
        Point("rename", 1, "b"),
    ]


def test_operations_change_the_model_as_the_calls_changed_the_disk(tmp_path):
    """Offsets advance, appends go to the end, closed descriptors are forgotten, failed calls have no effect."""
    (tmp_path / "log").write_bytes(b"0")
    log = lines(
        OPENED,
        WRITTEN,
        '7  write(3<«/home/ann/a»>, "«34»", 2) = 1',
        "7  fsync(3<«/home/ann/a»>) = 0",
        '7  openat(AT_FDCWD<«/home/ann»>, "«log»", O_WRONLY|O_APPEND) = 4<«/home/ann/log»>',
        '7  write(4<«/home/ann/log»>, "«5»", 1) = 1',
        "7  ftruncate(3<«/home/ann/a»>, 2) = 0",
        "7  close(3<«/home/ann/a»>) = 0",
        '7  openat(AT_FDCWD<«/home/ann»>, "«/etc/hosts»", O_RDONLY) = 3<«/etc/hosts»>',
        "7  fsync(3<«/etc/hosts»>) = 0",
        '7  mkdir("«made»", 0777) = 0',
        '7  rename("«a»", "«made/b»") = 0',
        '7  unlink("«a»") = -1 ENOENT (No such file or directory)',
        '7  write(1<«pipe:[1]»>, "«text»", 4) = 4',
    )
    found = operations(parsed(log), DIRECTORY)
    disk = Disk.of(tmp_path)
    for operation in found:
        operation.execute(disk)
    assert model_files(disk.root) == {"log": b"05", "made": {"b": b"1,"}}
    assert [each.method for each in found].count("fsync") == 1
    assert found[-1].method == "printed"
    assert real_files(tmp_path) == {"log": b"0"}
