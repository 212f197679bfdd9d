"""Trials of a group, the tasks of a stage, and how trials ended."""

from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol


class Trial(NamedTuple):
    """One run of a group.

    Args:
        number: its number in the group, which names its run directory.
        point: the number of its point, which all of its replicates share.
        overrides: values replaced in the base config, after those of the group.
    """

    number: int
    point: int
    overrides: tuple[str, ...]


class Task(NamedTuple):
    """A trial to be trained.

    Args:
        trial: the trial.
        epochs: the number of epochs up to which it is trained; None for that of its config.
    """

    trial: Trial
    epochs: int | None = None


class Outcome(NamedTuple):
    """How a trial ended.

    Args:
        number: the number of the trial.
        status: "failed" if it ended without a run that could be resumed.
        value: the metric of the group; None if it was not measured.
    """

    number: int
    status: Literal["finished", "diverged", "failed"]
    value: float | None = None


class Outcomes(Protocol):
    """Reads how trials ended."""

    def __call__(self, numbers: Sequence[int], epochs: int | None = None) -> list[Outcome]:
        """How trials ended, in the order of their numbers; with the metric after some epochs, or at the end."""
