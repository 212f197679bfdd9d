"""Many runs, one table: what differs between their specs, what they reached, who overfits."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from nncli.analysis.config_table import config_table
from nncli.analysis.evaluation import by_row
from nncli.analysis.scores import Difference, Gap, Score, paired, score, unpaired
from nncli.config.diagnostics import sanitized_line
from nncli.errors import CommandLineError, NncliError, RunError
from nncli.experiment.metric_columns import SPLITS, column, higher_is_better
from nncli.experiment.numerics import RELATIVE_ROUNDING
from nncli.nn.parameters import Array
from nncli.store.run_reader import Run


@dataclass(frozen=True)
class ComparedRun:
    """One run in a comparison: its final metrics by column, or its last ones where it is not finished."""

    label: str
    run: Run
    status: str
    epoch: int
    metrics: dict[str, float]
    scores: dict[str, Score]

    @property
    def gap(self) -> Gap | None:
        """The training score compared with the validation score, or the test score; None where one is missing."""
        held_out = next((split for split in SPLITS[1:] if split in self.scores), None)
        if held_out is None or "training" not in self.scores:
            return None
        return Gap(held_out, self.scores["training"], self.scores[held_out])

    @property
    def is_final(self) -> bool:
        """Whether its metrics are those it ended with, which alone may be the best."""
        return self.status == "finished"

    @property
    def words(self) -> str:
        """Whether it overfits, or why that cannot be said."""
        if self.gap is not None:
            return self.gap.words
        if not self.metrics:
            return "has no metrics yet"
        if len(self.run.data) == 1:
            return "has no validation or test set to be held against"
        errors = "mean_absolute_error and root_mean_squared_error of two rows or more"
        return f"cannot be judged: this takes accuracy, or both {errors}"


@dataclass(frozen=True)
class Row:
    """One metric over all runs; ``best`` are the positions of the best values, none where no direction is better."""

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
        """A column of metrics.csv over the epochs, for each run that has it; the validation loss if all have it."""
        tables = [entry.run.metrics for entry in self.entries]
        names = [set(table.names) if len(table) else set[str]() for table in tables]
        shared = set.intersection(*names)
        name = name or self._telling(shared)
        if not any(name in known for known in names):
            raise CommandLineError(f"no run has a column {name!r}; known: {', '.join(sorted(shared - {'epoch'}))}")
        curves = []
        for entry, table, known in zip(self.entries, tables, names, strict=True):
            points = [table.column(each).tolist() if name in known else [] for each in ("epoch", name)]
            curves.append((entry.label, points[0], points[1]))
        return name, curves

    def _telling(self, columns: set[str]) -> str:
        """The column to draw where none is asked for: a loss that means the same in all runs, else such a metric."""
        metrics = [metric.type for metric in self.entries[0].run.config.metrics or ()]
        measured = [column(split, name) for name in metrics for split in ("validation", "training")]
        wanted = [name for name in ("validation_loss", "data_loss", *measured) if name in columns]
        return next((name for name in wanted if is_comparable(self.entries, name)), "loss")

    def verdict(self) -> str | None:
        """Which of the two best finished runs on held-out rows is better, if the difference is significant.

        It is about the first held-out split on which two runs can be judged; other runs have no part in it.
        """
        final = [entry for entry in self.entries if entry.is_final]
        by_split = {split: [entry for entry in final if split in entry.scores] for split in SPLITS[1:]}
        split = next((split for split, judged in by_split.items() if len(judged) > 1), None)
        if split is None:
            return None
        judged = by_split[split]
        metric = judged[0].scores[split].metric
        name = column(split, metric)
        if any(entry.scores[split].metric != metric for entry in judged) or not is_comparable(judged, name):
            return None
        first, second, *_ = sorted(judged, key=lambda each: each.scores[split].value, reverse=higher_is_better(metric))
        return _better(first, second, split)


def compare(runs: Sequence[Run], sort: str | None, everything: bool, different_data: bool) -> Comparison:
    """Compare runs.

    Args:
        runs: at least two.
        sort: a metric to order the runs by, the best first; else they stay as given.
        everything: all keys of the specs, not only those that differ.
        different_data: compare runs of different data too.

    Raises:
        CommandLineError: no run has the metric to sort by, or one is named twice.
        RunError: a run cannot be read, or the data of two is different.
    """
    twice = next((path for path, count in Counter(run.path.resolve() for run in runs).items() if count > 1), None)
    if twice is not None:
        raise CommandLineError(f"{twice}: is named twice; a run has nothing to be compared with in itself")
    if not different_data:
        _require_same_data(runs)
    entries = [entry(run, label, run.status) for run, label in zip(runs, _labels(runs), strict=True)]
    entries = sorted_by_metric(entries, sort)
    return Comparison(entries, config_table([each.run for each in entries], everything), list(_rows(entries)))


def entry(run: Run, label: str, status: str) -> ComparedRun:
    """A run with its final metrics, or its last ones where it is not finished."""
    evaluation = run.evaluation
    if evaluation is not None:
        epoch, splits = evaluation.epoch, evaluation.splits.items()
        metrics = {column(split, name): value for split, values in splits for name, value in values.items()}
    else:
        last = run.metrics.row(-1) if len(run.metrics) else {"epoch": 0}
        epoch = int(last["epoch"])
        metrics = {name: value for name, value in last.items() if name not in {"epoch", "learning_rate"}}
    scores = {split: score(metrics, split, data.rows) for split, data in run.data.items()}
    return ComparedRun(label, run, status, epoch, metrics, {split: each for split, each in scores.items() if each})


def _better(first: ComparedRun, second: ComparedRun, split: str) -> str:
    """Whether the first of two runs is significantly better, in one sentence with its numbers."""
    better, worse = first.scores[split], second.scores[split]
    difference = _difference(first, second, split)
    verdict = (
        f"{first.label} is better than {second.label}"
        if difference.is_significant
        else f"the difference between {first.label} and {second.label} is not statistically significant"
    )
    return f"{verdict}: {column(split, better.metric)} {better.words} vs {worse.words}, {difference.words}"


def _difference(first: ComparedRun, second: ComparedRun, split: str) -> Difference:
    """Two runs compared row by row where they have the same rows and both can still be evaluated on them."""
    one, other = first.scores[split], second.scores[split]
    if first.run.fingerprints[split] != second.run.fingerprints[split]:
        return unpaired(one, other, f"on different {split} rows")
    try:
        return paired(one.metric, *(_by_row(entry.run, split, entry.scores[split]) for entry in (first, second)))
    except NncliError as error:
        return unpaired(one, other, f"not paired by row: {sanitized_line(str(error))}")


def _by_row(run: Run, split: str, recorded: Score) -> Array:
    """The values of a score for each row.

    Raises:
        NncliError: the run cannot be evaluated, or has another score than the recorded one.
    """
    values = by_row(run, split, recorded.metric)
    now = float(np.mean(values))
    if not math.isclose(now, recorded.value, rel_tol=RELATIVE_ROUNDING):
        told = recorded.told
        raise RunError(f"{run.path}: its {recorded.metric} is {told(now)} now, {told(recorded.value)} was recorded")
    return values


def _rows(entries: Sequence[ComparedRun]) -> Iterator[Row]:
    penalized = any(entry.metrics.get("regularization_loss") for entry in entries)
    for name in dict.fromkeys(name for entry in entries for name in entry.metrics):
        values = [entry.metrics.get(name) for entry in entries]
        if name in {"loss", "regularization_loss"}:  # they depend on λ, and tell nothing about which run is better
            if penalized:
                yield Row(name, None, values, [])
            continue
        higher = higher_is_better(name)
        final = [value for entry, value in zip(entries, values, strict=True) if entry.is_final and value is not None]
        best = (max if higher else min)(final, default=None)
        marked = [index for index, value in enumerate(values) if entries[index].is_final and value == best]
        yield Row(name, higher, values, marked if len(final) > 1 and is_comparable(entries, name) else [])


def is_comparable(entries: Sequence[ComparedRun], name: str) -> bool:
    """Whether a column is the same measure in all runs that have it: of one loss or metric, for as many classes."""
    measure = name.removeprefix("validation_").removeprefix("test_")
    measures = []
    for run in (entry.run for entry in entries if name in entry.metrics):
        known = {metric.type: metric for metric in run.config.metrics or ()}
        measures.append((known.get(measure, run.config.loss), run.data["training"].classes))
    return all(each == measures[0] for each in measures)


def sorted_by_metric(entries: list[ComparedRun], name: str | None) -> list[ComparedRun]:
    """The runs by a metric, the best first, those that have none last; as they are where no metric is named.

    Raises:
        CommandLineError: no run has the metric.
    """
    if name is None:
        return entries
    if not any(name in entry.metrics for entry in entries):
        known = sorted({known for entry in entries for known in entry.metrics})
        raise CommandLineError(f"no run has a metric {name!r}; known: {', '.join(known)}")
    measured = [entry for entry in entries if name in entry.metrics]
    measured.sort(key=lambda entry: entry.metrics[name], reverse=higher_is_better(name))
    return measured + [entry for entry in entries if name not in entry.metrics]


def _labels(runs: Sequence[Run]) -> list[str]:
    """The runs' names, or their whole paths where two have the same name."""
    count = Counter(run.name for run in runs)
    return [run.name if count[run.name] == 1 else sanitized_line(str(run.path)) for run in runs]


def _require_same_data(runs: Sequence[Run]) -> None:
    """Equal rows in each split; test sets out of the book's stream, each drawn after its training, are two draws."""
    for first, other in combinations(runs, 2):
        ours, theirs = first.fingerprints, other.fingerprints
        late = (
            {"test"} if first.config.test_sampled_after_training and other.config.test_sampled_after_training else set()
        )
        shared = [name for name in SPLITS if name in ours and name in theirs and name not in late]
        different = [name for name in shared if ours[name] != theirs[name]]
        if different:
            reason = f"{first.path} and {other.path} have different {' and '.join(different)} data"
            raise RunError(f"{reason}, so their metrics do not compare; --different-data compares them all the same")
