"""The metrics of a training so far: best values, curves, and the epoch since which the validation loss has risen."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from nncli.experiment.assembly import Experiment
from nncli.experiment.metric_columns import SPLITS, column, find_column, higher_is_better
from nncli.store.metrics_csv import headers, parse
from nncli.store.run_writer import RunWriter
from nncli.store.safe_read import storage_errors

POINTS = 512  # of a curve; once it has twice as many, every second one is dropped
RECENT = 5  # last logged epochs, all of which are worse if the loss has risen
RISE = 1.05  # relative to the lowest loss; smaller increases are noise


class Metric(NamedTuple):
    """A metric with its columns of metrics.csv by split; ``higher_is_better`` is None without direction."""

    name: str
    higher_is_better: bool | None
    columns: Mapping[str, str]


class Best(NamedTuple):
    """The best value of a metric, and its epoch."""

    value: float
    epoch: int


class History:
    """The logged metrics of a training.

    ``count`` is the number of logged epochs, ``epoch`` the last of them; ``latest`` has its metrics, ``best`` the best
    value of each; ``risen_since`` is the epoch of the lowest validation loss if the last values are clearly higher.
    Another thread may read while epochs are added: what it reads is replaced, not changed.

    Args:
        metrics: the losses, and the metrics of the config, which are shown.
    """

    def __init__(self, metrics: Sequence[Metric] = ()) -> None:
        self.metrics = metrics
        self.latest: Mapping[str, float] = {}
        self.epoch = 0
        self.best: dict[str, Best] = {}
        self.risen_since: int | None = None
        self._points: list[tuple[int, Mapping[str, float]]] = []
        self._stride, self.count = 1, 0
        self._recent: tuple[float, ...] = ()

    def add(self, epoch: int, metrics: Mapping[str, float]) -> None:
        """Add the metrics of a logged epoch, by column of metrics.csv."""
        self.best = {name: self._better(name, epoch, value) for name, value in metrics.items()}
        self._add_point(epoch, metrics)
        if "validation_loss" in metrics:
            lowest = self.best["validation_loss"]
            self._recent = (*self._recent[1 - RECENT :], metrics["validation_loss"])
            has_risen = len(self._recent) == RECENT and min(self._recent) > RISE * lowest.value
            self.risen_since = lowest.epoch if has_risen else None
        self.latest, self.epoch, self.count = metrics, epoch, self.count + 1

    def curve(self, name: str) -> tuple[list[int], list[float]]:
        """Epochs and values of a column, at most twice ``POINTS``; the last one is that of the last logged epoch."""
        points = self._points
        if self.latest and points[-1][0] != self.epoch:
            points = [*points, (self.epoch, self.latest)]
        return [epoch for epoch, _ in points], [metrics[name] for _, metrics in points]

    def _better(self, name: str, epoch: int, value: float) -> Best:
        best = self.best.get(name)
        is_better = best is None or (value > best.value if higher_is_better(name) else value < best.value)
        return Best(value, epoch) if best is None or is_better else best

    def _add_point(self, epoch: int, metrics: Mapping[str, float]) -> None:
        if self.count % self._stride == 0:
            self._points.append((epoch, metrics))
        if len(self._points) > 2 * POINTS:
            self._points, self._stride = self._points[::2], 2 * self._stride


def metrics_of(experiment: Experiment) -> list[Metric]:
    """The loss and the metrics of the config, with their columns of the splits that are measured while training."""
    splits = [name for name in SPLITS[:2] if name in experiment.data]
    return [
        Metric(name, find_column(name).higher_is_better, {split: column(split, name) for split in splits})
        for name in ("loss", *experiment.metrics)
    ]


def history_of(writer: RunWriter) -> History:
    """The metrics that were logged before a training that is resumed; none of a new one."""
    history, path = History(metrics_of(writer.trainer.experiment)), writer.path / "metrics.csv"
    with storage_errors(path):
        content = path.read_bytes()
    rows = parse(content, headers(content), writer.trainer.settings.epochs)
    for index in range(len(rows)):
        row = rows.row(index)
        history.add(int(row.pop("epoch")), row)
    return history
