"""The panel of a training: what is trained, how far it is, its metrics with their best values, and its curves."""

import time
from collections.abc import Iterator, Sequence
from math import ceil
from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.segment import Segment
from rich.style import Style
from rich.text import Text

from nncli.cli.render.format import direction, figure
from nncli.cli.render.live_curves import Curve, diagram
from nncli.config.diagnostics import sanitized_line

if TYPE_CHECKING:
    from nncli.report.live_boundary import LiveBoundary
    from nncli.report.live_history import History, Metric
    from nncli.training.loop import Epoch, Trainer

BORDER, BOLD = Style(dim=True), Style(bold=True)
HINT = "Ctrl-C stops and saves"
BORDERS = 4  # columns of the border and its padding
CURVE_STYLES = {"training": "bright_cyan", "validation": "bright_yellow"}
SHORT, TALL = 3, 8  # lines of the curves: fewer are left out, more say no more
TALLEST = 24  # lines of the plots with --watch
NARROW = 34  # columns that the curves need
NARROWEST_BOUNDARY = 16  # columns; below, it has no curves beside it
GUTTER = "  "  # between the two
COLUMNS_PER_LINE = 2  # of the boundary: a cell is about twice as high as it is wide
TERMINAL_PART = 4  # the curves take the fourth part of the lines of a terminal
OTHER_LINES = 7  # the border, two of progress, the epochs below the curves, one above the panel and one below
SMALLEST_BAR = 6  # columns
SEPARATOR = " · "


class TableLayout(NamedTuple):
    """How wide the metrics are: their significant digits, the heading of the best epochs, the space before them."""

    digits: int
    heading: str
    gap: str


WIDE, TIGHT = TableLayout(4, "@epoch", "  "), TableLayout(3, "", " ")


class TrainingPanel:
    """The panel, which is drawn from the state of a trainer and from its logged metrics.

    It may be drawn by another thread than the one that trains.

    Args:
        trainer: the training to show.
        name: the name of the run.
        history: the metrics of the epochs before, if training is resumed.
        is_watched: whether the curves, and the boundary if there is one, take all lines that there are.
        boundary: the decision boundary, if it is drawn.
    """

    def __init__(
        self,
        trainer: "Trainer",
        name: str,
        history: "History",
        is_watched: bool = False,
        boundary: "LiveBoundary | None" = None,
    ) -> None:
        self.trainer, self.history, self._is_watched = trainer, history, is_watched
        self._boundary = boundary
        self.is_running = True
        self._drawn: tuple[tuple[int, ...], list[Segment]] = (), []
        self._title = _title(trainer, name)
        self._batches = ceil(len(trainer.experiment.data["training"]) / trainer.batch_size)
        self._first, self._started = self._done, time.monotonic()
        self._seen = self._started

    def show(self, epoch: "Epoch") -> None:
        """Add the metrics of an epoch; the panel is drawn later."""
        self._seen = time.monotonic()
        if epoch.metrics is not None:
            self.history.add(epoch.number, epoch.metrics)
        if self._boundary:
            self._boundary.update(epoch.number)

    def end(self) -> None:
        """Show the final state from now on: that of the kept weights, if training has ended."""
        self.is_running = False
        if self._boundary:
            best = self.trainer.stopping.best if self.trainer.is_done else None
            self._boundary.update(best.epoch if best else self.trainer.epoch, is_last=True)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = options.max_width - BORDERS
        is_colored = console.color_system is not None and not console.no_color
        body = self._body(console, width, options.size.height, is_colored)
        title = first_that_fit(self._title, width - 2)
        yield from border("╭─", Segment(f" {title} ", BOLD), "─" * (width - cell_len(title) - 1) + "╮")
        yield from bordered(console, self._progress(width), width)
        yield from bordered(console, self._facts(width), width)
        yield from body
        hint = f" {HINT} " if self.is_running and width > len(HINT) else ""
        yield from border("╰" + "─" * (width + 1 - len(hint)), Segment(hint, BORDER), "─╯")

    def _body(self, console: Console, width: int, height: int, is_colored: bool) -> list[Segment]:
        """The metrics, the curves and the notes; computed again when there are others, or the terminal has changed."""
        state = self.history.count, self._boundary.shown if self._boundary else 0, width, height, is_colored
        if state != self._drawn[0]:
            rows = self._rows(width, height, is_colored)
            self._drawn = state, [segment for row in rows for segment in bordered(console, row, width)]
        return self._drawn[1]

    def _rows(self, width: int, height: int, is_colored: bool) -> list[Text]:
        table = metrics_table(self.history, width, self.trainer.settings.epochs)
        notes = list(self._notes())
        free = height - len(table) - len(notes) - OTHER_LINES
        lines = min(TALLEST, free) if self._is_watched else min(TALL, height // TERMINAL_PART, free)
        if lines < SHORT or width < NARROW:
            return [*table, *notes]
        return [*table, *self._plots(width, lines, is_colored), *notes]

    def _plots(self, width: int, lines: int, is_colored: bool) -> list[Text]:
        """The boundary, if it is watched, and on its right the curves, from the second logged epoch."""
        plots, beside = [], width - NARROW - len(GUTTER)
        if self._boundary:
            from nncli.cli.render.boundary import area_lines

            columns = min(COLUMNS_PER_LINE * lines, beside if beside >= NARROWEST_BOUNDARY else width)
            view = self._boundary.view(columns, lines * (2 if is_colored else 1))
            caption = Text.assemble((f"{f'epoch {view.epoch}':^{columns}}", "dim"))
            plots.append([*area_lines(view, is_colored), caption])
            width -= columns + len(GUTTER)
        if self.history.count > 1 and width >= NARROW:
            plots.append(diagram(self._curves(), "loss", width, lines, is_colored=is_colored))
        return [Text(GUTTER).join(parts) for parts in zip(*plots, strict=True)]

    @property
    def _done(self) -> float:
        """Trained epochs, with the part of the epoch in progress."""
        return self.trainer.epoch + self.trainer.batch / self._batches

    @property
    def _rate(self) -> float:
        """Epochs per second since the start; 0 before the first step."""
        seconds = self._seen - self._started
        return (self._done - self._first) / seconds if seconds else 0.0

    def _progress(self, width: int) -> Text:
        """One line: the epoch, a bar, elapsed and remaining time."""
        epochs, done, now = self.trainer.settings.epochs, self._done, time.monotonic()
        left = Text.assemble((f"epoch {self.trainer.epoch:>{len(str(epochs))}}/{epochs}", "bold"), "  ")
        right = Text(f"  {clock(now - self._started)}")
        if self.is_running and self._rate:
            at_most = "≤ " if self.trainer.settings.early_stopping else ""
            right.append(
                f"{SEPARATOR}{at_most}{clock(max(0, (epochs - done) / self._rate - now + self._seen))} left", "cyan"
            )
        columns = max(SMALLEST_BAR, width - left.cell_len - right.cell_len)
        filled = int(columns * done / epochs)
        bar = Text.assemble(("━" * filled, "bright_green"), ("╌" * (columns - filled), "dim"))
        return left.append_text(bar).append_text(right)

    def _facts(self, width: int) -> Text:
        """One line: rate, batch and learning rate, as many as there is room for."""
        facts, rate = [], self._rate
        if 0 < rate < 1:
            facts.append(f"{1 / rate:.1f} s per epoch")
        elif rate:
            facts.append(f"{rate:,.0f} epochs/s" if rate >= 10 else f"{rate:.1f} epochs/s")
        if self._batches > 1 and rate < 1 and self.is_running:
            facts.append(f"batch {self.trainer.batch:>{len(str(self._batches))}}/{self._batches}")
        facts.append(f"learning rate {figure(self.trainer.optimizer.rate)}")
        return Text(first_that_fit(facts, width))

    def _notes(self) -> Iterator[Text]:
        """How long early stopping has waited, and since when the validation loss has risen."""
        stopping = self.trainer.stopping
        if stopping.config and stopping.best:
            waited = max(0, self.history.epoch - stopping.best.epoch)
            best = f"{stopping.config.metric} best at epoch {stopping.best.epoch}"
            yield Text.assemble((f"patience {waited}/{stopping.config.patience}{SEPARATOR}{best}", "dim"))
        if self.history.risen_since is not None:
            yield Text.assemble((f"validation_loss has risen since epoch {self.history.risen_since}", "yellow"))

    def _curves(self) -> list[Curve]:
        columns = self.history.metrics[0].columns
        return [Curve(split, CURVE_STYLES[split], *self.history.curve(name)) for split, name in columns.items()]


def bordered(console: Console, row: Text, width: int) -> list[Segment]:
    """A row within the border, shortened if it has to be; its styles are those of its parts."""
    row.truncate(width, overflow="ellipsis", pad=True)
    return [Segment("│ ", BORDER), *row.render(console), Segment(" │", BORDER), Segment.line()]


def border(left: str, text: Segment, right: str) -> tuple[Segment, ...]:
    """The upper or the lower border, with a text in it."""
    return Segment(left, BORDER), text, Segment(right, BORDER), Segment.line()


def metrics_table(history: "History", width: int, epochs: int) -> list[Text]:
    """A table with one row per split, and two columns per metric: its last value, and the best one with its epoch.

    It has as many metrics as there is room for; the last of them may lack its best value.

    Args:
        history: the metrics, the most important first.
        width: the columns that the table may take.
        epochs: the number of epochs, for which there is room from the start.
    """
    if not history.latest:
        return [Text("measuring the untrained network")]
    layouts = [each._replace(heading=each.heading.ljust(len(f"@{epochs}"))) for each in (WIDE, TIGHT)]
    for count in range(len(history.metrics), 0, -1):
        for has_last_best in (True, False):
            for layout in layouts:
                table = _table(history, history.metrics[:count], layout, has_last_best)
                if table[0].cell_len <= width:
                    return table
    return table


def _table(history: "History", metrics: Sequence["Metric"], layout: TableLayout, has_last_best: bool) -> list[Text]:
    """The table with these metrics, whether or not it fits."""
    columns = [_padded([Text(), *map(Text, metrics[0].columns)], is_left=True)]
    for metric in metrics:
        headers = list(metric.columns.values())
        heading = Text(f"{metric.name}{direction(metric.higher_is_better)}", "bold")
        cells = _padded([heading, *(_value(history, header, layout.digits) for header in headers)])
        if metric is not metrics[-1] or has_last_best:
            gap = Text(layout.gap)
            cells = [gap.join(pair) for pair in zip(cells, _best_column(history, headers, layout), strict=True)]
        columns.append(cells)
    return [Text("  ").join(cells) for cells in zip(*columns, strict=True)]


def _value(history: "History", header: str, digits: int) -> Text:
    """The last value of a metric, green if it is the best."""
    is_best = history.best[header].epoch == history.epoch
    return Text(figure(history.latest[header], digits), "bright_green" if is_best else "")


def _best_column(history: "History", headers: Sequence[str], layout: TableLayout) -> list[Text]:
    """The best value of each metric, and its epoch."""
    best = [history.best[header] for header in headers]
    values = _padded([Text("best", "dim"), *(Text(figure(each.value, layout.digits)) for each in best)])
    epochs = _padded([Text(layout.heading, "dim"), *(Text(f"@{each.epoch}", "dim") for each in best)], is_left=True)
    return [Text(" ").join(cells) for cells in zip(values, epochs, strict=True)]


def _padded(cells: Sequence[Text], is_left: bool = False) -> list[Text]:
    """The cells of a column, all of one width."""
    width = max(cell.cell_len for cell in cells)
    pads = [Text(" " * (width - cell.cell_len)) for cell in cells]
    return [Text.assemble(*((cell, pad) if is_left else (pad, cell))) for cell, pad in zip(cells, pads, strict=True)]


def _title(trainer: "Trainer", name: str) -> list[str]:
    """The name of the run, its network and its data, the most important first."""
    network, config = trainer.network, trainer.experiment.config
    units = [shape[1] for shape in network.parameters.shapes.values() if len(shape) == 2]
    count = len(network.parameters.trainable)
    rows = len(trainer.experiment.data["training"])
    widths = "-".join(map(str, (network.widths[0], *units)))
    path = getattr(config.data, "path", None)
    source = sanitized_line(path.name) if path else config.data.type
    return [name, widths, f"{source}, {rows:,} rows", f"{count:,} parameters"]


def first_that_fit(texts: Sequence[str], width: int) -> str:
    """As many texts as fit, from the first one, which is shortened if it has to be."""
    line, *rest = texts
    if cell_len(line) > width:
        return f"{line[: width - 1]}…"
    for text in rest:
        if cell_len(line) + len(SEPARATOR) + cell_len(text) > width:
            break
        line += f"{SEPARATOR}{text}"
    return line


def clock(seconds: float) -> str:
    """Format seconds as hours, minutes and seconds.

    >>> clock(3725)
    '1:02:05'
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"
