"""What every metric can do, and for which task it is."""

from enum import StrEnum
from typing import ClassVar

from nncli.nn.parameters import Array
from nncli.registry import kind


class Task(StrEnum):
    """What the outputs of a network are asked for."""

    CLASSES = "classes"  # one output a class, the largest decides
    BINARY = "binary"  # one output that tells class 1 from class 0
    REGRESSION = "regression"  # numbers


def task_of(classes: int | None, width: int) -> Task:
    """The task of data with so many classes (None: numbers) and a network with so many outputs."""
    if classes is None:
        return Task.REGRESSION
    return Task.BINARY if width == 1 else Task.CLASSES


@kind("metric")
class Metric:
    """A number for a whole set: outputs (N, M) held against targets, class numbers (N,) or numbers (N, M)."""

    tasks: ClassVar[tuple[Task, ...]]
    higher_is_better: ClassVar[bool]
    lowest: ClassVar[float] = 0.0
    highest: ClassVar[float] = 1.0

    def attach(self, targets: Array) -> None:
        """See the targets of the training set, before anything is measured."""

    def measure(self, outputs: Array, targets: Array) -> float:
        """The number."""
        raise NotImplementedError(f"{type(self).__name__} has no measure")

    def by_row(self, outputs: Array, targets: Array) -> Array:
        """The value of each row, (N,), of a metric that is their mean."""
        raise NotImplementedError(f"{type(self).__name__} is no mean over rows")
