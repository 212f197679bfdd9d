"""Progress of a training: a live display in a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from nncli.cli.render.format import figure

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table

    from nncli.training.loop import Epoch, Trainer

BLOCKS = "▁▂▃▄▅▆▇█"
SPARK_WIDTH = 40
PLAIN_LINES = 20  # the approximate number of lines that are printed if standard error is not a terminal


def note(text: str) -> None:
    """Print a line on standard error."""
    print(text, file=sys.stderr)


class PlainView:
    """Prints a line at regular epochs.

    Args:
        epochs: the number of epochs.
        metric: the metric that is shown next to the loss, if any.
    """

    def __init__(self, epochs: int, metric: str | None) -> None:
        self.epochs = epochs
        self._names = {f"{prefix}{name}" for prefix in ("", "validation_") for name in ("loss", metric)}
        self._next = 0

    def show(self, epoch: "Epoch") -> None:
        """Print the metrics of the epoch if a line is due."""
        if epoch.metrics is None or (epoch.number < self._next and epoch.number != self.epochs):
            return
        self._next = epoch.number + max(1, self.epochs // PLAIN_LINES)
        metrics = "  ".join(f"{name} {figure(value)}" for name, value in epoch.metrics.items() if name in self._names)
        note(f"epoch {epoch.number}/{self.epochs}  {metrics}")


class LiveView:
    """A progress bar, rate and remaining time, the metrics of the last logged epoch, and a sparkline of the loss.

    Args:
        epochs: the number of epochs.
        metric: the metric that is shown next to the loss, if any.
        first: the epoch that training is resumed at.
    """

    def __init__(self, epochs: int, metric: str | None, first: int = 0) -> None:
        self.epochs, self.metric = epochs, metric
        self._first = self._epoch = first
        self._metrics: Mapping[str, float] = {}
        self._losses: list[float] = []
        self._started = time.monotonic()

    def show(self, epoch: "Epoch") -> None:
        """Store the epoch, which is drawn at the next refresh."""
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
        return Group(bar, self._metrics_table(), Text(f"loss {sparkline(self._losses, SPARK_WIDTH)}", style="magenta"))

    def _metrics_table(self) -> "Table":
        from rich.table import Table
        from rich.text import Text

        table = Table.grid(padding=(0, 2))
        for split in ("training", "validation"):
            prefix = "" if split == "training" else f"{split}_"
            if f"{prefix}loss" in self._metrics:
                cells = [f"loss {figure(self._metrics[f'{prefix}loss'])}"]
                if self.metric:
                    cells.append(f"{self.metric} {figure(self._metrics[f'{prefix}{self.metric}'], 3)}")
                table.add_row(Text(split, style="dim"), *cells)
        return table


@contextmanager
def progress_for(trainer: "Trainer") -> Iterator[Callable[["Epoch"], None]]:
    """Show the progress of a training on standard error; the context gives the function that takes each epoch."""
    from rich.live import Live

    from nncli.cli.render.console import Output

    console = Output(sys.stderr)
    epochs, metric = trainer.settings.epochs, next(iter(trainer.experiment.metrics), None)
    if not console.is_terminal or console.is_dumb_terminal:
        yield PlainView(epochs, metric).show
        return
    view = LiveView(epochs, metric, trainer.epoch)
    with Live(view, console=console, refresh_per_second=8, transient=True):
        yield view.show


def sparkline(values: list[float], width: int) -> str:
    """Values over time as one line of block characters, from the lowest to the highest; flat if both print the same.

    >>> sparkline([4, 3, 2, 1], 4)
    '█▅▃▁'
    """
    if not values:
        return ""
    if len(values) > width:
        values = [values[index * (len(values) - 1) // max(1, width - 1)] for index in range(width)]
    low, high = min(values), max(values)
    scale = (len(BLOCKS) - 1) / (high - low) if figure(high) != figure(low) else 0.0
    return "".join(BLOCKS[int((value - low) * scale)] for value in values)


def clock(seconds: float) -> str:
    """Format seconds as hours, minutes and seconds.

    >>> clock(3725)
    '1:02:05'
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"
