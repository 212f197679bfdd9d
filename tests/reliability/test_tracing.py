"""What strace writes, read."""

from pathlib import Path

from tests.reliability.disk import Disk
from tests.reliability.recording import live, operations, real
from tests.reliability.tracing import CWD, Call, Descriptor, Point, parsed, points

FOLDER = Path("/home/ann")


def hexed(text):
    return "".join(f"\\x{byte:02x}" for byte in text.encode())


def lines(*texts):
    """Lines of a log with the strings between « and » as strace -xx writes them."""
    for text in texts:
        parts = text.replace("»", "«").split("«")
        yield "".join(hexed(part) if index % 2 else part for index, part in enumerate(parts))


OPENED = '7  openat(AT_FDCWD<«/home/ann»>, "«a»", O_RDWR|O_CREAT, 0666) = 3<«/home/ann/a»>'
WRITTEN = '7  write(3<«/home/ann/a»>, "«1,2 (x)»", 7) = 7'


def test_calls_are_read_with_their_arguments():
    """Descriptors have number and path, strings are bytes, flags are words; a comma in a string is part of it."""
    opened, written = parsed(lines(OPENED, WRITTEN))
    assert opened.tokens[:2] == (Descriptor(CWD, "/home/ann"), b"a")
    assert {"O_RDWR", "O_CREAT"} <= opened.words
    assert written == Call("write", (Descriptor(3, "/home/ann/a"), b"1,2 (x)", "7"), 7)


def test_what_is_no_call_is_left_out_and_an_injection_is_seen():
    """Signals and exits are no calls; a call in which the process ended has no result."""
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
    """Calls elsewhere count, and are no points; a file that is only read is none either."""
    log = lines(
        OPENED.replace("/home", "/lib").replace("O_CREAT", "O_EXCL"),
        OPENED,
        OPENED.replace("O_CREAT", "O_EXCL"),
        '7  write(9<«/lib/b»>, "«x»", 1) = 1',
        WRITTEN,
        '7  write(1<«pipe:[1]»>, "«x»", 1) = 1',
        '7  rename("«a»", "«b»") = 0',
    )
    assert points(parsed(log), FOLDER) == [
        Point("openat", 2, "a"),
        Point("write", 2, "a"),
        Point("write", 3, "standard output"),
        Point("rename", 1, "b"),
    ]


def test_operations_do_to_the_model_what_the_calls_did(tmp_path):
    """Offsets go on, appended bytes go to the end, closed descriptors stand for nothing, failed calls do nothing."""
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
        '7  write(1<«pipe:[1]»>, "«told»", 4) = 4',
    )
    found = operations(parsed(log), FOLDER)
    disk = Disk.of(tmp_path)
    for operation in found:
        operation.carry_out(disk)
    assert live(disk.root) == {"log": b"05", "made": {"b": b"1,"}}
    assert [each.method for each in found].count("fsync") == 1
    assert found[-1].method == "printed"
    assert real(tmp_path) == {"log": b"0"}
