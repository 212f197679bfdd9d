"""A pager for output that is longer than the screen."""

import io
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout

import click

from nncli.cli.output import sanitized


class Screen(io.StringIO):
    """A buffer for output to a terminal."""

    def isatty(self) -> bool:
        """Return True: it is shown on a terminal, with colors."""
        return True

    def write(self, text: str) -> int:
        """Write text, sanitized."""
        return super().write(sanitized(text))

    def write_styled(self, text: str) -> int:
        """Write text with the escape sequences of rich, unchanged."""
        return super().write(text)


@contextmanager
def paged() -> Iterator[None]:
    """Show what is printed with the pager of the user if it is longer than the screen; not in a pipe."""
    if not (sys.stdin and sys.stdin.isatty() and sys.stdout.isatty()):
        yield
        return
    with redirect_stdout(Screen()) as screen:
        yield
    text = screen.getvalue()
    if text.count("\n") < shutil.get_terminal_size().lines:
        getattr(sys.stdout, "write_styled", sys.stdout.write)(text)
    else:
        with _without_ctrl_c():
            click.echo_via_pager(text)


@contextmanager
def _without_ctrl_c() -> Iterator[None]:
    """Leave Ctrl-C to the pager, which has the terminal."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
