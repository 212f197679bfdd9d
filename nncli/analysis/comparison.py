"""Comparison of runs: differences of their configs, metrics, and which of them are the best."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nncli.analysis.compared_run import (
    ComparedRun,
    compared_run,
    default_metric,
    is_comparable,
    run_labels,
    sorted_by_metric,
)
from nncli.analysis.config_table import config_table
from nncli.analysis.run_verdict import run_verdict
from nncli.analysis.same_data import different_splits
from nncli.analysis.table_columns import ShortNames, implied_keys, short_names
from nncli.config.hints import suggestion
from nncli.errors import CommandLineError
from nncli.experiment.metric_columns import LOSS_COLUMNS, SPLITS, MetricColumn, Role, column, find_column
from nncli.store.run_reader import Run

MANY = 8  # more runs are sorted, and listed in rows


@dataclass(frozen=True)
class Row:
    """One metric of all runs.

    Args:
        name: the column.
        higher: whether higher values are better; None if there is no direction.
        values: one per run, None if a run does not have it.
        best: the indices of the best values; none if they cannot be compared.
    """

    name: str
    higher: bool | None
    values: list[float | None]
    best: list[int]


@dataclass(frozen=True)
class Comparison:
    """Runs side by side.

    Args:
        entries: the runs that are shown.
        differences: the keys of their configs that are shown, with the value of each run.
        rows: their metrics that are shown.
        left_out: the other runs, of which only the best are shown.
        different: the splits that are not compared, with two runs whose rows differ.
        metric: the metric by which the runs are sorted; None if they have the order in which they were given.
        columns: the config keys and metrics that the user has chosen; none for the default ones.
        implied: the differing keys that follow from others.
    """

    entries: list[ComparedRun]
    differences: dict[str, list[Any]]
    rows: list[Row]
    left_out: list[ComparedRun]
    different: Mapping[str, tuple[Run, Run]]
    metric: str | None
    columns: Sequence[str]
    implied: Sequence[str]

    @property
    def names(self) -> ShortNames:
        """The names of the runs that are shown without their common parts."""
        return short_names([entry.label for entry in self.entries])

    @property
    def is_long(self) -> bool:
        """Whether it is a list of runs rather than runs side by side."""
        return len(self.entries) + len(self.left_out) > MANY or bool(self.columns)

    @property
    def main_rows(self) -> list[Row]:
        """The most important metrics, those of held-out rows first: loss and first metric; or those chosen."""
        if self.columns:
            return self.rows
        firsts = dict.fromkeys(metric.type for entry in self.entries for metric in (entry.run.config.metrics or ())[:1])
        losses = [each.header for each in LOSS_COLUMNS if each.role is Role.LOSS]
        named = [self.metric, *(column(split, name) for split in SPLITS for name in firsts), *losses]
        rows = [row for row in self.rows if row.name in named]
        return sorted(rows, key=lambda row: find_column(row.name).split == SPLITS[0])

    @property
    def not_compared(self) -> list[str]:
        """Which metrics are not compared, a sentence for each split."""
        return [
            f"{split} metrics are not compared: the rows of {first.name} and {second.name} differ"
            for split, (first, second) in self.different.items()
        ]

    def curve(self, name: str | None) -> tuple[str, list[tuple[str, list[float], list[float]]]]:
        """A column of metrics.csv by epoch, for each run that has it.

        Args:
            name: the column; by default a loss that all runs share, preferably the validation loss.

        Returns:
            The column, and for each run its label, epochs and values.

        Raises:
            CommandLineError: no run has the column.
        """
        tables = [entry.run.metrics for entry in self.entries]
        names = [set(table.names) if len(table) else set[str]() for table in tables]
        shared = set.intersection(*names)
        name = name or self._default_curve(shared)
        if not any(name in headers for headers in names):
            raise CommandLineError(f"no run has a column {name!r}; known: {', '.join(sorted(shared - {'epoch'}))}")
        curves = []
        for entry, table, headers in zip(self.entries, tables, names, strict=True):
            points = [table.column(each).tolist() if name in headers else [] for each in ("epoch", name)]
            curves.append((entry.label, points[0], points[1]))
        return name, curves

    def _default_curve(self, shared: set[str]) -> str:
        """The column to plot by default: a loss without penalties that all runs share, or else a metric."""
        splits = ("validation", "training")
        losses = [each for each in LOSS_COLUMNS if each.role is Role.LOSS]
        metrics = [metric.type for metric in self.entries[0].run.config.metrics or ()]
        candidates = [each.header for split in splits for each in losses if each.split == split]
        candidates += [column(split, name) for name in metrics for split in splits]
        found = (name for name in candidates if name in shared)
        return next((name for name in found if is_comparable(self.entries, name, self.different)), "loss")

    def verdict(self) -> str | None:
        """Whether the best of all runs, shown or not, is significantly better than the second best."""
        return run_verdict([*self.entries, *self.left_out], self.different)


def compare(
    runs: Sequence[Run],
    sort: str | None,
    everything: bool,
    different_data: bool,
    top: int | None = None,
    columns: Sequence[str] = (),
) -> Comparison:
    """Compare runs on the splits whose rows they share.

    Args:
        runs: at least two runs.
        sort: the metric to sort the runs by, best first; None keeps the order of at most ``MANY`` runs, and sorts more
            by the default metric.
        everything: include all keys of the configs, not only those that differ.
        different_data: compare runs on all splits even if their data differs.
        top: the number of runs to show, the best ones; None for all.
        columns: the config keys and metrics to show; none for the default ones.

    Raises:
        CommandLineError: no run has the metric to sort by or a column, or a run is given twice.
        RunError: a run cannot be read, or two runs share no data.
    """
    duplicate = next((path for path, count in Counter(run.path.resolve() for run in runs).items() if count > 1), None)
    if duplicate is not None:
        raise CommandLineError(f"{duplicate}: run given twice; name different runs")
    different = {} if different_data else different_splits(runs)
    entries = [compared_run(run, label, run.progress) for run, label in zip(runs, run_labels(runs), strict=True)]
    is_ranked = sort is None and (top is not None or len(runs) > MANY)
    sort = default_metric(entries, different) if is_ranked else sort
    entries = sorted_by_metric(entries, sort)
    if is_ranked:
        entries.sort(key=lambda entry: not entry.is_final)
    shown = entries[:top]
    keys = config_table([each.run for each in shown], everything or bool(columns))
    rows = list(_rows(shown, different, everything=bool(columns)))
    if columns:
        keys, rows = _chosen(columns, keys, rows, shown)
    implied = [] if everything or columns else implied_keys(keys)
    return Comparison(shown, keys, rows, entries[len(shown) :], different, sort, columns, implied)


def _chosen(
    columns: Sequence[str], keys: Mapping[str, list[Any]], rows: Sequence[Row], entries: Sequence[ComparedRun]
) -> tuple[dict[str, list[Any]], list[Row]]:
    """The config keys and the metrics that are named, in the order of their names.

    Raises:
        CommandLineError: no run has a column of such a name.
    """
    metrics = {row.name: row for row in rows}
    for name in columns:
        if name not in keys and name not in metrics:
            of_section = [key for key in keys if key.startswith((f"{name}.", f"{name}["))][:1]
            listed = [*metrics, *config_table([each.run for each in entries])]
            hint = suggestion(name, of_section or [*metrics, *keys], listed)
            raise CommandLineError(f"no run has a column {name!r}{hint}")
    return (
        {name: keys[name] for name in columns if name in keys},
        [metrics[name] for name in columns if name in metrics],
    )


def _rows(entries: Sequence[ComparedRun], different: Collection[str], everything: bool) -> Iterator[Row]:
    """One row per metric; those that depend on penalties without a best value, and only if a run has penalties.

    Args:
        entries: the runs.
        different: the splits whose rows differ between the runs.
        everything: whether all metrics have a row.
    """
    described = {name: find_column(name) for entry in entries for name in entry.metrics}
    penalties = [name for name, each in described.items() if each.role is Role.PENALTY]
    is_penalized = any(entry.metrics.get(name) for entry in entries for name in penalties)
    for name, each in described.items():
        values = [entry.metrics.get(name) for entry in entries]
        if not each.depends_on_penalties:
            yield Row(name, each.higher_is_better, values, _best(entries, each, values, different))
        elif is_penalized or everything:
            yield Row(name, None, values, [])


def _best(
    entries: Sequence[ComparedRun],
    described: MetricColumn,
    values: Sequence[float | None],
    different: Collection[str],
) -> list[int]:
    """The indices of the best values of finished runs; none if there is only one, or they cannot be compared."""
    final = {index: value for index, value in enumerate(values) if entries[index].is_final and value is not None}
    higher = described.higher_is_better
    if higher is None or len(final) < 2 or not is_comparable(entries, described.header, different):
        return []
    best = (max if higher else min)(final.values())
    return [index for index, value in final.items() if value == best]
