"""The status of a run, and its epoch."""

from enum import StrEnum
from typing import NamedTuple


class RunStatus(StrEnum):
    """Whether a run is being trained, has ended, or cannot be read."""

    RUNNING = "running"
    FINISHED = "finished"
    INTERRUPTED = "interrupted"
    UNEVALUATED = "not evaluated"  # trained to its end, but evaluation.json was not written, or was removed
    DIVERGED = "diverged"
    DAMAGED = "damaged"
    UNREADABLE = "unreadable"
    UNSUPPORTED = "unsupported"  # it was made by a newer version of nncli


class RunProgress(NamedTuple):
    """A status, with the epoch at which the run was interrupted or diverged.

    Args:
        status: the status.
        epoch: the epoch; None if the status has none.
        is_resumable: whether a valid checkpoint to resume from was found.
    """

    status: RunStatus
    epoch: int | None = None
    is_resumable: bool = False

    def __str__(self) -> str:
        epoch = "" if self.epoch is None else f" at epoch {self.epoch}"
        return f"{self.status}{epoch}{', resumable' if self.is_resumable else ''}"
