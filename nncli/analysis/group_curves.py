"""A metric by epoch as mean and standard deviation over the runs of a group."""

from typing import NamedTuple

import numpy as np

from nncli.analysis.group_results import GroupResult
from nncli.nn.parameters import Array


class GroupCurve(NamedTuple):
    """A metric of a group by epoch.

    Args:
        label: the name of the group.
        epochs: the epochs that all finished runs logged (E,).
        mean: the mean over the runs (E,).
        deviation: its standard deviation (E,); 0 for one run.
    """

    label: str
    epochs: Array
    mean: Array
    deviation: Array


def group_curve(group: GroupResult, name: str) -> GroupCurve | None:
    """A column of metrics.csv, a mean over the finished runs of a group; None if they do not log it.

    It ends where the shortest run ends, as after early stopping.
    """
    tables = [entry.run.metrics for entry in group.finished]
    for entry in group.finished:
        entry.run.release()
    if not tables or not all(name in table.names and len(table) for table in tables):
        return None
    epochs = tables[0].column("epoch")
    for table in tables[1:]:
        epochs = np.intersect1d(epochs, table.column("epoch"))
    values = np.array([table.column(name)[np.isin(table.column("epoch"), epochs)] for table in tables])
    deviation = np.std(values, axis=0, ddof=1) if len(values) > 1 else np.zeros(len(epochs))
    return GroupCurve(group.label, epochs, np.mean(values, axis=0), deviation)
