"""One run in a comparison or a list: its final metrics, whether it overfits, and how it is sorted among others."""

import math
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from nncli.analysis.evaluation import by_row
from nncli.analysis.final_metrics import final_metrics
from nncli.analysis.scores import Gap, Score, number_format, score
from nncli.config.diagnostics import sanitized_line
from nncli.config.hints import suggestion
from nncli.errors import CommandLineError, RunError
from nncli.experiment.metric_columns import LOSS_COLUMNS, SPLITS, column, find_column, higher_is_better, main_columns
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


def compared_run(run: Run, label: str, progress: RunProgress) -> ComparedRun:
    """A run with its final metrics, or the last logged ones if it is not finished."""
    epoch, metrics = final_metrics(run)
    scores = {split: score(metrics, split, data.rows) for split, data in run.data.items()}
    return ComparedRun(label, run, progress, epoch, metrics, {split: each for split, each in scores.items() if each})


def values_by_row(entry: ComparedRun, split: str, metric: str) -> Array:
    """The value of a metric for each row of a split (N,), evaluated again.

    Raises:
        NncliError: the run cannot be evaluated, or its metric is not the recorded one.
    """
    values = by_row(entry.run, split, metric)
    mean, recorded, number = float(np.mean(values)), entry.metrics[column(split, metric)], number_format(metric)
    if not math.isclose(mean, recorded, rel_tol=RELATIVE_ROUNDING):
        raise RunError(f"{entry.run.path}: its {metric} is {mean:{number}}, but {recorded:{number}} was recorded")
    return values


def is_comparable(entries: Sequence[ComparedRun], name: str, different: Collection[str] = ()) -> bool:
    """Whether a column means the same in all runs that have it: same loss or metric, and the same classes.

    The training loss depends on the weights of the classes.

    Args:
        entries: the runs.
        name: the column.
        different: the splits whose rows differ between the runs.
    """
    column = find_column(name)
    if column.split in different:
        return False
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


def default_metric(entries: Sequence[ComparedRun], different: Collection[str] = ()) -> str | None:
    """The first of the main columns that can be compared; None if there is none.

    Args:
        entries: the runs.
        different: the splits whose rows differ between the runs.
    """
    measured = main_columns(dict.fromkeys(name for entry in entries for name in entry.metrics))
    return next((name for name in measured if is_comparable(entries, name, different)), None)


def run_labels(runs: Sequence[Run]) -> list[str]:
    """The names of the runs; the paths of those whose names are equal."""
    count = Counter(run.name for run in runs)
    return [run.name if count[run.name] == 1 else sanitized_line(str(run.path)) for run in runs]
