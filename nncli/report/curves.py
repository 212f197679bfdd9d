"""Learning curves: the columns of metrics.csv by epoch, training and validation of the same metric together."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from nncli.experiment.metric_columns import MetricColumn, Role, find_column
from nncli.nn.parameters import Array
from nncli.store.run_reader import Run

DECADE = 10.0  # ratio of the largest to the smallest value from which the axis is logarithmic
MAIN = 2  # metrics that ``nncli plot`` draws: the loss and the first metric of the config


class Series(NamedTuple):
    """One column of metrics.csv.

    Args:
        column: its name there.
        split: the split it is measured on; None for the state of training.
        values: (E,), one per logged epoch.
    """

    column: str
    split: str | None
    values: Array


class Curve(NamedTuple):
    """One metric of one run over its logged epochs.

    Args:
        metric: its name; losses are without penalties.
        higher_is_better: whether higher is better; None if no direction is.
        epochs: the logged epochs (E,).
        series: training, then validation if it is measured.
        is_logarithmic: whether its axis is logarithmic: all values are positive, and span a decade or more.
        best_epoch: the epoch of the best value of the last series; None if no direction is better.
    """

    metric: str
    higher_is_better: bool | None
    epochs: Array
    series: list[Series]
    is_logarithmic: bool
    best_epoch: int | None


class RunCurves(NamedTuple):
    """The curves of one run.

    Args:
        run: the name of the run.
        kept_epoch: the epoch of the final weights; None if the run is not finished.
        diverged_epoch: the epoch of a divergence; None without one.
        curves: loss first, then the other metrics, penalties if there are some, and the learning rate if it varies.
    """

    run: str
    kept_epoch: int | None
    diverged_epoch: int | None
    curves: list[Curve]

    def of(self, metric: str) -> Curve | None:
        """The curve of a metric; None if the run has none."""
        return next((curve for curve in self.curves if curve.metric == metric), None)


class Overlay(NamedTuple):
    """One column of metrics.csv of several runs.

    Args:
        column: its name; it is of the last split that all these runs have.
        runs: the names of the runs that have the metric.
        epochs: the logged epochs (E,) of each run.
        values: the values (E,) of each run.
        is_logarithmic: whether the axis is logarithmic.
    """

    column: str
    runs: list[str]
    epochs: list[Array]
    values: list[Array]
    is_logarithmic: bool


def main_metrics(runs: Sequence[RunCurves]) -> list[str]:
    """The metrics that are drawn, those that any of the runs has: the loss, and the first metric."""
    return list(dict.fromkeys(curve.metric for run in runs for curve in run.curves))[:MAIN]


def overlays(runs: Sequence[RunCurves]) -> list[Overlay]:
    """The curves of several runs, metric by metric."""
    return [_overlay(metric, runs) for metric in main_metrics(runs)]


def _overlay(metric: str, runs: Sequence[RunCurves]) -> Overlay:
    curves = {run.run: curve for run in runs if (curve := run.of(metric)) is not None}
    shared = set.intersection(*({each.split for each in curve.series} for curve in curves.values()))
    first = next(iter(curves.values()))
    split = next((each.split for each in reversed(first.series) if each.split in shared), first.series[0].split)
    chosen = {name: _of_split(curve, split) for name, curve in curves.items()}
    values = [each.values for each in chosen.values()]
    is_logarithmic = first.higher_is_better is not True and spans_decade(np.concatenate(values))
    column = next(iter(chosen.values())).column
    return Overlay(column, list(curves), [each.epochs for each in curves.values()], values, is_logarithmic)


def _of_split(curve: Curve, split: str | None) -> Series:
    return next((each for each in curve.series if each.split == split), curve.series[0])


def run_curves(run: Run) -> RunCurves:
    """The curves of a run.

    Raises:
        RunError: metrics.csv is damaged.
    """
    metrics, kept = run.metrics, None if run.evaluation is None else run.evaluation.epoch
    columns = {name: metrics.column(name) for name in metrics.names[1:]} if len(metrics) else {}
    epochs = metrics.column("epoch").astype(np.int64)
    return RunCurves(run.name, kept, metrics.diverged_at, list(_curves(epochs, columns)))


def _curves(epochs: Array, columns: dict[str, Array]) -> Iterator[Curve]:
    """The curves of the columns, those of one metric together."""
    described = {name: find_column(name) for name in columns}
    groups: dict[str, list[str]] = {}
    for name, each in described.items():
        if each.role in {Role.LOSS, Role.METRIC}:
            groups.setdefault("loss" if each.role is Role.LOSS else each.name, []).append(name)
    has_penalties = any(values.any() for name, values in columns.items() if described[name].role is Role.PENALTY)
    shown_alone = {Role.UNKNOWN: True, Role.PENALTY: has_penalties}
    for name, each in described.items():
        is_varying_state = each.role is Role.STATE and bool(np.ptp(columns[name]))
        if shown_alone.get(each.role, is_varying_state):
            groups[name] = [name]
    for metric, names in groups.items():
        series = [_series(described[name], columns[name], has_penalties) for name in names]
        yield _curve(metric, described[names[0]], epochs, series)


def _series(described: MetricColumn, values: Array, has_penalties: bool) -> Series:
    """A column; the training loss has the name ``loss`` if that is the same, since there are no penalties."""
    is_loss = described.role is Role.LOSS and described.split == "training" and not has_penalties
    return Series("loss" if is_loss else described.header, described.split, values)


def _curve(metric: str, described: MetricColumn, epochs: Array, series: Sequence[Series]) -> Curve:
    higher, last = described.higher_is_better, series[-1].values
    best = None if higher is None else int(epochs[np.argmax(last) if higher else np.argmin(last)])
    is_logarithmic = higher is not True and spans_decade(np.concatenate([each.values for each in series]))
    return Curve(metric, higher, epochs, list(series), is_logarithmic, best)


def spans_decade(values: Array) -> bool:
    """Whether values are positive, and the largest is ten times the smallest or more."""
    return bool(values.size) and bool(values.min() > 0) and bool(values.max() >= DECADE * values.min())
