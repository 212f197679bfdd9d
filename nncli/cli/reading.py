"""A progress bar in a terminal while a large file is read."""

import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from nncli.cli.interrupts import raised_on_ctrl_c
from nncli.cli.output import has_cursor
from nncli.data.reading import Advance, observed_by

if TYPE_CHECKING:
    from rich.progress import Progress

DELAY = 0.5  # seconds of reading before the bar appears
INTERVAL = 0.1  # seconds between two drawings


@contextmanager
def reading_shown(is_silent: bool = False) -> Iterator[None]:
    """Show a progress bar on standard error while a file is read within the block, if standard error is a terminal.

    Rich is imported when the bar appears, after DELAY. The bar disappears at the end of the file.
    """
    if is_silent or not has_cursor(sys.stderr):
        yield
        return
    shown = ExitStack()
    with shown, observed_by(lambda name, size: _shown(name, size, shown)):  # an error may leave a file open
        yield


@contextmanager
def _shown(name: str, size: int, shown: ExitStack) -> Iterator[Advance]:
    """Show a bar for a file; the stack is closed at the end of the file, which removes the bar."""
    bar = _Bar(name, size, shown)
    try:
        yield bar.advance
    finally:
        shown.close()


class _Bar:
    """A progress bar, which appears after DELAY.

    Args:
        name: the name of the file.
        size: its size in bytes.
        shown: the stack whose end removes the bar.
    """

    def __init__(self, name: str, size: int, shown: ExitStack) -> None:
        self._name, self._size, self._shown = name, size, shown
        self._progress: Progress | None = None
        self._read = 0
        self._due = time.monotonic() + DELAY

    def advance(self, size: int) -> None:
        """Draw the bar if it is due."""
        self._read += size
        if time.monotonic() < self._due:
            return
        self._progress = self._progress or self._appeared()
        self._progress.update(self._progress.task_ids[0], completed=self._read, refresh=True)
        self._due = time.monotonic() + INTERVAL

    def _appeared(self) -> "Progress":
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

        from nncli.cli.render.console import Output

        columns = (TextColumn("reading {task.description}"), BarColumn(24), DownloadColumn(), TimeRemainingColumn())
        progress = Progress(*columns, console=Output(sys.stderr), auto_refresh=False, transient=True)
        self._shown.enter_context(raised_on_ctrl_c())  # so that Ctrl-C removes the bar
        self._shown.enter_context(progress)
        progress.add_task(self._name, total=self._size)
        return progress
