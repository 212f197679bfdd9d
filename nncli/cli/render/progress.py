"""What is seen while training: a live display in a terminal, plain lines elsewhere, or nothing."""

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from nncli.cli.render.format import figure

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table

    from nncli.train.loop import Epoch, Trainer

BLOCKS = "▁▂▃▄▅▆▇█"
SPARK_WIDTH = 40
PLAIN_LINES = 20  # how many lines a whole training prints where there is no terminal


def note(text: str) -> None:
    """Print a line on standard error."""
    print(text, file=sys.stderr)


class ProgressView:
    """Sees every epoch; this one shows nothing."""

    def show(self, epoch: "Epoch") -> None:
        """Take note of an epoch."""


class PlainView(ProgressView):
    """A line every now and then, always at the same epochs.

    Args:
        epochs: how many there will be.
        metric: the metric that is shown next to the loss, if any.
    """

    def __init__(self, epochs: int, metric: str | None) -> None:
        self.epochs = epochs
        self._names = {f"{prefix}{name}" for prefix in ("", "validation_") for name in ("loss", metric)}
        self._next = 0

    def show(self, epoch: "Epoch") -> None:
        """Print the epoch's metrics where it is due."""
        if epoch.metrics is None or (epoch.number < self._next and epoch.number != self.epochs):
            return
        self._next = epoch.number + max(1, self.epochs // PLAIN_LINES)
        numbers = "  ".join(f"{name} {figure(value)}" for name, value in epoch.metrics.items() if name in self._names)
        note(f"epoch {epoch.number}/{self.epochs}  {numbers}")


class LiveView(ProgressView):
    """A bar, rate and time left, the metrics of the last logged epoch, and the course of the loss; draws itself.

    Args:
        epochs: how many there will be.
        metric: the metric that is shown next to the loss, if any.
        first: how many were trained before.
    """

    def __init__(self, epochs: int, metric: str | None, first: int = 0) -> None:
        self.epochs, self.metric = epochs, metric
        self._first = self._epoch = first
        self._metrics: Mapping[str, float] = {}
        self._losses: list[float] = []
        self._started = time.monotonic()

    def show(self, epoch: "Epoch") -> None:
        """Remember the epoch; it is drawn when the screen is refreshed."""
        self._epoch = epoch.number
        if epoch.metrics is not None:
            self._metrics = epoch.metrics
            self._losses.append(epoch.metrics["loss"])

    def __rich__(self) -> "Group":
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        seconds = time.monotonic() - self._started
        rate = (self._epoch - self._first) / seconds if seconds else 0.0
        bar = Table.grid(padding=(0, 2))
        bar.add_row(
            Text(f"epoch {self._epoch}/{self.epochs}", style="bold"),
            ProgressBar(total=self.epochs, completed=self._epoch, width=24),
            Text(f"{rate:,.0f} epochs/s" if rate >= 10 else f"{rate:.2f} epochs/s"),
            Text(f"{clock((self.epochs - self._epoch) / rate)} left" if rate else "", style="cyan"),
        )
        return Group(bar, self._numbers(), Text(f"loss {sparkline(self._losses, SPARK_WIDTH)}", style="magenta"))

    def _numbers(self) -> "Table":
        from rich.table import Table
        from rich.text import Text

        table = Table.grid(padding=(0, 2))
        for split in ("training", "validation"):
            prefix = "" if split == "training" else f"{split}_"
            if f"{prefix}loss" in self._metrics:
                numbers = [f"loss {figure(self._metrics[f'{prefix}loss'])}"]
                if self.metric:
                    numbers.append(f"{self.metric} {figure(self._metrics[f'{prefix}{self.metric}'], 3)}")
                table.add_row(Text(split, style="dim"), *numbers)
        return table


@contextmanager
def progress_for(training: "Trainer") -> Iterator[ProgressView]:
    """The view that suits standard error."""
    from rich.live import Live

    from nncli.cli.render.console import Output

    console = Output(sys.stderr)
    epochs, metric = training.settings.epochs, next(iter(training.experiment.metrics), None)
    if not console.is_terminal or console.is_dumb_terminal:
        yield PlainView(epochs, metric)
        return
    view = LiveView(epochs, metric, training.epoch)
    with Live(view, console=console, refresh_per_second=8, transient=True):
        yield view


def sparkline(values: list[float], width: int) -> str:
    """The course of some values in one line of blocks, the lowest value lowest.

    >>> sparkline([4, 3, 2, 1], 4)
    '█▅▃▁'
    """
    if not values:
        return ""
    picked = (
        [values[index * (len(values) - 1) // max(1, width - 1)] for index in range(width)]
        if len(values) > width
        else values
    )
    low, high = min(picked), max(picked)
    scale = (len(BLOCKS) - 1) / (high - low) if high > low else 0.0
    return "".join(BLOCKS[int((value - low) * scale)] for value in picked)


def clock(seconds: float) -> str:
    """Seconds as hours, minutes and seconds.

    >>> clock(3725)
    '1:02:05'
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"
