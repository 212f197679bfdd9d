"""A display that is redrawn in place until it ends, and then stays in the terminal."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from time import thread_time

from rich.console import RenderableType
from rich.control import Control
from rich.live import Live
from rich.segment import ControlType, Segment, SegmentLines

from nncli.cli.render.console import Output

SHORTEST, LONGEST = 0.125, 1.0  # seconds between two frames
DRAWING = 0.03  # of the time of a processor may be spent on frames, unless they are LONGEST apart


@contextmanager
def drawn(renderable: RenderableType) -> Iterator[None]:
    """Redraw a renderable on standard error within the block, by another thread, and for a last time at the end.

    The first frame is drawn after ``SHORTEST``. The slower a frame is to draw, the later the next one.
    """
    console, is_over = Output(sys.stderr), Event()
    live, frames = Live(console=console, auto_refresh=False), Frames(console, renderable)
    drawing = Thread(target=draw, args=(live, frames, is_over), daemon=True)
    live.start(refresh=False)
    try:
        drawing.start()
        yield
    finally:
        is_over.set()
        drawing.join()
        live.update(frames())
        live.stop()


def draw(live: Live, frames: Callable[[], RenderableType], is_over: Event) -> None:
    """Draw frames until it is over."""
    seconds = SHORTEST
    while not is_over.wait(seconds):
        start = thread_time()
        live.update(frames(), refresh=True)
        seconds = min(max(SHORTEST, (thread_time() - start) / DRAWING), LONGEST)


class Frames:
    """Renders each frame; before, it erases the lines that a terminal has broken when it became narrower.

    The cursor is on an empty line below, so that a terminal that echoes Ctrl-C breaks no line of the frame.

    Args:
        console: where it is drawn.
        renderable: what is drawn.
    """

    def __init__(self, console: Output, renderable: RenderableType) -> None:
        self._console, self._renderable = console, renderable
        self._lines: list[list[Segment]] = []

    def __call__(self) -> RenderableType:
        """The next frame."""
        width = self._console.width
        added = sum(max(0, Segment.get_line_length(line) - 1) // width for line in self._lines)
        if added:  # rich moves the cursor up over the lines that it has drawn
            upwards = ((ControlType.CURSOR_UP, 1), (ControlType.ERASE_IN_LINE, 2))
            self._console.control(Control((ControlType.ERASE_IN_LINE, 2), *(upwards * added)))
        self._lines = self._console.render_lines(self._renderable, pad=False)
        return SegmentLines([*self._lines, []], new_lines=True)
