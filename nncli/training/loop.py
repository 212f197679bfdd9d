"""The training loop, as a generator of epochs."""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from nncli.data.batches import Batch
from nncli.experiment.assembly import Experiment
from nncli.experiment.metric_columns import SPLITS, column, state_values
from nncli.experiment.numerics import allow_non_finite
from nncli.nn.parameters import Array
from nncli.nn.tensor_parallel import divides
from nncli.training.early_stopping import Best, EarlyStopping
from nncli.training.epoch_batches import EpochBatches
from nncli.training.evaluate import Examples, examples, measure, predict
from nncli.training.health import Health
from nncli.training.parallel_steps import ParallelSteps
from nncli.training.passes import steps_between_yields
from nncli.training.state import TrainingState, require_matching_vectors

if TYPE_CHECKING:
    from nncli.training.divergence import NonFiniteSearch


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
        stop: polled after each batch, and again at the end of an epoch; training ends there if it returns True.
    """

    def __init__(self, experiment: Experiment, stop: Callable[[], bool] = never) -> None:
        self.experiment, self.stop = experiment, stop
        self.network, self.optimizer, self._clipping = experiment.network, experiment.optimizer, experiment.clipping
        self.settings = experiment.config.training
        self._parallel: ParallelSteps | None = None
        self.stopping = EarlyStopping(self.settings.early_stopping)
        self.epoch, self.batch, self.is_logged = 0, 0, False
        self.health: Health | None = None
        self._batches_in_progress: Iterator[slice] | None = None
        self._interval = self.settings.log_interval
        self._monitored_splits = {
            name: examples(experiment.data[name], self.network) for name in SPLITS[:2] if name in experiment.data
        }
        parameters = self.network.parameters
        self._checked_vectors = (parameters.values, *self.optimizer.state.values(), parameters.gradients)
        self._epoch_batches = EpochBatches(experiment, self._monitored_splits["training"])
        self.batch_size, self._batches = self._epoch_batches.size, self._epoch_batches.batches
        self._span = steps_between_yields(self.network, self.batch_size)

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
            WorkerError: one of the processes that divide steps has ended, such as by a signal.
        """
        with self.divided(self.settings.threads):
            is_running = True
            while is_running:
                metrics = None
                if not self.is_logged and (self.epoch % self._interval == 0 or self.epoch == self.settings.epochs):
                    metrics = self._row()
                    self.stopping.observe(self.epoch, metrics, self.network.parameters.values)
                    self.is_logged = True
                yield Epoch(self.epoch, metrics)
                is_running = not (self.is_done or self.stop()) and self._train_span()

    @contextmanager
    def divided(self, threads: int) -> Iterator[None]:
        """Divide steps among as many processes as threads, if ``divides`` says so; an earlier division ends."""
        self._end_division()
        if divides(self.network.layers, self.network.widths, self.batch_size, threads):
            self._parallel = ParallelSteps(self.network, self.optimizer, self._batches, threads, self._clipping)
        own = self._parallel
        try:
            yield
        finally:
            if self._parallel is own:
                self._end_division()

    def _end_division(self) -> None:
        """End the processes that divide steps; the whole network and the optimizer get their training state."""
        parallel, self._parallel = self._parallel, None
        if parallel:
            parallel.close()

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
        self._store()
        return TrainingState(
            epoch=self.epoch,
            batch=self.batch,
            updates=self.optimizer.updates,
            is_logged=self.is_logged,
            best_epoch=best.epoch if best else None,
            best_value=best.value if best else None,
            rng=self.experiment.rngs.state(within_epoch),
            rng_at_epoch_start=self._epoch_batches.rng_at_epoch_start if within_epoch else None,
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
        self._batches_in_progress = self._epoch_batches.restored(state)
        if self._parallel:
            self._parallel.load()

    def _store(self) -> None:
        """Copy the training state of the processes that divide steps to the whole network and the optimizer."""
        if self._parallel:
            self._parallel.store()

    def _vectors(self) -> dict[str, Array]:
        best = {"best": self.stopping.best.values} if self.stopping.best else {}
        return {"values": self.network.parameters.values, **self.optimizer.state, **best}

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
            raise self._search().in_split(split, rows).error(self.epoch)
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
        until = min(self.epoch - self.epoch % self._interval + self._interval, self.settings.epochs)
        steps, is_stopped, last = 0, False, len(self._batches) - 1
        while True:
            self._batches_in_progress = self._batches_in_progress or self.parts()
            for part in self._batches_in_progress:
                if self.health and self.batch == last and self.epoch + 1 == until:
                    self._store()
                    self.health.before_step()
                self.train_batch(part)
                steps += 1
                is_stopped = self.stop()
                if (is_stopped or steps >= self._span) and self.batch < len(self._batches):
                    return not is_stopped
            self._batches_in_progress = None
            self.epoch, self.batch, self.is_logged = self.epoch + 1, 0, False
            if self.epoch == until or steps >= self._span or is_stopped:
                return True

    def parts(self) -> Iterator[slice]:
        """The remaining batches of this epoch, for ``train_batch``; draws the order of the rows."""
        return self._epoch_batches.parts(self.epoch, self.batch)

    def gather(self, part: slice) -> Batch:
        """The rows of a batch of ``parts``, which are valid until the next one is gathered."""
        return self._batches.gather(part)

    def train_batch(self, part: slice) -> None:
        """One step on a batch of ``parts``, divided among processes within ``divided``.

        Raises:
            DivergedError, WorkerError: as for ``epochs``.
        """
        if self._parallel:
            squares = self._parallel.gradients(part)
            self._update(squares, self._parallel.update, partial(self.gather, part))
        else:
            self.step(*self.gather(part))

    def step(self, inputs: Array, targets: Array, weights: Array | None = None) -> None:
        """Forward pass, backward pass and update of the parameters on one batch of rows and their weights in the loss.

        Raises:
            DivergedError: a value became NaN or infinite.
        """
        gradients = self.network.parameters.gradients
        self.network.forward_backward(inputs, targets, weights=weights)
        if self._clipping:
            self._clipping.clip(gradients)
        self._update(gradients.dot(gradients), self.optimizer.step, lambda: (inputs, targets, weights))

    def _update(self, squares: float, update: Callable[[], None], batch: Callable[[], Batch]) -> None:
        """Update the parameters; search ``batch`` for the first value that is not finite if a gradient may not be."""
        is_finite = math.isfinite(squares)  # the sum of the squares of all gradients; if it is, so are its terms
        if not is_finite:
            self.require_finite(batch())
        update()
        if not is_finite:
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
        self._store()
        if all(math.isfinite(vector.dot(vector)) or np.isfinite(vector).all() for vector in self._checked_vectors):
            return
        search, training_set = self._search(), self._monitored_splits["training"]
        rewind = partial(self._epoch_batches.rewind_masks, self.epoch, self.batch)
        found = search.in_step(training_set, batch, rewind) if batch else search.in_state()
        raise found.error(self.epoch, self.batch if self._batches.shuffled else None)

    def _search(self) -> "NonFiniteSearch":
        """The search for the first value that is not finite."""
        from nncli.training.divergence import NonFiniteSearch

        return NonFiniteSearch(self.experiment)
