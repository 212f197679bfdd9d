"""Ctrl-C in a command that writes files."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def raised_on_ctrl_c() -> Iterator[None]:
    """Let Ctrl-C raise KeyboardInterrupt, so that files are cleaned up; elsewhere it ends the process at once.

    Import everything before entering: an import may turn the exception into another one, or lose it.
    """
    previous = signal.getsignal(signal.SIGINT)
    if previous != signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)
