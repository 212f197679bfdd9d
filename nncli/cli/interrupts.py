"""What Ctrl-C does to a command that writes files."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def raised_on_ctrl_c() -> Iterator[None]:
    """Ctrl-C raises KeyboardInterrupt, so that files are cleaned up; elsewhere it ends the process at once.

    Import what is needed before: within an import an exception may be turned into another one, or be lost.
    """
    before = signal.getsignal(signal.SIGINT)
    if before != signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
