"""The panel of a group of runs: how many trials have ended, the best so far, the time left, and a curve of the best."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console, ConsoleOptions, RenderResult
from rich.segment import Segment
from rich.style import Style
from rich.text import Text

from nncli.cli.render.format import figure
from nncli.cli.render.live_curves import Curve, diagram
from nncli.cli.render.panel import (
    BORDERS,
    NARROW,
    OTHER_LINES,
    SEPARATOR,
    SHORT,
    SMALLEST_BAR,
    TALL,
    TERMINAL_PART,
    border,
    bordered,
    clock,
    first_that_fit,
)
from nncli.cli.render.progress import note
from nncli.config.diagnostics import sanitized_line

if TYPE_CHECKING:
    from nncli.sweep.overview import Overview
    from nncli.sweep.progress import Progress

BOLD = Style(bold=True)
HINT = "Ctrl-C stops after a checkpoint"
COLORS = {"running": "cyan", "stopped": "yellow", "finished": "green", "diverged": "red", "failed": "red"}
PLAIN_LINES = 20  # the approximate number of lines that are printed if standard error is not a terminal
MOST_RUNNING = 4  # trials whose progress is shown


class GroupPanel:
    """The panel, which is drawn by another thread than the one that takes reports.

    Args:
        overview: the state of the group.
    """

    def __init__(self, overview: "Overview") -> None:
        self._overview = overview
        self.is_running = True

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width, overview = options.max_width - BORDERS, self._overview
        title = first_that_fit([overview.name, f"{overview.total:,} trials"], width - 2)
        yield from border("╭─", Segment(f" {title} ", BOLD), "─" * (width - len(title) - 1) + "╮")
        for row in self._rows(width, options.size.height, console.color_system is not None and not console.no_color):
            yield from bordered(console, row, width)
        hint = f" {HINT} " if self.is_running and width > len(HINT) + 2 else ""
        yield from border("╰" + "─" * (width + 1 - len(hint)), Segment(hint, Style(dim=True)), "─╯")

    def _rows(self, width: int, height: int, is_colored: bool) -> Iterator[Text]:
        yield self._progress(width)
        yield _states(self._overview, width)
        running = self._overview.running
        if running and self.is_running:
            shown = [f"{each.number:04} {each.part:.0%}" for each in running[:MOST_RUNNING]]
            more = [f"and {len(running) - MOST_RUNNING} more"] if len(running) > MOST_RUNNING else []
            yield Text(first_that_fit([*shown, *more], width), "dim")
        if self._overview.bests:
            yield from _best(self._overview, width)
            lines = min(TALL, height // TERMINAL_PART, height - OTHER_LINES - 3)
            if lines >= SHORT and width >= NARROW and self._overview.measured > 1:
                yield from diagram(
                    [Curve("best", "bright_cyan", *self._overview.curve)],
                    "best",
                    width,
                    lines,
                    is_colored=is_colored,
                    unit="trial",
                )

    def _progress(self, width: int) -> Text:
        """One line: how many trials have ended, a bar, elapsed and remaining time."""
        overview = self._overview
        left = Text.assemble((f"trials {overview.ended:>{len(str(overview.total))}}/{overview.total}", "bold"), "  ")
        right = Text(f"  {clock(time.monotonic() - overview.started)}")
        seconds = overview.seconds_left
        if self.is_running and seconds is not None:
            right.append(f"{SEPARATOR}{clock(max(0, seconds))} left", "cyan")
        columns = max(SMALLEST_BAR, width - left.cell_len - right.cell_len)
        filled = int(columns * overview.done / overview.total)
        bar = Text.assemble(("━" * filled, "bright_green"), ("╌" * (columns - filled), "dim"))
        return left.append_text(bar).append_text(right)


def _states(overview: "Overview", width: int) -> Text:
    """One line: the number of trials in each state."""
    parts = [(f"{overview.counts[state]} {state}", color) for state, color in COLORS.items() if overview.counts[state]]
    text = Text(SEPARATOR).join(Text(part, color) for part, color in parts)
    text.truncate(width, overflow="ellipsis")
    return text


def _best(overview: "Overview", width: int) -> Iterator[Text]:
    """The best value, and what distinguishes its trial."""
    best = overview.best
    heading = Text.assemble(
        ("best trial ", "dim"),
        f"{overview.metric} ",
        (figure(best.value), "bright_green"),
        (f"  {best.progress.number:04}", "dim"),
    )
    overrides = [sanitized_line(each) for each in overview.best_overrides]
    texts = Text(first_that_fit(overrides, max(1, width - 2))) if overrides else Text()
    if heading.cell_len + 2 + texts.cell_len <= width:
        yield Text("  ").join([heading, texts])
    else:
        yield from (heading, Text.assemble("  ", texts))


class PlainGroupView:
    """Prints a line from time to time, and the reason of each failure once.

    Args:
        overview: the state of the group.
    """

    def __init__(self, overview: "Overview") -> None:
        self._overview = overview
        self._next = 0
        self._reasons = set[str]()

    def show(self, progress: "Progress") -> None:
        """Print a line if one is due."""
        overview = self._overview
        if not overview.take(progress) or not progress.is_new:
            return
        if progress.message and (reason := progress.message.partition("\n")[0]) not in self._reasons:
            self._reasons.add(reason)
            note(f"{progress.number:04} {progress.state}: {sanitized_line(reason)}")
        if overview.ended >= self._next or overview.ended == overview.total:
            self._next = overview.ended + max(1, overview.total // PLAIN_LINES)
            best = ""
            if overview.bests:
                what = ", ".join(map(sanitized_line, overview.best_overrides)) or overview.best.progress.number
                best = f"  best trial {overview.metric} {figure(overview.best.value)} ({what})"
            wrong = [
                f"  {overview.counts[state]} {state}" for state in ("diverged", "failed") if overview.counts[state]
            ]
            note(f"trials {overview.ended}/{overview.total}{''.join(wrong)}{best}")


@contextmanager
def group_shown(overview: "Overview") -> Iterator[Callable[["Progress"], object]]:
    """Redraw a panel on standard error while trials are trained, and leave it there; yields what takes reports."""
    from nncli.cli.render.live import drawn

    panel = GroupPanel(overview)
    with drawn(panel):
        try:
            yield overview.take
        finally:
            panel.is_running = False
