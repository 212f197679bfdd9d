"""The state of a training: everything that one step passes on to the next."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from nncli.experiment.rng import RngState
from nncli.nn.parameters import Array
from nncli.registry import Bounds, Model

_Count = Annotated[int, Bounds(ge=0)]


class TrainingState(Model):
    """The training state between two batches, captured by ``Trainer.state`` and restored by ``Trainer.restore``.

    A checkpoint stores each field under its name. A field that is added needs a default, which checkpoints written
    before get, and earlier versions of nncli ignore it; numbers are finite. A vector that is added needs a default in
    ``Trainer.restore``, and the next ``VERSION`` of checkpoints, so that earlier versions of nncli refuse it. What
    changes at logged epochs only differs after epochs have been raised, since the last row of a run is then dropped.

    Args:
        epoch: completed epochs.
        batch: completed batches of the next epoch.
        updates: updates of the optimizer.
        is_logged: whether the metrics of this epoch have been logged.
        best_epoch: the best epoch of early stopping so far, if any.
        best_value: the monitored metric at that epoch.
        rng: the state of the random number generators, if seed and epoch do not determine it.
        rng_at_epoch_start: likewise at the start of the epoch in progress, before its order of rows was drawn.
        vectors: vectors (P,) by name: ``values``, the optimizer state, and ``best`` if there is a best epoch.
    """

    extra: ClassVar[Literal["forbid", "ignore"]] = "ignore"

    epoch: _Count
    batch: _Count
    updates: _Count
    is_logged: bool = False
    best_epoch: _Count | None = None
    best_value: float | None = None
    rng: RngState | None = None
    rng_at_epoch_start: RngState | None = None
    vectors: dict[str, Any] = {}  # noqa: RUF012 (a default)

    @property
    def progress(self) -> str:
        """How far training is, as text."""
        return f"epoch {self.epoch}" + (f", batch {self.batch}" if self.batch else "")

    def scalars(self) -> dict[str, Any]:
        """All fields but the vectors, as JSON values."""
        return {name: value for name, value in vars(self).items() if name != "vectors"}


def require_matching_vectors(expected: Mapping[str, Array], given: Mapping[str, Array]) -> None:
    """Compare names, shapes and dtypes of two sets of vectors.

    Raises:
        ValueError: they differ; the message names the first vector that does.
    """
    for name in {**expected, **given}:
        one, other = expected.get(name), given.get(name)
        if one is None or other is None or (one.shape, one.dtype) != (other.shape, other.dtype):
            raise ValueError(f"its vector {name!r} is not one of this network and optimizer")
