"""Ctrl-C in a command that writes files."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def raised_on_ctrl_c() -> Iterator[None]:
    """Let Ctrl-C raise KeyboardInterrupt, so that files are cleaned up; by default it ends the process at once.

    Import everything before: an exception raised during an import may be replaced by another one, or lost.
    """
    before = signal.getsignal(signal.SIGINT)
    if before != signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
