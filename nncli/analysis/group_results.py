"""Results of groups of runs: how many finished, the mean and spread of a metric, and what their seeds vary."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from nncli.analysis.compared_run import ComparedRun
from nncli.config.hints import suggestion
from nncli.config.model import SEED_KEYS, Config, Fraction
from nncli.errors import CommandLineError, RunError
from nncli.experiment.metric_columns import SPLITS, find_column, higher_is_better, main_columns
from nncli.nn.parameters import Array
from nncli.store.run_status import RunStatus


class Replicate(NamedTuple):
    """What distinguishes the runs of one config: the seeds, in the order of ``SEED_KEYS``, and the fold."""

    seeds: tuple[int, ...]
    fold: int | None


def replicate(config: Config) -> Replicate:
    """The seeds and the fold of a config; a seed that is not in the section ``seeds`` is the key ``seed``."""
    return Replicate(tuple(map(config.seed_of, SEED_KEYS)), getattr(config.validation, "fold", None))


class Statistics(NamedTuple):
    """The mean and spread of the scores of a group.

    Args:
        mean: the mean.
        deviation: the standard deviation, with Bessel's correction; None for one run.
        lowest: the smallest score.
        highest: the largest.
    """

    mean: float
    deviation: float | None
    lowest: float
    highest: float


@dataclass(frozen=True)
class GroupResult:
    """The runs of one side of a comparison.

    Args:
        label: its name.
        metric: the column of metrics that is compared.
        entries: all its runs.
        failed: the number of trials that have no run, or one that cannot be read.
    """

    label: str
    metric: str
    entries: Sequence[ComparedRun]
    failed: int = 0

    @property
    def higher_is_better(self) -> bool:
        """Whether larger values of the metric are better."""
        return higher_is_better(self.metric)

    @cached_property
    def finished(self) -> list[ComparedRun]:
        """The finished runs that have the metric; only those are compared."""
        return [entry for entry in self.entries if entry.is_final and self.metric in entry.metrics]

    @cached_property
    def diverged(self) -> int:
        """The number of diverged runs."""
        return sum(entry.progress.status is RunStatus.DIVERGED for entry in self.entries)

    @property
    def unfinished(self) -> int:
        """The number of runs that are neither finished nor diverged, or do not have the metric."""
        return len(self.entries) - len(self.finished) - self.diverged

    @cached_property
    def scores(self) -> Array:
        """The metric of each finished run (N,)."""
        return np.array([entry.metrics[self.metric] for entry in self.finished])

    @property
    def is_one_training(self) -> bool:
        """Whether the finished runs are one, or repeat one: nothing in their config uses what their seeds vary."""
        return bool(self.finished) and all(entry.metrics == self.finished[0].metrics for entry in self.finished)

    @property
    def statistics(self) -> Statistics | None:
        """Mean and spread of the metric; None without a finished run."""
        if not self.finished:
            return None
        scores = self.scores
        deviation = float(np.std(scores, ddof=1)) if len(scores) > 1 else None
        return Statistics(float(np.mean(scores)), deviation, float(scores.min()), float(scores.max()))

    @cached_property
    def by_replicate(self) -> dict[Replicate, list[ComparedRun]]:
        """The finished runs by their seeds and fold; none if some have more runs than others.

        There are several with the same seed if another key varies in the group.
        """
        found: dict[Replicate, list[ComparedRun]] = {}
        for entry in self.finished:
            found.setdefault(replicate(entry.run.config), []).append(entry)
        return found if len({len(same) for same in found.values()}) == 1 else {}

    def fingerprints(self, split: str) -> set[str]:
        """The SHA-256 of the data that the finished runs have in a split."""
        return {entry.run.fingerprints[split] for entry in self.finished}

    @property
    def split_ratio(self) -> float:
        """Validation rows / training rows if the runs are folds or random splits of the same data, else 0.

        The training rows of such runs overlap, so that their scores are correlated.
        """
        parts = {type(entry.run.config.validation).__name__ for entry in self.finished}
        if not parts & {Fraction.__name__, "Fold"} or len(self.fingerprints("validation")) < 2:
            return 0.0
        rows = [entry.run.data for entry in self.finished]
        return float(np.mean([data["validation"].rows / data["training"].rows for data in rows]))


def sorted_groups(groups: Sequence[GroupResult]) -> list[GroupResult]:
    """The groups by the mean of their metric, best first, and those without a finished run last."""
    measured = [group for group in groups if group.statistics]
    sign = -1 if measured and higher_is_better(measured[0].metric) else 1
    measured.sort(key=lambda group: sign * float(np.mean(group.scores)))
    return measured + [group for group in groups if not group.statistics]


def chosen_metric(entries: Sequence[ComparedRun], name: str | None) -> str:
    """The column to compare: by default the first of the main columns of held-out rows that all finished runs have.

    Args:
        entries: all runs.
        name: the column if one is chosen.

    Raises:
        CommandLineError: no finished run has it, or it cannot be compared.
        RunError: no run is finished.
    """
    final = [entry for entry in entries if entry.is_final]
    if not final:
        states = Counter(entry.progress.status for entry in entries)
        listed = ", ".join(f"{count} {status}" for status, count in states.items())
        raise RunError(f"no run is finished, so there is nothing to compare{f': {listed}' if listed else ''}")
    if name is None:
        return _default_metric(final)
    known = {each for entry in final for each in entry.metrics}
    if name not in known:
        raise CommandLineError(f"no finished run has a metric {name!r}{suggestion(name, known)}")
    described = find_column(name)
    if described.higher_is_better is None:
        raise CommandLineError(f"{name} cannot be compared: neither larger nor smaller values are better")
    if described.depends_on_penalties:
        raise CommandLineError(f"{name} cannot be compared: it depends on the strength of the penalties; use data_loss")
    return name


def _default_metric(final: Sequence[ComparedRun]) -> str:
    """The first of the default metrics that all finished runs have, on the validation set or else on the test set."""
    measured = main_columns(final[0].metrics)
    shared = [header for header in measured if all(header in entry.metrics for entry in final)]
    held_out = [header for header in shared if find_column(header).split != SPLITS[0]]
    if not held_out:
        raise CommandLineError("the runs share no metric on a validation or test set; choose one with --metric COLUMN")
    return held_out[0]


def varied(groups: Sequence[GroupResult]) -> list[str]:
    """What differs between the runs of a group, in the order of ``SEED_KEYS``, then ``folds``.

    Data with a seed of its own is the same for all runs: ``data`` and ``split`` are only named if rows differ.
    """
    found = {name for group in groups for name in _varied_within(group)}
    return [name for name in (*SEED_KEYS, "folds") if name in found]


def _varied_within(group: GroupResult) -> set[str]:
    """What differs between the finished runs of one group."""
    replicates = [replicate(entry.run.config) for entry in group.finished]
    folds = {each.fold for each in replicates}
    values = list(zip(*(each.seeds for each in replicates), strict=True)) or [()] * len(SEED_KEYS)
    found = {name for name, seeds in zip(SEED_KEYS, values, strict=True) if len(set(seeds)) > 1}
    if all(len(group.fingerprints(split)) <= len(folds) for split in _common_splits(group)):
        found -= {"data", "split"}
    return found | ({"folds"} if len(folds) > 1 else set())


def _common_splits(group: GroupResult) -> list[str]:
    """Training and validation, if all finished runs have them."""
    return [split for split in SPLITS[:2] if all(split in entry.run.data for entry in group.finished)]
