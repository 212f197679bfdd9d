"""The console of rich: its own escape sequences are written, those in a text are sanitized."""

import math
import sys
from collections.abc import Iterable
from typing import IO, Any, TextIO, cast

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from nncli.cli.output import sanitized

MIN_WIDTH = 20  # columns; in a narrower terminal lines are wrapped


class Styled:
    """A stream to which text with the escape sequences of rich can be written.

    Args:
        stream: the stream to write to.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.write = getattr(stream, "write_styled", stream.write)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class Output(Console):
    """A console on standard output or standard error; no text is markup, and none can control the terminal.

    Args:
        stream: the stream to write to; standard output by default.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        file = cast("IO[str]", Styled(stream or sys.stdout))
        super().__init__(file=file, highlight=False, markup=False, emoji=False)
        if self.size.width < MIN_WIDTH:
            self.width = MIN_WIDTH  # else it is that of the terminal at any moment

    @property
    def room(self) -> float:
        """The columns that a table may take: those of a terminal, and any number in a pipe or a file."""
        return self.width if self.file.isatty() else math.inf

    def print_text(self, text: str | Text) -> None:
        """Print a text: in a terminal broken between words, elsewhere each of its lines as one."""
        self.print(text, soft_wrap=not self.file.isatty())

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """The segments of a renderable, with their texts sanitized."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(sanitized(segment.text), segment.style)

    def show_cursor(self, show: bool = True) -> bool:
        """Never hide the cursor: a process that is killed could not show it again."""
        return False

    def on_broken_pipe(self) -> None:
        """Raise BrokenPipeError, so that ``main`` decides the exit code."""
        raise BrokenPipeError
