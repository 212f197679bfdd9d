"""Comparison of runs: differences of their configs, metrics, overfitting, and statistically significant differences."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nncli.analysis.config_table import config_table
from nncli.analysis.evaluation import by_row
from nncli.analysis.same_data import require_same_data
from nncli.analysis.scores import Difference, Gap, Score, paired, score, unpaired
from nncli.config.diagnostics import sanitized_line
from nncli.config.hints import suggestion
from nncli.errors import CommandLineError, NncliError, RunError
from nncli.experiment.metric_columns import (
    LOSS_COLUMNS,
    SPLITS,
    MetricColumn,
    Role,
    column,
    find_column,
    higher_is_better,
)
from nncli.experiment.numerics import RELATIVE_ROUNDING
from nncli.nn.parameters import Array
from nncli.store.run_reader import Run
from nncli.store.run_status import RunProgress, RunStatus


@dataclass(frozen=True)
class ComparedRun:
    """One run in a comparison.

    Args:
        label: its name, or its path if two runs have the same name.
        run: the run.
        progress: its status.
        epoch: the epoch of the metrics.
        metrics: its final metrics by column; the last logged ones if it is not finished.
        scores: by split, the metric that overfitting and significance are judged by.
    """

    label: str
    run: Run
    progress: RunProgress
    epoch: int
    metrics: dict[str, float]
    scores: dict[str, Score]

    @property
    def gap(self) -> Gap | None:
        """The gap between the training score and the validation score, or else the test score; None without both."""
        held_out = next((split for split in SPLITS[1:] if split in self.scores), None)
        if held_out is None or "training" not in self.scores:
            return None
        return Gap(held_out, self.scores["training"], self.scores[held_out])

    @property
    def is_final(self) -> bool:
        """Whether its metrics are final; only those may be the best."""
        return self.progress.status is RunStatus.FINISHED

    @property
    def description(self) -> str:
        """Whether it overfits, or why that is not assessed."""
        if self.gap is not None:
            return self.gap.description
        if not self.metrics:
            return "has no metrics yet"
        if len(self.run.data) == 1:
            return "has no validation or test set: overfitting not assessed"
        errors = "mean_absolute_error and root_mean_squared_error on at least two rows"
        return f"cannot be assessed for overfitting, which requires accuracy, or both {errors}"


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
    """Runs side by side."""

    entries: list[ComparedRun]
    differences: dict[str, list[Any]]
    rows: list[Row]

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
        return next((name for name in candidates if name in shared and is_comparable(self.entries, name)), "loss")

    def verdict(self) -> str | None:
        """Whether the best finished run is significantly better than the second best on held-out rows.

        It compares them on the validation set, or else on the test set; None if less than two runs have a score there.
        """
        final = [entry for entry in self.entries if entry.is_final]
        by_split = {split: [entry for entry in final if split in entry.scores] for split in SPLITS[1:]}
        split = next((split for split, scored in by_split.items() if len(scored) > 1), None)
        if split is None:
            return None
        scored = by_split[split]
        metric = scored[0].scores[split].metric
        if any(entry.scores[split].metric != metric for entry in scored) or not is_comparable(
            scored, column(split, metric)
        ):
            return None
        first, second, *_ = sorted(scored, key=lambda each: each.scores[split].value, reverse=higher_is_better(metric))
        return _significance(first, second, split)


def compare(runs: Sequence[Run], sort: str | None, everything: bool, different_data: bool) -> Comparison:
    """Compare runs.

    Args:
        runs: at least two runs.
        sort: the metric to sort the runs by, best first; None keeps the given order.
        everything: include all keys of the configs, not only those that differ.
        different_data: compare runs even if their data differs.

    Raises:
        CommandLineError: no run has the metric to sort by, or a run is given twice.
        RunError: a run cannot be read, or the data of two runs differs.
    """
    duplicate = next((path for path, count in Counter(run.path.resolve() for run in runs).items() if count > 1), None)
    if duplicate is not None:
        raise CommandLineError(f"{duplicate}: run given twice; name different runs")
    if not different_data:
        require_same_data(runs)
    entries = [compared_run(run, label, run.progress) for run, label in zip(runs, run_labels(runs), strict=True)]
    entries = sorted_by_metric(entries, sort)
    return Comparison(entries, config_table([each.run for each in entries], everything), list(_rows(entries)))


def compared_run(run: Run, label: str, progress: RunProgress) -> ComparedRun:
    """A run with its final metrics, or the last logged ones if it is not finished."""
    evaluation = run.evaluation
    if evaluation is not None:
        epoch, splits = evaluation.epoch, evaluation.splits.items()
        metrics = {column(split, name): value for split, values in splits for name, value in values.items()}
    else:
        last = run.metrics.row(-1) if len(run.metrics) else {"epoch": 0}
        epoch = int(last["epoch"])
        metrics = {name: value for name, value in last.items() if name != "epoch" and find_column(name).split}
    scores = {split: score(metrics, split, data.rows) for split, data in run.data.items()}
    return ComparedRun(label, run, progress, epoch, metrics, {split: each for split, each in scores.items() if each})


def _significance(first: ComparedRun, second: ComparedRun, split: str) -> str:
    """Whether the first of two runs is significantly better, in one sentence with its numbers."""
    better, worse = first.scores[split], second.scores[split]
    found = difference(first, second, split)
    verdict = (
        f"{first.label} is significantly better than {second.label}"
        if found.is_significant
        else f"no significant difference between {first.label} and {second.label}"
    )
    return f"{verdict}: {column(split, better.metric)} {better.text} vs {worse.text}, {found.description}"


def difference(first: ComparedRun, second: ComparedRun, split: str) -> Difference:
    """The difference of two runs: row by row if both have the same rows and can still be evaluated on them."""
    scores = first.scores[split], second.scores[split]
    if first.run.fingerprints[split] != second.run.fingerprints[split]:
        return unpaired(*scores, f"on different {split} rows")
    try:
        return paired(scores[0].metric, *(_by_row(entry.run, split, entry.scores[split]) for entry in (first, second)))
    except NncliError as error:
        reason = str(error).partition("; ")[0]  # without the fix
        return unpaired(*scores, f"not paired by row: {sanitized_line(reason)}")


def _by_row(run: Run, split: str, recorded: Score) -> Array:
    """The value of the score's metric for each row (N,).

    Raises:
        NncliError: the run cannot be evaluated, or its score is not the recorded one.
    """
    values = by_row(run, split, recorded.metric)
    mean = float(np.mean(values))
    if not math.isclose(mean, recorded.value, rel_tol=RELATIVE_ROUNDING):
        raise RunError(
            f"{run.path}: its {recorded.metric} is {recorded.format(mean)}, but {recorded.text} was recorded"
        )
    return values


def _rows(entries: Sequence[ComparedRun]) -> Iterator[Row]:
    """One row per metric; those that depend on penalties only if a run has penalties, and without a best value."""
    described = {name: find_column(name) for entry in entries for name in entry.metrics}
    penalties = [name for name, each in described.items() if each.role is Role.PENALTY]
    is_penalized = any(entry.metrics.get(name) for entry in entries for name in penalties)
    for name, each in described.items():
        values = [entry.metrics.get(name) for entry in entries]
        if not each.depends_on_penalties:
            yield Row(name, each.higher_is_better, values, _best(entries, each, values))
        elif is_penalized:
            yield Row(name, None, values, [])


def _best(entries: Sequence[ComparedRun], described: MetricColumn, values: Sequence[float | None]) -> list[int]:
    """The indices of the best values of finished runs; none if there is only one, or they cannot be compared."""
    final = {index: value for index, value in enumerate(values) if entries[index].is_final and value is not None}
    higher = described.higher_is_better
    if higher is None or len(final) < 2 or not is_comparable(entries, described.header):
        return []
    best = (max if higher else min)(final.values())
    return [index for index, value in final.items() if value == best]


def is_comparable(entries: Sequence[ComparedRun], name: str) -> bool:
    """Whether a column means the same in all runs that have it: same loss or metric, and the same classes.

    The training loss depends on the weights of the classes.
    """
    column = find_column(name)
    is_loss = column in LOSS_COLUMNS and column.split == "training"
    meanings = []
    for run in (entry.run for entry in entries if name in entry.metrics):
        metrics = {each.type: each for each in run.config.metrics or ()}
        weights = getattr(run.config.data, "class_weights", None) if is_loss else None
        meanings.append((metrics.get(column.name, run.config.loss), run.data["training"].classes, weights))
    return all(each == meanings[0] for each in meanings)


def sorted_by_metric(entries: list[ComparedRun], name: str | None) -> list[ComparedRun]:
    """The runs sorted by a metric, best first, and those without it last; in their own order if no metric is named.

    Raises:
        CommandLineError: no run has the metric.
    """
    if name is None:
        return entries
    if not any(name in entry.metrics for entry in entries):
        known = sorted({known for entry in entries for known in entry.metrics})
        raise CommandLineError(f"no run has a metric {name!r}{suggestion(name, known)}")
    measured = [entry for entry in entries if name in entry.metrics]
    measured.sort(key=lambda entry: entry.metrics[name], reverse=higher_is_better(name))
    return measured + [entry for entry in entries if name not in entry.metrics]


def run_labels(runs: Sequence[Run]) -> list[str]:
    """The names of the runs; the paths of those whose names are equal."""
    count = Counter(run.name for run in runs)
    return [run.name if count[run.name] == 1 else sanitized_line(str(run.path)) for run in runs]
