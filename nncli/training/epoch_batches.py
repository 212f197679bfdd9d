"""The batches of each epoch, with the random numbers of their order and of the dropout masks."""

from collections.abc import Iterator

from nncli.data.batches import Batches
from nncli.experiment.assembly import Experiment
from nncli.experiment.numerics import allow_non_finite
from nncli.experiment.rng import Purpose, RngState
from nncli.training.evaluate import Examples
from nncli.training.passes import draw_masks
from nncli.training.state import TrainingState

EPOCHS_BETWEEN_RNG_STATES = 100  # in full batch, where the state only serves to replay a step that diverged


class EpochBatches:
    """The batches of a training set, epoch after epoch.

    ``size`` is the number of rows of a batch, all of them in full batch.

    Args:
        experiment: what is trained.
        rows: its training set.
    """

    def __init__(self, experiment: Experiment, rows: Examples) -> None:
        self._network, self._rngs = experiment.network, experiment.rngs
        self.size = min(experiment.config.training.batch_size or len(rows.inputs), len(rows.inputs))
        self.batches = allow_non_finite(Batches)(rows.inputs, rows.encoded, self.size, rows.weights)
        self.rng_at_epoch_start: RngState | None = None
        self._rng_epoch = -EPOCHS_BETWEEN_RNG_STATES  # the epoch at whose start that was the state

    def parts(self, epoch: int, first: int = 0) -> Iterator[slice]:
        """The batches of an epoch from ``first`` on, for ``Batches.gather``; draws the order of the rows."""
        rngs, network, batches = self._rngs, self._network, self.batches
        is_due = not 0 <= epoch - self._rng_epoch < EPOCHS_BETWEEN_RNG_STATES
        if batches.shuffled or (network.stochastic and is_due):
            self.rng_at_epoch_start, self._rng_epoch = rngs.state(within_epoch=False), epoch
        if network.stochastic:
            network.set_rng(rngs.of(Purpose.DROPOUT, epoch))
        return batches.epoch(rngs.of(Purpose.ORDER, epoch) if batches.shuffled else None, first)

    def restored(self, state: TrainingState) -> Iterator[slice] | None:
        """The rest of an epoch in progress, if there is one, with the random numbers of a state.

        The order of the epoch is drawn again, then the dropout masks continue with those of the next batch.

        Raises:
            ValueError: the state does not have the random numbers of this training.
        """
        rngs, within_epoch = self._rngs, state.batch > 0
        at_epoch_start = state.rng_at_epoch_start if within_epoch else state.rng
        if at_epoch_start is not None:
            rngs.restore(at_epoch_start)
        rest = self.parts(state.epoch, state.batch) if within_epoch else None
        if (state.rng is None) != (rngs.state(within_epoch) is None):
            raise ValueError("the state of its random numbers is missing, or does not belong to this training")
        if within_epoch and state.rng is not None:
            rngs.restore(state.rng)
        return rest

    def rewind_masks(self, epoch: int, batch: int) -> None:
        """Reset the generator of the dropout masks to its state before a batch of the epoch in progress."""
        if not self._network.stochastic:
            return
        if self.rng_at_epoch_start is not None:  # with one generator for all epochs
            self._rngs.restore(self.rng_at_epoch_start)
            batch += epoch - self._rng_epoch
        self.parts(epoch)
        draw_masks(self._network, self.size, batch)
