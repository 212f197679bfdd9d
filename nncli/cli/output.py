"""Standard output and standard error: no control character of a text reaches them, and no failed write is lost."""

import io
import json
import os
import re
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from nncli.errors import StorageError

UNUSUAL = re.compile(r"[^\n\t\x20-\x7e]")
WRITE_TIMEOUT = 1.0  # seconds that training waits for a reader of standard error


def sanitized(text: str) -> str:
    r"""Text in which nothing steers a terminal: each control or format character but newline and tab as �.

    >>> sanitized("é\t\x1b[2J\n")
    'é\t�[2J\n'
    """
    return UNUSUAL.sub(lambda found: found[0] if found[0].isprintable() else "�", text)


class Descriptor(io.RawIOBase):
    """A file descriptor that is not closed with its stream."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    def fileno(self) -> int:
        """The descriptor."""
        return self.descriptor

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return os.isatty(self.descriptor)

    def writable(self) -> bool:
        """It is."""
        return True

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until it can be written to; False where that takes longer."""
        return bool(select.select([], [self.descriptor], [], seconds)[1])


class StandardOutput(Descriptor):
    """Standard output. The first write that fails is an error, and what comes after it is dropped."""

    failed = False

    def write(self, data: Any) -> int:
        """Write some of the data, and return how much.

        Raises:
            BrokenPipeError: its reader has closed the pipe.
            StorageError: any other failure.
        """
        while not self.failed:
            try:
                return os.write(self.descriptor, data)
            except BlockingIOError:  # somebody has made it non-blocking
                self.wait()
            except BrokenPipeError:
                self.failed = True
                raise
            except OSError as error:
                self.failed = True
                raise StorageError(f"standard output: {error.strerror}") from None
        return memoryview(data).nbytes


class StandardError(Descriptor):
    """Standard error. What cannot be written is dropped, with a write timeout (seconds) also what nobody reads."""

    write_timeout: float | None = None
    is_read = True

    def write(self, data: Any) -> int:
        """Write some of the data, or drop it; return how much is done with."""
        with suppress(OSError):
            self.is_read = self.wait(self.write_timeout if self.is_read else 0)
            if self.is_read:
                part = memoryview(data)[: select.PIPE_BUF]  # as much as a pipe that is ready takes without blocking
                return os.write(self.descriptor, part)
        return memoryview(data).nbytes


class Stream(io.TextIOWrapper):
    """Text on one of the two, sanitized."""

    def __init__(self, raw: Descriptor, encoding: str) -> None:
        is_line_buffered = isinstance(raw, StandardError) or raw.isatty()
        super().__init__(io.BufferedWriter(raw), encoding, "replace", line_buffering=is_line_buffered)
        self.descriptor = raw

    def write(self, text: str) -> int:
        """Write text of any origin."""
        return super().write(sanitized(text))

    def write_styled(self, text: str) -> int:
        """Write text with escape sequences that nncli writes in it."""
        return super().write(text)


@contextmanager
def standard_streams() -> Iterator[None]:
    """Replace the interpreter's standard output and standard error."""
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
    """Wait no longer than ``WRITE_TIMEOUT`` for a reader of standard error: no signal could stop training meanwhile."""
    if isinstance(sys.stderr, Stream) and isinstance(sys.stderr.descriptor, StandardError):
        sys.stderr.descriptor.write_timeout = WRITE_TIMEOUT


def print_json(document: Any, ensure_ascii: bool = True) -> None:
    """Print one JSON document; the one control character that JSON allows in a text, DEL, is escaped."""
    written = json.dumps(document, indent=2, ensure_ascii=ensure_ascii, allow_nan=False)
    print(written.replace("\x7f", "\\u007f"))
