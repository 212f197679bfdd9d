"""Ctrl-C, SIGTERM and SIGHUP as a request to stop, which training polls between two batches."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

CAUGHT = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopRequest:
    """The first signal that arrived, if any; calling it returns whether one did."""

    def __init__(self) -> None:
        self.signum: int | None = None

    def __call__(self) -> bool:
        """Whether training should stop."""
        return self.signum is not None


@contextmanager
def stop_on_signals() -> Iterator[StopRequest]:
    """Turn the first SIGINT, SIGTERM or SIGHUP into a stop request; a second one acts immediately, as without this.

    A signal that is ignored, such as SIGHUP under nohup, stays ignored.
    """
    request = StopRequest()
    previous = {signum: signal.getsignal(signum) for signum in CAUGHT}
    previous = {signum: handler for signum, handler in previous.items() if handler != signal.SIG_IGN}

    def restore() -> None:
        for signum, handler in previous.items():
            signal.signal(signum, handler)

    def handle(signum: int, frame: FrameType | None) -> None:
        request.signum = signum
        restore()

    for signum in previous:
        signal.signal(signum, handle)
    try:
        yield request
    finally:
        restore()
