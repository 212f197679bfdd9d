"""Ctrl-C, SIGTERM and SIGHUP as a wish that is read between two batches."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

CAUGHT = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopRequest:
    """The first signal that came, if any; called, it says whether one did."""

    def __init__(self) -> None:
        self.signum: int | None = None

    def __call__(self) -> bool:
        """Whether training should stop."""
        return self.signum is not None


@contextmanager
def stop_on_signals() -> Iterator[StopRequest]:
    """Turn the first SIGINT, SIGTERM or SIGHUP into a request; any second one does what it always did, at once.

    A signal that is ignored, as SIGHUP under nohup, stays ignored.
    """
    request = StopRequest()
    before = {signum: signal.getsignal(signum) for signum in CAUGHT}
    before = {signum: handler for signum, handler in before.items() if handler != signal.SIG_IGN}

    def restore() -> None:
        for signum, handler in before.items():
            signal.signal(signum, handler)

    def note(signum: int, frame: FrameType | None) -> None:
        request.signum = signum
        restore()

    for signum in before:
        signal.signal(signum, note)
    try:
        yield request
    finally:
        restore()
