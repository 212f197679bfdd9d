"""A display that is redrawn in place until it ends, and then stays in the terminal."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from time import thread_time

from rich.console import RenderableType
from rich.segment import SegmentLines

from nncli.cli.render.console import Output

SHORTEST, LONGEST = 0.125, 1.0  # seconds between two frames
DRAWING = 0.03  # of the time of a processor may be spent on frames, unless they are LONGEST apart
SAVE_CURSOR, RESTORE_CURSOR, CURSOR_UP = "\x1b7", "\x1b8", "\x1b[{}A"
HIDE_CURSOR, SHOW_CURSOR, ERASE_BELOW = "\x1b[?25l", "\x1b[?25h", "\x1b[J"
CUT_LINES, WRAP_LINES = "\x1b[?7l", "\x1b[?7h"


@contextmanager
def drawn(renderable: RenderableType) -> Iterator[None]:
    """Redraw a renderable on standard error within the block, by another thread, and for a last time at the end.

    The first frame is drawn after ``SHORTEST``. The slower a frame is to draw, the later the next one.
    """
    frames, is_over = Frames(Output(sys.stderr), renderable), Event()
    drawing = Thread(target=draw, args=(frames.draw, is_over), daemon=True)
    try:
        drawing.start()
        yield
    finally:
        is_over.set()
        drawing.join()
        frames.draw(is_last=True)


def draw(frame: Callable[[], None], is_over: Event) -> None:
    """Draw frames until it is over."""
    seconds = SHORTEST
    while not is_over.wait(seconds):
        start = thread_time()
        frame()
        seconds = min(max(SHORTEST, (thread_time() - start) / DRAWING), LONGEST)


class Frames:
    """Draws each frame over the one before.

    Between two frames the hidden cursor is at the start of the frame. What a terminal echoes there, such as Enter or
    Ctrl-C, scrolls nothing, and the next frame covers it.

    Args:
        console: where it is drawn.
        renderable: what is drawn.
    """

    def __init__(self, console: Output, renderable: RenderableType) -> None:
        self._console, self._renderable = console, renderable
        self._width: int | None = None  # of the frame before

    def draw(self, is_last: bool = False) -> None:
        """Draw the next frame, no higher than the terminal; the last one as a whole, and with the cursor below it."""
        width, height = self._console.size
        lines = self._console.render_lines(self._renderable)
        lines = lines if is_last else lines[: max(1, height - 1)]
        with self._console.capture() as frame:
            self._console.print(SegmentLines(lines, new_lines=True), end="")
        start = HIDE_CURSOR if self._width is None else ""
        # a terminal that becomes narrower breaks the lines of the frame, and takes the cursor along
        start += RESTORE_CURSOR if width == self._width else f"\r{ERASE_BELOW}"
        end = SHOW_CURSOR if is_last else f"{CURSOR_UP.format(len(lines))}{SAVE_CURSOR}"
        self._console.file.write(f"{start}{CUT_LINES}{frame.get()}{WRAP_LINES}{ERASE_BELOW}{end}")
        self._console.file.flush()
        self._width = width
