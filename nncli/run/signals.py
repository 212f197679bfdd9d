"""Ctrl-C and SIGTERM as a wish that is read between two batches."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class StopRequest:
    """The first signal that came, if any; called, it says whether one did."""

    def __init__(self) -> None:
        self.signum: int | None = None

    def __call__(self) -> bool:
        """Whether training should stop."""
        return self.signum is not None


@contextmanager
def stop_on_signals() -> Iterator[StopRequest]:
    """Turn the first SIGINT or SIGTERM into a request; a second one does what it always did, at once.

    A signal that is ignored, as under nohup, stays ignored.
    """
    request = StopRequest()
    caught = (signal.SIGINT, signal.SIGTERM)
    before = {signum: signal.getsignal(signum) for signum in caught}
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
