"""What a worker reports about a trial while it trains, and at its end."""

from collections.abc import Callable
from typing import Literal, NamedTuple, TypeAlias

State: TypeAlias = Literal["running", "stopped", "finished", "diverged", "failed"]


class Progress(NamedTuple):
    """The state of a trial.

    Args:
        number: the number of the trial.
        state: whether it is being trained, or how it has ended; "stopped" if it can be resumed.
        overrides: values replaced in the base config.
        part: the part of its epochs that is trained, from 0 to 1.
        value: the metric of the group; None if it was not measured.
        message: why it failed or diverged.
        is_new: whether it was trained now; False if it had ended before, or was trained by another process.
    """

    number: int
    state: State
    overrides: tuple[str, ...] = ()
    part: float = 0.0
    value: float | None = None
    message: str | None = None
    is_new: bool = True


Report: TypeAlias = Callable[[Progress], object]
