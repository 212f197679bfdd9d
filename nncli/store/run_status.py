"""The status of a run, and its epoch."""

from enum import StrEnum
from pathlib import Path
from shlex import quote
from typing import NamedTuple


class RunStatus(StrEnum):
    """Whether a run is being trained, has ended, or cannot be read."""

    RUNNING = "running"
    FINISHED = "finished"
    INTERRUPTED = "interrupted"
    UNEVALUATED = "not evaluated"  # trained to its end, but evaluation.json was not written, or was removed
    DIVERGED = "diverged"
    FAILED = "failed"  # a trial of a group that ended with an error
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


def how_to_evaluate(path: Path) -> str:
    """The command that writes the evaluation of a run that is trained to its end."""
    return f"training is complete, and 'nncli train --resume {quote(str(path))}' writes the missing evaluation.json"
