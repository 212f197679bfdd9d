"""Where rich draws: its own escape sequences pass, those in a text do not."""

import sys
from collections.abc import Iterable
from typing import IO, Any, TextIO, cast

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from nncli.cli.output import sanitized

NARROWEST = 20  # columns; in a narrower terminal lines are wrapped


class Styled:
    """A stream for text with escape sequences that nncli writes.

    Args:
        stream: the one that is written to.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.write = getattr(stream, "write_styled", stream.write)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class Output(Console):
    """Standard output or standard error; nothing in a text is taken for markup, or steers the terminal.

    Args:
        stream: standard output where it is not given.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        file = cast("IO[str]", Styled(stream or sys.stdout))
        super().__init__(file=file, highlight=False, markup=False, emoji=False)
        self.width = max(self.width, NARROWEST)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """The segments of what is printed, each text sanitized."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(sanitized(segment.text), segment.style)

    def on_broken_pipe(self) -> None:
        """Leave the exit code to the one place for it."""
        raise BrokenPipeError
