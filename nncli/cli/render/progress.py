"""Progress of a training: a panel in a terminal, plain lines elsewhere."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from nncli.cli.output import has_cursor
from nncli.cli.render.format import figure

if TYPE_CHECKING:
    from nncli.cli.render.history import History
    from nncli.store.run_writer import RunWriter
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
def progress_for(writer: "RunWriter", is_watched: bool = False) -> Iterator[Callable[["Epoch"], None]]:
    """Show the progress of a training on standard error; the context gives the function that takes each epoch.

    In a terminal a panel is redrawn, and stays at the end; elsewhere lines are printed.

    Args:
        writer: the training, and its run directory.
        is_watched: whether the panel shows the decision boundary, or else larger curves.
    """
    trainer = writer.trainer
    if not has_cursor(sys.stderr):
        yield PlainView(trainer.settings.epochs, next(iter(trainer.experiment.metrics), None)).show
        return
    from nncli.cli.render.live import drawn
    from nncli.cli.render.panel import TrainingPanel

    panel = TrainingPanel(trainer, writer.path.name, history_of(writer), is_watched)
    with drawn(panel):
        try:
            yield panel.show
        finally:
            panel.end()


def history_of(writer: "RunWriter") -> "History":
    """The metrics that were logged before the training was resumed."""
    from nncli.cli.render.history import History
    from nncli.store.metrics_csv import headers, parse
    from nncli.store.safe_read import storage_errors

    history, path = History(), writer.path / "metrics.csv"
    with storage_errors(path):
        content = path.read_bytes()
    metrics = parse(content, headers(content), writer.trainer.settings.epochs)
    for index in range(len(metrics)):
        row = metrics.row(index)
        history.add(int(row.pop("epoch")), row)
    return history
