"""Successive halving: many points for few epochs, of which the best third continues with three times the epochs.

Source: Jamieson and Talwalkar, Non-stochastic Best Arm Identification and Hyperparameter Optimization, 2016; the factor
3 is that of Li et al., Hyperband, 2018.
"""

import math
from collections.abc import Iterator, Sequence

from nncli.sweep.plan import Plan
from nncli.sweep.scores import ranked
from nncli.sweep.sweep_config import FACTOR
from nncli.sweep.trials import Outcomes, Task


def rungs(points: int, epochs: int, interval: int = 1) -> list[tuple[int, int]]:
    """The number of points and of epochs of each rung; the last one has all epochs.

    The epochs are rounded up to the next row of metrics, by which the points are compared.

    Args:
        points: the number of points of the first rung.
        epochs: the number of epochs of the config.
        interval: the number of epochs between two rows of metrics.

    >>> rungs(9, 100), rungs(9, 100, 5)
    ([(9, 12), (3, 34), (1, 100)], [(9, 15), (3, 35), (1, 100)])
    """
    counts = [points]
    while counts[-1] >= FACTOR and FACTOR ** len(counts) * interval <= epochs:
        counts.append(counts[-1] // FACTOR)
    last = len(counts) - 1
    shares = [math.ceil(epochs / FACTOR ** (last - index)) for index in range(last)]
    return list(zip(counts, [*(math.ceil(each / interval) * interval for each in shares), epochs], strict=True))


def halving(plan: Plan, outcomes: Outcomes) -> Iterator[Sequence[Task]]:
    """Yield one stage for each rung, with all runs of each point that is left, in the order of their numbers."""
    training = plan.base.config.training
    metric = plan.record.metric or ""
    points, stage, reached = list(range(plan.points)), list[int](), 0
    for count, epochs in rungs(plan.points, training.epochs, training.log_interval):
        if stage:
            points = sorted(ranked(outcomes(stage, reached), plan.replicates, metric)[:count])
        stage = [point * plan.replicates + each for point in points for each in range(plan.replicates)]
        reached = epochs
        yield [Task(plan.trial(number), epochs) for number in stage]
