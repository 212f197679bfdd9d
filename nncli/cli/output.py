"""Standard output and standard error: control characters in texts are replaced, and failed writes are reported."""

import io
import os
import re
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from nncli.errors import StorageError

NOT_PLAIN = re.compile(r"[^\n\t\x20-\x7e]")
WRITE_TIMEOUT = 1.0  # seconds
ERROR_STYLES = {"error": "1;31", "location": "1", "caret": "1;31"}  # bold, and red
ERROR_PARTS = r"(?mi)^(?P<error>(?:internal )?error:)|^(?P<location>\S[^\n]*?:\d+:\d+|[^\s:;]+)(?=: )|^(?P<caret> +\^)$"


def sanitized(text: str) -> str:
    r"""Replace control and format characters other than newline and tab by �, so that no text controls the terminal.

    >>> sanitized("é\t\x1b[2J\n")
    'é\t�[2J\n'
    """
    if text.isprintable():  # as most are; the substitution takes many times as long
        return text
    return NOT_PLAIN.sub(lambda found: found[0] if found[0].isprintable() else "�", text)


class Descriptor(io.RawIOBase):
    """A file descriptor that stays open when its stream is closed."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    def fileno(self) -> int:
        """The descriptor."""
        return self.descriptor

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return os.isatty(self.descriptor)

    def writable(self) -> bool:
        """Return True."""
        return True

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until it is writable; return False if ``seconds`` pass before that."""
        return bool(select.select([], [self.descriptor], [], seconds)[1])


class StandardOutput(Descriptor):
    """Standard output: the first write that fails raises an error, and later writes are dropped."""

    failed = False

    def write(self, data: Any) -> int:
        """Write some of the data, and return the number of bytes.

        Raises:
            BrokenPipeError: the reader has closed the pipe.
            StorageError: the write fails for another reason.
        """
        while not self.failed:
            try:
                return os.write(self.descriptor, data)
            except BlockingIOError:  # another process has made the descriptor non-blocking
                self.wait()
            except BrokenPipeError:
                self.failed = True
                raise
            except OSError as error:
                self.failed = True
                raise StorageError(f"standard output: {error.strerror}") from None
        return memoryview(data).nbytes


class StandardError(Descriptor):
    """Standard error: what cannot be written is dropped, and after ``write_timeout`` seconds also what nobody reads."""

    write_timeout: float | None = None
    is_read = True

    def write(self, data: Any) -> int:
        """Write some of the data, or drop all of it; return the number of bytes written or dropped."""
        with suppress(OSError):
            self.is_read = self.wait(self.write_timeout if self.is_read else 0)
            if self.is_read:
                chunk = memoryview(data)[: select.PIPE_BUF]  # a writable pipe takes this much without blocking
                return os.write(self.descriptor, chunk)
        return memoryview(data).nbytes


class Stream(io.TextIOWrapper):
    """A text stream on standard output or standard error that sanitizes what is written."""

    has_document = False  # whether a JSON document has been printed

    def __init__(self, raw: Descriptor, encoding: str) -> None:
        is_line_buffered = isinstance(raw, StandardError) or raw.isatty()
        super().__init__(io.BufferedWriter(raw), encoding, "replace", line_buffering=is_line_buffered)
        self.descriptor = raw

    def write(self, text: str) -> int:
        """Write text, sanitized."""
        return super().write(sanitized(text))

    def write_styled(self, text: str) -> int:
        """Write text with the escape sequences of rich, unchanged."""
        return super().write(text)


@contextmanager
def standard_streams() -> Iterator[None]:
    """Replace ``sys.stdout`` and ``sys.stderr``, and restore them at the end."""
    before = sys.stdout, sys.stderr
    for stream in filter(None, before):
        stream.flush()
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    sys.stdout, sys.stderr = Stream(StandardOutput(1), encoding), Stream(StandardError(2), encoding)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def drop_unread_messages() -> None:
    """Wait at most ``WRITE_TIMEOUT`` for a reader of standard error, since no signal stops training while it blocks."""
    if isinstance(sys.stderr, Stream) and isinstance(sys.stderr.descriptor, StandardError):
        sys.stderr.descriptor.write_timeout = WRITE_TIMEOUT


def has_cursor(stream: Any) -> bool:
    """Whether a stream is a terminal in which the cursor can be moved."""
    return bool(stream.isatty()) and os.environ.get("TERM", "dumb") not in {"dumb", "unknown"}


def print_error(text: str) -> None:
    """Print an error on standard error; in a terminal that has colors its location and its caret stand out."""
    if isinstance(sys.stderr, Stream) and has_cursor(sys.stderr) and not os.environ.get("NO_COLOR"):
        sys.stderr.write_styled(re.sub(ERROR_PARTS, _styled, sanitized(text)) + "\n")
    else:
        print(text, file=sys.stderr)


def _styled(found: re.Match[str]) -> str:
    """A part of an error with the escape sequences of its style."""
    return f"\x1b[{ERROR_STYLES[str(found.lastgroup)]}m{found[0]}\x1b[0m"


def print_json(document: Any, ensure_ascii: bool = True) -> None:
    """Print one JSON document; DEL is escaped too, which ``json`` does only if ``ensure_ascii``."""
    import json

    text = json.dumps(document, indent=2, ensure_ascii=ensure_ascii, allow_nan=False)
    if isinstance(sys.stdout, Stream):
        sys.stdout.has_document = True
    print(text.replace("\x7f", "\\u007f"))


def print_json_error(document: dict[str, Any]) -> None:
    """Print an error as a JSON document, unless the command has printed its own: there is one document at most."""
    if isinstance(sys.stdout, Stream) and not sys.stdout.has_document:
        print_json({"error": document})
