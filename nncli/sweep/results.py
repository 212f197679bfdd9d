"""How the trials of a group ended: counts, reasons of failures, and the points by their mean metric."""

import math
from collections import Counter
from collections.abc import Sequence
from statistics import fmean, stdev
from typing import Any, NamedTuple

from nncli.analysis.value_text import value_text
from nncli.config.diagnostics import SourceText
from nncli.config.document import read
from nncli.experiment.metric_columns import find_column, higher_is_better
from nncli.store.group_files import failures
from nncli.sweep.outcomes import GroupOutcomes, end_of
from nncli.sweep.plan import Plan
from nncli.sweep.search import stages
from nncli.sweep.trials import Outcome, Task

LONGEST_REASON = 200  # characters


class PointResult(NamedTuple):
    """The runs of one point.

    Args:
        number: the number of the point.
        overrides: values that distinguish it from other points.
        epochs: the number of epochs of its trials; None for that of their config.
        values: the metric of each finished run, in the order of the trials.
        trials: the number of its trials that have ended.
    """

    number: int
    overrides: tuple[str, ...]
    epochs: int | None
    values: tuple[float, ...]
    trials: int

    @property
    def mean(self) -> float:
        """The mean of the values, of which there is at least one."""
        return fmean(self.values)

    @property
    def deviation(self) -> float | None:
        """The standard deviation of the values; None for fewer than two."""
        return stdev(self.values) if len(self.values) > 1 else None

    def to_json(self) -> dict[str, Any]:
        """The result as JSON values."""
        return {
            "point": self.number,
            "overrides": list(self.overrides),
            "epochs": self.epochs,
            "mean": self.mean,
            "standard_deviation": self.deviation,
            "values": list(self.values),
        }


class GroupResults(NamedTuple):
    """How the trials of a group ended.

    Args:
        counts: the number of trials that finished, diverged, failed and are left.
        reasons: the messages of failed trials, each with the number of trials, the most frequent first.
        metric: the column of metrics of the values.
        points: the points with a value, best first; those that were trained for more epochs come before others.
    """

    counts: dict[str, int]
    reasons: list[tuple[str, int]]
    metric: str | None
    points: list[PointResult]

    @property
    def is_higher_better(self) -> bool | None:
        """The direction of the metric; None if there is none."""
        return find_column(self.metric).higher_is_better if self.metric else None

    @property
    def best(self) -> list[PointResult]:
        """The best points: several if their means are equal."""
        first = self.points[:1]
        return [each for each in self.points if (each.epochs, each.mean) == (first[0].epochs, first[0].mean)]

    def table(self, count: int) -> dict[str, list[str]]:
        """The values of the first points as text, by the key that varies."""
        keys = [override.partition("=")[0] for override in self.points[0].overrides] if self.points else []
        given = [[_value(override) for override in point.overrides] for point in self.points[:count]]
        columns = {key: list(values) for key, values in zip(keys, zip(*given, strict=True), strict=True)}
        return {key: [value_text(value, values) for value in values] for key, values in columns.items()}

    def to_json(self) -> dict[str, Any]:
        """The results as JSON values."""
        return {
            "trials": self.counts,
            "failures": [{"message": message, "trials": count} for message, count in self.reasons],
            "metric": self.metric,
            "best": [each.to_json() for each in self.best],
        }


def _value(override: str) -> Any:
    """The value of an override."""
    return read(SourceText("", override.partition("=")[2])).root.plain()


def results_of(plan: Plan) -> GroupResults:
    """Read how the trials of a group ended, which need not be finished.

    Raises:
        RunError: a file of a failed trial is damaged.
        StorageError, UnsupportedVersionError: as for ``end_of``.
    """
    ended = _ended(plan)
    counts = Counter(outcome.status for _, outcome in ended)
    reasons = Counter(each.message.splitlines()[0][:LONGEST_REASON] for each in failures(plan.directory).values())
    return GroupResults(
        counts={
            **{status: counts[status] for status in ("finished", "diverged", "failed")},
            "left": max(0, len(plan) - len(ended)),
        },
        reasons=reasons.most_common(),
        metric=plan.record.metric,
        points=_ranked(plan, ended),
    )


def _ended(plan: Plan) -> list[tuple[Task, Outcome]]:
    """The trials that have ended, each with its last task, in the order of their numbers."""
    found: dict[int, tuple[Task, Outcome]] = {}
    for tasks in stages(plan, GroupOutcomes(plan.directory, plan.record)):
        outcomes = [(task, end_of(plan.directory, task, plan.record.metric)) for task in tasks]
        found |= {task.trial.number: (task, outcome) for task, outcome in outcomes if outcome}
        if not all(outcome for _, outcome in outcomes):
            break
    return [found[number] for number in sorted(found)]


def _ranked(plan: Plan, ended: Sequence[tuple[Task, Outcome]]) -> list[PointResult]:
    """The points with a value, best first."""
    by_point: dict[int, list[tuple[Task, Outcome]]] = {}
    for task, outcome in ended:
        by_point.setdefault(task.trial.point, []).append((task, outcome))
    points = [_point(plan, number, each) for number, each in by_point.items()]
    sign = -1 if plan.record.metric and higher_is_better(plan.record.metric) else 1
    measured = [each for each in points if each.values]
    return sorted(measured, key=lambda each: (-(each.epochs or math.inf), sign * each.mean))


def _point(plan: Plan, number: int, ended: Sequence[tuple[Task, Outcome]]) -> PointResult:
    task = ended[0][0]
    values = tuple(outcome.value for _, outcome in ended if outcome.value is not None)
    return PointResult(number, task.trial.overrides[: len(plan.record.axes)], task.epochs, values, len(ended))
