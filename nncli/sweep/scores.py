"""The score by which points are ranked: the mean of the metric over the runs of a point; lower is better."""

import math
from collections.abc import Sequence

from nncli.experiment.metric_columns import higher_is_better
from nncli.sweep.trials import Outcome


def score(outcomes: Sequence[Outcome], metric: str) -> float:
    """The score of a point: the mean of the metric, negated if higher is better.

    Infinite if a run diverged or failed, so that the point is ranked after all others.

    Args:
        outcomes: how the runs of the point ended; at least one.
        metric: the metric.
    """
    values = [value for _, status, value in outcomes if status == "finished" and value is not None]
    if len(values) < len(outcomes):
        return math.inf
    mean = math.fsum(values) / len(values)
    return -mean if higher_is_better(metric) else mean


def ranked(outcomes: Sequence[Outcome], replicates: int, metric: str) -> list[int]:
    """The points from the best to the worst: by score, then by number.

    Args:
        outcomes: how the runs of the points ended.
        replicates: the number of runs of each point.
        metric: the metric.
    """
    runs: dict[int, list[Outcome]] = {}
    for outcome in outcomes:
        runs.setdefault(outcome.number // replicates, []).append(outcome)
    return sorted(runs, key=lambda point: (score(runs[point], metric), point))
