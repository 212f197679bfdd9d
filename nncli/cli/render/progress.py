"""Progress of a training: a panel in a terminal, plain lines elsewhere."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from nncli.cli.render.format import figure

if TYPE_CHECKING:
    from nncli.cli.render.panel import TrainingPanel
    from nncli.training.loop import Epoch

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


@contextmanager
def shown(panel: "TrainingPanel") -> Iterator[Callable[["Epoch"], None]]:
    """Redraw a panel on standard error while training, and leave it there; yields what takes each epoch."""
    from nncli.cli.render.live import drawn

    with drawn(panel):
        try:
            yield panel.show
        finally:
            panel.end()
