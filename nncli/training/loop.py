"""The training loop, as a generator of epochs."""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from nncli.data.batches import Batch, Batches
from nncli.errors import DivergedError
from nncli.experiment.assembly import Experiment
from nncli.experiment.metric_columns import SPLITS, column, state_values
from nncli.experiment.numerics import allow_non_finite
from nncli.experiment.rng import Purpose, RngState
from nncli.nn.kernels.blas import blas_threads
from nncli.nn.parameters import Array
from nncli.training.early_stopping import Best, EarlyStopping
from nncli.training.evaluate import Examples, examples, measure, predict
from nncli.training.health import Health
from nncli.training.passes import draw_masks, steps_between_yields
from nncli.training.state import TrainingState, require_matching_vectors

if TYPE_CHECKING:
    from nncli.training.divergence import NonFinite, NonFiniteSearch

EPOCHS_BETWEEN_RNG_STATES = 100  # in full batch, where the state only serves to replay a step that diverged


def never() -> bool:
    """The default stop callback: training runs to its end."""
    return False


class Epoch(NamedTuple):
    """The state after ``number`` completed epochs; ``metrics`` is None unless this epoch is logged now."""

    number: int
    metrics: Mapping[str, float] | None


class Trainer:
    """Trains an experiment from its first epoch to its last, or from a restored state.

    ``epoch`` and ``batch`` count completed epochs and completed batches of the next epoch; ``is_logged`` is whether the
    metrics of this epoch have been logged; ``batch_size`` is the number of rows of a batch, all of them in full batch.
    ``health`` observes the logged epochs once ``observe_health`` was called.

    Args:
        experiment: what to train; its network and optimizer change.
        stop: polled after each batch; training ends there if it returns True.
    """

    def __init__(self, experiment: Experiment, stop: Callable[[], bool] = never) -> None:
        self.experiment, self.stop = experiment, stop
        self.network, self.optimizer, self._clipping = experiment.network, experiment.optimizer, experiment.clipping
        self.settings = experiment.config.training
        self.stopping = EarlyStopping(self.settings.early_stopping)
        self.epoch = self.batch = 0
        self.is_logged = False
        self.health: Health | None = None
        self._rng_at_epoch_start: RngState | None = None
        self._rng_epoch = -EPOCHS_BETWEEN_RNG_STATES  # the epoch at whose start that was the state
        self._batches_in_progress: Iterator[Batch] | None = None
        self._interval = self.settings.log_interval
        self._monitored_splits = {
            name: examples(experiment.data[name], self.network) for name in SPLITS[:2] if name in experiment.data
        }
        rows = self._monitored_splits["training"]
        parameters = self.network.parameters
        self._checked_vectors = (parameters.values, *self.optimizer.state.values(), parameters.gradients)
        self.batch_size = min(self.settings.batch_size or len(rows.inputs), len(rows.inputs))
        self._span = steps_between_yields(self.network, self.batch_size)
        self._batches = allow_non_finite(Batches)(rows.inputs, rows.encoded, self.batch_size, rows.weights)

    @property
    def is_done(self) -> bool:
        """Whether the last epoch is trained and logged, or early stopping is due.

        Training ends at logged epochs only, so that the last row of metrics is always that of the final state.
        """
        is_over = self.epoch == self.settings.epochs or self.stopping.is_due(self.epoch)
        return self.is_logged and self.batch == 0 and is_over

    def epochs(self) -> Iterator[Epoch]:
        """Train; yield at each logged epoch, including the last one, and every few milliseconds, between two batches.

        Raises:
            DivergedError: a value became NaN or infinite.
        """
        while True:
            metrics = None
            if not self.is_logged and (self.epoch % self._interval == 0 or self.epoch == self.settings.epochs):
                metrics = self._row()
                self.stopping.observe(self.epoch, metrics, self.network.parameters.values)
                self.is_logged = True
            yield Epoch(self.epoch, metrics)
            if self.is_done or self.stop() or not self._train_span():
                return

    def observe_health(self) -> Health:
        """Observe the logged epochs from now on; the training results stay the same."""
        self.health = Health(self.network)
        return self.health

    def drop_extra_row(self) -> bool:
        """Mark this epoch as not logged if it was logged only because it used to be the last; return whether it was.

        The row stays if early stopping keeps the weights of this epoch.
        """
        best = self.stopping.best
        is_off_interval = self.epoch % self._interval > 0 and self.epoch < self.settings.epochs
        if not (self.is_logged and is_off_interval) or (best and best.epoch == self.epoch):
            return False
        self.is_logged = False
        return True

    def state(self) -> TrainingState:
        """Everything that the next step continues from; the vectors are not copied, and the next step changes them."""
        best, within_epoch = self.stopping.best, self.batch > 0
        return TrainingState(
            epoch=self.epoch,
            batch=self.batch,
            updates=self.optimizer.updates,
            is_logged=self.is_logged,
            best_epoch=best.epoch if best else None,
            best_value=best.value if best else None,
            rng=self.experiment.rngs.state(within_epoch),
            rng_at_epoch_start=self._rng_at_epoch_start if within_epoch else None,
            vectors=self._vectors(),
        )

    def restore(self, state: TrainingState) -> None:
        """Continue from a state of this config.

        Raises:
            ValueError: it does not belong to this training: its epoch, its vectors or its random numbers.
        """
        if state.epoch > self.settings.epochs or state.batch >= len(self._batches):
            raise ValueError(f"its epoch {state.epoch}, batch {state.batch} is not one of this training")
        self.stopping.best = None
        if state.best_epoch is not None and state.best_value is not None:
            self.stopping.best = Best(state.best_epoch, state.best_value, np.empty_like(self.network.parameters.values))
        vectors = self._vectors()
        require_matching_vectors(vectors, state.vectors)
        for name, vector in vectors.items():
            vector[...] = state.vectors[name]
        self.optimizer.updates, self.epoch, self.batch = state.updates, state.epoch, state.batch
        self.is_logged = state.is_logged
        self._restore_rngs(state)

    def _vectors(self) -> dict[str, Array]:
        best = {"best": self.stopping.best.values} if self.stopping.best else {}
        return {"values": self.network.parameters.values, **self.optimizer.state, **best}

    def _restore_rngs(self, state: TrainingState) -> None:
        """Draw the order of an epoch in progress again, then continue with the dropout masks of the next batch."""
        rngs, within_epoch = self.experiment.rngs, state.batch > 0
        at_epoch_start = state.rng_at_epoch_start if within_epoch else state.rng
        if at_epoch_start is not None:
            rngs.restore(at_epoch_start)
        self._batches_in_progress = self.batches() if within_epoch else None
        if (state.rng is None) != (rngs.state(within_epoch) is None):
            raise ValueError("the state of its random numbers is missing, or does not belong to this training")
        if within_epoch and state.rng is not None:
            rngs.restore(state.rng)

    def keep_best(self) -> int:
        """Load the weights of the best epoch, if early stopping has one, into the network; return their epoch."""
        if self.stopping.best is None:
            return self.epoch
        self.network.parameters.values[...] = self.stopping.best.values
        return self.stopping.best.epoch

    def rows_of(self, split: str) -> Examples:
        """The rows of a split with encoded targets."""
        return self._monitored_splits.get(split) or examples(self.experiment.data[split], self.network)

    def measured(self, split: str) -> dict[str, float]:
        """The metrics of one split with the current weights.

        Raises:
            DivergedError: one of them is not finite.
        """
        rows = self.rows_of(split)
        metrics = measure(self.network, self.experiment.metrics, split, rows, predict(self.network, rows))
        if not all(map(math.isfinite, metrics.values())):
            raise self._diverged(self._search().in_split(split, rows), within_epoch=False)
        return metrics

    def _row(self) -> Mapping[str, float]:
        self.require_finite()
        row = state_values(self.network, self.optimizer)
        for split in self._monitored_splits:
            with self.health.outputs_observed() if self.health and split == "training" else nullcontext():
                row |= {column(split, name): value for name, value in self.measured(split).items()}
        return row

    @allow_non_finite
    def _train_span(self) -> bool:
        """Train for some milliseconds, at most up to the next logged epoch; return False if a stop was requested."""
        with blas_threads(self.network.product_threads(self.batch_size)):
            return self._steps()

    def _steps(self) -> bool:
        until = min(self.epoch - self.epoch % self._interval + self._interval, self.settings.epochs)
        steps, is_stopped, last = 0, False, len(self._batches) - 1
        while True:
            self._batches_in_progress = self._batches_in_progress or self.batches()
            for batch in self._batches_in_progress:
                if self.health and self.batch == last and self.epoch + 1 == until:
                    self.health.before_step()
                self.step(*batch)
                steps += 1
                is_stopped = self.stop()
                if (is_stopped or steps >= self._span) and self.batch < len(self._batches):
                    return not is_stopped
            self._batches_in_progress = None
            self.epoch, self.batch, self.is_logged = self.epoch + 1, 0, False
            if self.epoch == until or steps >= self._span or is_stopped:
                return True

    def batches(self) -> Iterator[Batch]:
        """The remaining batches of this epoch; draws the order of the rows."""
        rngs, network, batches = self.experiment.rngs, self.network, self._batches
        is_due = not 0 <= self.epoch - self._rng_epoch < EPOCHS_BETWEEN_RNG_STATES
        if batches.shuffled or (network.stochastic and is_due):
            self._rng_at_epoch_start, self._rng_epoch = rngs.state(within_epoch=False), self.epoch
        if network.stochastic:
            network.set_rng(rngs.of(Purpose.DROPOUT, self.epoch))
        return batches.epoch(rngs.of(Purpose.ORDER, self.epoch) if batches.shuffled else None, self.batch)

    def step(self, inputs: Array, targets: Array, weights: Array | None = None) -> None:
        """Forward pass, backward pass and update of the parameters on one batch of rows and their weights in the loss.

        Raises:
            DivergedError: a value became NaN or infinite.
        """
        gradients = self.network.parameters.gradients
        self.network.forward_backward(inputs, targets, weights=weights)
        if self._clipping:
            self._clipping.clip(gradients)
        is_non_finite = not math.isfinite(gradients.dot(gradients))  # a finite sum of squares has finite terms
        if is_non_finite:
            self.require_finite((inputs, targets, weights))
        self.optimizer.step()
        if is_non_finite:
            self.require_finite()
        self.batch += 1

    @allow_non_finite
    def require_finite(self, batch: Batch | None = None) -> None:
        """Raise if parameters, optimizer state or gradients contain NaN or infinity.

        A finite sum of squares proves that all terms are finite, so the check is one dot product per vector. A step
        checks its gradients only: while they and their squares are finite, the update keeps the rest finite.

        Args:
            batch: that of the step in progress, if any.

        Raises:
            DivergedError: it names the first value that is not finite, in the order of computation.
        """
        if all(math.isfinite(vector.dot(vector)) or np.isfinite(vector).all() for vector in self._checked_vectors):
            return
        search, training_set = self._search(), self._monitored_splits["training"]
        found = search.in_step(training_set, batch, self._rewind_masks) if batch else search.in_state()
        raise self._diverged(found, within_epoch=self._batches.shuffled)

    def _rewind_masks(self) -> None:
        """Reset the generator of the dropout masks to its state before the batch in progress."""
        if not self.network.stochastic:
            return
        batches = self.batch
        if self._rng_at_epoch_start is not None:  # with one generator for all epochs
            self.experiment.rngs.restore(self._rng_at_epoch_start)
            batches += self.epoch - self._rng_epoch
        self.batches()
        draw_masks(self.network, self.batch_size, batches)

    def _search(self) -> "NonFiniteSearch":
        """The search for the first value that is not finite."""
        from nncli.training.divergence import NonFiniteSearch

        return NonFiniteSearch(self.experiment)

    def _diverged(self, found: "NonFinite", within_epoch: bool) -> DivergedError:
        where = f"{self.epoch}, batch {self.batch}" if within_epoch else str(self.epoch)
        message = f"training diverged at epoch {where}: {found.description}; {found.suggestion}"
        batch = self.batch if within_epoch else None
        return DivergedError(message, epoch=self.epoch, batch=batch, **found.location)
