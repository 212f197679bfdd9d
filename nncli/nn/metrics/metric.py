"""The interface of a metric, and the tasks."""

from enum import StrEnum
from typing import ClassVar

from nncli.nn.parameters import Array
from nncli.registry import kind


class Task(StrEnum):
    """The task of a network, which decides what metrics apply."""

    CLASSES = "classes"  # multiclass classification: one output per class, the largest is predicted
    BINARY = "binary"  # binary classification with a single output, the probability of class 1
    REGRESSION = "regression"  # real-valued outputs


def task_of(classes: int | None, width: int) -> Task:
    """The task of data with a number of classes (None: regression) and a network with ``width`` outputs."""
    if classes is None:
        return Task.REGRESSION
    return Task.BINARY if width == 1 else Task.CLASSES


@kind("metric")
class Metric:
    """A score of outputs (N, M) on a data set, given targets: class labels (N,) or values (N, M)."""

    tasks: ClassVar[tuple[Task, ...]]
    higher_is_better: ClassVar[bool]
    lowest: ClassVar[float] = 0.0
    highest: ClassVar[float] = 1.0

    def attach(self, targets: Array) -> None:
        """Receive the targets of the training set, before the first measurement."""

    def measure(self, outputs: Array, targets: Array) -> float:
        """The value of the metric."""
        raise NotImplementedError(f"{type(self).__name__} has no measure")

    def by_row(self, outputs: Array, targets: Array) -> Array:
        """The value of each row (N,), for a metric that is the mean of them."""
        raise NotImplementedError(f"{type(self).__name__} is not a mean over rows")
