"""The uncertainty of a difference of groups that comes from the sampling of validation rows."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from nncli.analysis.compared_run import ComparedRun, values_by_row
from nncli.analysis.group_results import GroupResult
from nncli.analysis.paired_tests import Estimate
from nncli.analysis.scores import Score, margin
from nncli.analysis.significance import MAX_DEGREES, t_quantile
from nncli.errors import NncliError
from nncli.experiment.metric_columns import MAIN_METRICS, find_column
from nncli.nn.parameters import Array

MAX_EVALUATED = 60  # runs that are evaluated row by row, shared among the groups

RowMeans = Mapping[str, Array]  # by the SHA-256 of the rows: the value of each row (N,), a mean over runs


class RowSampling(NamedTuple):
    """What the sampling of validation rows contributes.

    Args:
        estimate: the difference with the standard error that the rows give it.
        rows: the number of rows.
        deviation: the standard deviation of the differences of rows; None if rows are not paired.
    """

    estimate: Estimate
    rows: int
    deviation: float | None


def row_means(group: GroupResult, groups: int) -> RowMeans | None:
    """The metric of each row, a mean over the runs with the same rows; over some of them if there are many.

    Args:
        group: the group.
        groups: the number of groups that are evaluated.

    Returns:
        None if the metric is no mean over rows, or a run can no longer be evaluated.
    """
    described = find_column(group.metric)
    if described.name not in MAIN_METRICS or described.split is None:
        return None
    runs = _by_rows(group.finished, described.split)
    most = max(1, MAX_EVALUATED // groups // max(1, len(runs)))
    try:
        return {
            rows: np.mean([_values(each, described.split, described.name) for each in same[:most]], axis=0)
            for rows, same in runs.items()
        }
    except NncliError:
        return None


def _by_rows(entries: Sequence[ComparedRun], split: str) -> dict[str, list[ComparedRun]]:
    """The runs by the SHA-256 of their rows."""
    found: dict[str, list[ComparedRun]] = {}
    for entry in entries:
        found.setdefault(entry.run.fingerprints[split], []).append(entry)
    return found


def _values(entry: ComparedRun, split: str, metric: str) -> Array:
    """The metric of each row (N,); the run then releases what it has read.

    Raises:
        NncliError: as for ``values_by_row``.
    """
    values = values_by_row(entry, split, metric)
    entry.run.release()
    return values


def row_sampling(
    first: GroupResult, second: GroupResult, difference: float, means: Sequence[RowMeans | None]
) -> RowSampling | None:
    """The difference with the standard error of the sampling of rows.

    Rows that both groups have are paired: their differences of the means over runs. Otherwise both groups have
    independent rows.

    Args:
        first: the first group.
        second: the second group.
        difference: the difference of their means.
        means: their ``row_means``.

    Returns:
        None if the metric is no mean over rows, or if the rows differ between the runs of a group and are not folds:
        then the spread of the scores contains it.
    """
    described = find_column(first.metric)
    if (
        described.name not in MAIN_METRICS
        or described.split is None
        or not (_is_partition(first) and _is_partition(second))
    ):
        return None
    if means[0] is not None and means[1] is not None and set(means[0]) == set(means[1]):
        differences = np.concatenate([means[0][rows] - means[1][rows] for rows in means[0]])
        if len(differences) > 1:
            deviation, rows = float(np.std(differences, ddof=1)), len(differences)
            return RowSampling(Estimate(difference, deviation / rows**0.5, rows - 1), rows, deviation)
    scores = [_mean_score(group, described.split) for group in (first, second)]
    if scores[0] is None or scores[1] is None:
        return None
    error = margin(scores[0], scores[1]) / t_quantile(MAX_DEGREES)
    return RowSampling(Estimate(difference, error, MAX_DEGREES), min(score.rows for score in scores if score), None)


def _is_partition(group: GroupResult) -> bool:
    """Whether all runs have the same rows, or each fold its own."""
    described = find_column(group.metric)
    folds = {getattr(entry.run.config.validation, "fold", None) for entry in group.finished}
    return len(group.fingerprints(described.split or "training")) in {1, len(folds)}


def _mean_score(group: GroupResult, split: str) -> Score | None:
    """The mean of the scores of all runs, with as many rows as one run has, or all folds together."""
    scores = [entry.scores[split] for entry in group.finished if split in entry.scores]
    if len(scores) < len(group.finished):
        return None
    rows = {entry.run.fingerprints[split]: entry.run.data[split].rows for entry in group.finished}
    mean, variance = (float(np.mean([getattr(score, name) for score in scores])) for name in ("value", "variance"))
    return Score(scores[0].metric, mean, variance, sum(rows.values()))
