"""Search by a tree-structured Parzen estimator (TPE): points are sampled where those before were good. Needs Optuna.

Source: Bergstra, Bardenet, Bengio and Kégl, Algorithms for Hyper-Parameter Optimization, 2011.

The study is kept in memory. Points are chosen in batches, and their results are reported to it in the order of their
numbers, so that the points are a function of group.json and the outcomes, whatever the number of workers. A point that
diverged or failed is reported with an infinite score: Optuna ignores points that are reported as failed, and would
sample where training diverges again and again.
"""

import math
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

from nncli.store.group_files import AxisRecord
from nncli.sweep.axes import listed
from nncli.sweep.plan import Plan
from nncli.sweep.scores import score
from nncli.sweep.sweep_checks import require_optuna
from nncli.sweep.trials import Outcomes, Task

BATCH = 4  # points that are chosen together by default
STARTUP = 8  # random points before the first that depends on others
GOOD_FRACTION = 0.25  # of the points
MAX_GOOD = 25


def tpe(plan: Plan, outcomes: Outcomes) -> Iterator[Sequence[Task]]:
    """Yield one stage for each batch of points, with all runs of each.

    Raises:
        MissingExtraError: Optuna is not installed.
    """
    record = plan.record
    study = _study(record.seed)
    distributions = {axis.key: _distribution(axis) for axis in record.axes}
    batch = record.batch or BATCH
    for first in range(0, plan.points, batch):
        points = range(first, min(first + batch, plan.points))
        asked = [study.ask(distributions) for _ in points]
        tasks = []
        for point, trial in zip(points, asked, strict=True):
            values = tuple(_value(axis, trial.params[axis.key]) for axis in record.axes)
            tasks += [Task(plan.trial_at(point, each, values)) for each in range(plan.replicates)]
        yield tasks
        ended = outcomes([task.trial.number for task in tasks])
        for index, trial in enumerate(asked):
            runs = ended[index * plan.replicates : (index + 1) * plan.replicates]
            study.tell(trial, score(runs, record.metric or ""))


def _study(seed: int) -> Any:
    """A study in memory, of a score of which lower is better; Optuna's messages are not shown."""
    require_optuna()
    from optuna import create_study, logging, samplers

    logging.set_verbosity(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # multivariate and constant_liar are called experimental
        sampler = samplers.TPESampler(
            seed=seed, n_startup_trials=STARTUP, gamma=_good_points, multivariate=True, constant_liar=True
        )
    return create_study(sampler=sampler)


def _good_points(count: int) -> int:
    """How many of some points count as good."""
    return min(max(1, math.ceil(GOOD_FRACTION * count)), MAX_GOOD)


def _distribution(axis: AxisRecord) -> Any:
    """The distribution of Optuna for an axis.

    Choices are their indices, and so are ordered values: numbers in ascending or descending order, and those of a range
    with a step. The neighbors of a good value of these are sampled more, too.
    """
    from optuna import distributions

    if axis.values is not None and not _is_ordered(axis.values):
        return distributions.CategoricalDistribution(range(len(axis.values)))
    if axis.values is not None or axis.step is not None:
        return distributions.IntDistribution(0, (axis.count or 1) - 1)
    low, high = axis.limits
    if axis.is_integer:
        return distributions.IntDistribution(int(low), int(high), log=axis.log)
    return distributions.FloatDistribution(low, high, log=axis.log)


def _is_ordered(values: Sequence[Any]) -> bool:
    """Whether the values of a list are numbers in ascending or descending order."""
    are_numbers = all(isinstance(each, int | float) and not isinstance(each, bool) for each in values)
    return are_numbers and list(values) in (sorted(values), sorted(values, reverse=True))


def _value(axis: AxisRecord, chosen: Any) -> Any:
    """The value of an axis that a value of its distribution stands for."""
    if axis.values is None and axis.step is None:
        return chosen
    values = listed(axis)
    return values[chosen] if values is not None else chosen
