"""The groups in a directory: how many trials have ended and how, and the best result or the mean of all."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import fmean, stdev
from typing import Any, NamedTuple

from nncli.analysis.run_filter import Condition, matching, sorted_listings
from nncli.analysis.run_list import RunListing, in_order, notes_of, run_listing, visible_paths, with_differences
from nncli.config.diagnostics import counted, sanitized_line
from nncli.errors import NncliError
from nncli.experiment.metric_columns import higher_is_better, main_columns
from nncli.store.group_files import (
    GroupRecord,
    failures,
    is_group,
    read_group,
    trial_name,
    trial_paths,
)
from nncli.store.run_status import RunProgress, RunStatus


class MetricSummary(NamedTuple):
    """The metric of the finished trials of a group, or of its best point if the group is a search.

    Args:
        metric: the column of metrics.
        point: the number of the best point; None if all trials are of one point.
        runs: the number of finished runs of the point.
        mean: the mean of the metric over these runs.
        deviation: its standard deviation; None for a single run.
    """

    metric: str
    point: int | None
    runs: int
    mean: float
    deviation: float | None


@dataclass(frozen=True)
class GroupListing:
    """One group of a directory.

    Args:
        path: its directory.
        record: the content of group.json; None if it cannot be read.
        trials: the trials that were started, and those that failed.
        metric: the metric that is listed; None for that of the group, or else the main one.
        problem: what is wrong with it, if anything.
        note: its note, if it has one.
        tags: its tags.
        is_filtered: whether only some of its trials are listed.
    """

    path: Path
    record: GroupRecord | None
    trials: list[RunListing]
    metric: str | None = None
    problem: str | None = None
    note: str | None = None
    tags: list[str] = field(default_factory=list)
    is_filtered: bool = False

    @property
    def name(self) -> str:
        """The name of the directory."""
        return sanitized_line(self.path.name)

    @property
    def method(self) -> str:
        """How the trials are chosen: the method of a search, seeds and folds."""
        if self.record is None:
            return "–"
        searched = [self.record.method] if self.record.axes else []
        seeds = [counted(len(self.record.seeds), "seed")] if self.record.seeds else []
        folds = [counted(self.record.folds, "fold")] if self.record.folds else []
        return " × ".join([*searched, *seeds, *folds]) or "one run"

    @property
    def planned(self) -> int | None:
        """The number of trials that are planned; None if group.json does not say it, or only some are listed."""
        return None if self.record is None or self.is_filtered else self.record.planned

    @property
    def counts(self) -> dict[str, int]:
        """The number of trials by status, the most frequent first."""
        return dict(Counter(str(trial.progress.status) for trial in self.trials).most_common())

    @property
    def result(self) -> MetricSummary | None:
        """The best point of a search, or all trials of another group; None if no finished trial has the metric."""
        finished = [trial for trial in self.trials if trial.is_finished]
        metric = self.metric or (self.record and self.record.metric) or _main_metric(finished)
        points: dict[int, list[float]] = {}
        for trial in finished:
            if metric in trial.metrics:
                points.setdefault(self._point(trial), []).append(trial.metrics[metric])
        if metric is None or not points:
            return None
        choose = max if higher_is_better(metric) else min
        best = choose(points, key=lambda point: fmean(points[point]))
        values = points[best]
        is_search = self.record is not None and bool(self.record.axes)
        deviation = stdev(values) if len(values) > 1 else None
        return MetricSummary(metric, best if is_search else None, len(values), fmean(values), deviation)

    def _point(self, trial: RunListing) -> int:
        """The number of the point that a trial is a replicate of."""
        return int(trial.path.name) // self.record.replicates if self.record and self.record.axes else 0

    def to_json(self) -> dict[str, Any]:
        """The listing as JSON values."""
        return {
            "path": str(self.path),
            "method": self.method,
            "planned": self.planned,
            "trials": self.counts,
            "result": self.result._asdict() if self.result else None,
            "problem": self.problem,
            "note": self.note,
            "tags": self.tags,
        }


@dataclass(frozen=True)
class Listing:
    """The runs and the groups in a directory, or the trials of a group.

    Args:
        directory: the directory.
        runs: the runs, or the trials if it is a group itself.
        groups: the groups in it, each with its trials.
        is_group: whether it is a group itself.
        metric: the metric of the group; None if it has none, or the directory is no group.
    """

    directory: Path
    runs: list[RunListing]
    groups: list[GroupListing]
    is_group: bool
    metric: str | None = None

    @property
    def all_runs(self) -> list[RunListing]:
        """The runs and the trials of all groups."""
        return [*self.runs, *(trial for group in self.groups for trial in group.trials)]

    def to_json(self) -> dict[str, Any]:
        """The listing as JSON values; the trials of groups are counted only."""
        return {"runs": [run.to_json() for run in self.runs], "groups": [group.to_json() for group in self.groups]}


def listing(directory: Path, conditions: Sequence[Condition] = (), sort: str | None = None) -> Listing:
    """The runs and groups in a directory that meet all conditions; a group counts those of its trials that do.

    Args:
        directory: a directory of runs, or a group.
        conditions: what a run has to meet; a trial has the tags of its group, too.
        sort: a metric, by which the best are first, or a key of the config; None for the names.

    Raises:
        CommandLineError: there is no such directory, or no run has a key or the metric.
        StorageError: the directory cannot be read.
    """
    found = _trials(directory) if is_group(directory) else _read(directory)
    if conditions:
        found = _filtered(found, conditions)
    return _sorted(found, sort) if sort else found


def _trials(directory: Path) -> Listing:
    """The trials of a group."""
    group = group_listing(directory)
    return Listing(directory, group.trials, [], True, group.result.metric if group.result else None)


def _read(directory: Path) -> Listing:
    """All runs and groups in a directory."""
    groups: list[GroupListing] = []
    runs: list[RunListing] = []
    for path in visible_paths(directory):
        if is_group(path):
            groups.append(group_listing(path))
        elif listed := run_listing(path):
            runs.append(listed)
    return Listing(directory, in_order(runs), groups, False)


def group_listing(path: Path) -> GroupListing:
    """A group with its trials."""
    record, problem = None, None
    failed: dict[int, str] = {}
    try:
        record = read_group(path)
        failed = {number: failure.message for number, failure in failures(path).items()}
    except NncliError as error:
        problem = str(error)
    notes, unread = notes_of(path)
    trials = {int(each.path.name): each for each in map(run_listing, trial_paths(path)) if each}
    for number, message in failed.items():
        trial = trials.get(number) or RunListing(path / trial_name(number), RunProgress(RunStatus.FAILED))
        trials[number] = replace(trial, progress=RunProgress(RunStatus.FAILED), problem=f"{trial.path}: {message}")
    listed = with_differences([trials[number] for number in sorted(trials)])
    return GroupListing(path, record, listed, None, problem or unread, notes.note, notes.tags)


def _main_metric(trials: Sequence[RunListing]) -> str | None:
    """The metric by which a group is listed that has none: the first of the main columns that all trials have."""
    columns = main_columns(trials[0].metrics) if trials else []
    return next((name for name in columns if all(name in trial.metrics for trial in trials)), None)


def _filtered(found: Listing, conditions: Sequence[Condition]) -> Listing:
    """The runs and the trials that meet all conditions; a group of which none does is left out."""
    tagged = [replace(trial, tags=[*group.tags, *trial.tags]) for group in found.groups for trial in group.trials]
    kept = {each.path for each in matching([*found.runs, *tagged], conditions)}
    groups = [
        replace(each, trials=[trial for trial in each.trials if trial.path in kept], is_filtered=True)
        for each in found.groups
    ]
    runs = [run for run in found.runs if run.path in kept]
    return replace(found, runs=runs, groups=[each for each in groups if each.trials])


def _sorted(found: Listing, sort: str) -> Listing:
    """Runs and groups by a metric or a key; the metric of a group is the listed one."""
    order = {each.path: index for index, each in enumerate(sorted_listings(found.all_runs, sort))}
    is_metric = any(sort in each.metrics for each in found.all_runs)
    groups = [replace(each, metric=sort if is_metric else None) for each in found.groups]
    if is_metric:
        sign = -1 if higher_is_better(sort) else 1
        groups.sort(key=lambda each: (each.result is None, sign * each.result.mean if each.result else 0))
    return replace(found, runs=sorted(found.runs, key=lambda each: order[each.path]), groups=groups)
