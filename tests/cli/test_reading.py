"""The bar of a file that is read: in a terminal, after a while, and gone at the end."""

import io
import os
import signal
import subprocess
import sys
from types import SimpleNamespace

import pytest

from nncli.cli import reading as module
from nncli.cli.reading import reading_shown
from nncli.data.reading import reading

HIDDEN = "\x1b[?25l"


class Terminal(io.StringIO):
    """A terminal that keeps what is drawn."""

    def isatty(self):
        return True


@pytest.fixture
def terminal(monkeypatch):
    """Standard error as a terminal, in which the bar appears at once."""
    screen = Terminal()
    monkeypatch.setattr(module, "sys", SimpleNamespace(stderr=screen))
    monkeypatch.setattr(module, "DELAY", 0)
    monkeypatch.setattr(module, "INTERVAL", 0)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "100")
    return screen


@pytest.fixture
def file(tmp_path):
    """A file of two million bytes, which is open."""
    (tmp_path / "data.csv").write_bytes(bytes(2_000_000))
    with (tmp_path / "data.csv").open("rb") as opened:
        yield opened


def read(file, *sizes):
    """Read pieces of these sizes."""
    with reading("data.csv", file) as advance:
        for size in sizes:
            advance(size)


def test_bar_has_the_name_and_what_is_read_and_disappears(terminal, file):
    """The size read of the size of the file, and at the end an empty line."""
    with reading_shown():
        read(file, 500_000, 1_000_000)
        assert terminal.getvalue().endswith("\r\x1b[1A\x1b[2K")
    text = terminal.getvalue()
    assert "reading data.csv" in text
    assert text.index("0.5/2.0 MB") < text.index("1.5/2.0 MB")
    assert HIDDEN not in text  # a process that is killed could not show the cursor again


def test_bar_is_not_drawn_for_every_piece(terminal, file, monkeypatch):
    """Once in an interval, however many pieces there are."""
    monkeypatch.setattr(module, "INTERVAL", 60)
    with reading_shown():
        read(file, 500_000, 1_000_000)
    assert ("0.5/2.0 MB" in terminal.getvalue(), "1.5/2.0 MB" in terminal.getvalue()) == (True, False)


def test_error_removes_the_bar_and_restores_ctrl_c(terminal, file, monkeypatch):
    """Also if the file is still being read when the block ends; while there is a bar Ctrl-C is an exception."""
    handlers = ["before"]
    monkeypatch.setattr(signal, "getsignal", lambda signum: handlers[-1])
    monkeypatch.setattr(signal, "signal", lambda signum, handler: handlers.append(handler))

    def fail():
        with reading_shown():
            context = reading("data.csv", file)
            context.__enter__()(10)
            raise ValueError("damaged")

    with pytest.raises(ValueError, match="damaged"):
        fail()
    assert handlers == ["before", signal.default_int_handler, "before"]
    assert terminal.getvalue().endswith("\r\x1b[1A\x1b[2K")


def test_nothing_is_drawn_where_nothing_should_be(terminal, file, monkeypatch):
    """Not if the command is silent, in a terminal that cannot draw, in a pipe, or before the delay."""
    with reading_shown(is_silent=True):
        read(file, 10)
    with monkeypatch.context() as patched:
        patched.setenv("TERM", "dumb")
        with reading_shown():
            read(file, 10)
    with monkeypatch.context() as patched:
        patched.setattr(terminal, "isatty", lambda: False)
        with reading_shown():
            read(file, 10)
    monkeypatch.setattr(module, "DELAY", 60)
    with reading_shown():
        read(file, 10)
    assert terminal.getvalue() == ""


def test_rich_is_imported_with_the_bar():
    """A file that is read at once costs no import of the display."""
    program = """
import sys
from nncli.cli.reading import reading_shown
from nncli.data.reading import reading
sys.stderr.isatty = lambda: True
with reading_shown(), reading("x", open(sys.executable, "rb")) as advance:
    advance(10)
assert "rich" not in sys.modules
"""
    environment = {**os.environ, "TERM": "xterm-256color"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, check=False, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
