"""The loop, as a generator of epochs."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from nncli.data.batches import Batches
from nncli.errors import DivergedError
from nncli.experiment.assembly import Experiment
from nncli.experiment.metric_columns import SPLITS, column, state_values
from nncli.experiment.numerics import quiet
from nncli.experiment.rng import Purpose, RngState
from nncli.nn.kernels.buffers import copy_to_buffer
from nncli.nn.network import Network
from nncli.nn.parameters import Array
from nncli.store.checkpoint import Checkpoint, Position
from nncli.train.divergence import NonFiniteSearch
from nncli.train.early_stopping import Best, EarlyStopping
from nncli.train.evaluate import examples, measure, predict

MACS_BETWEEN_YIELDS = 1 << 25  # multiply-adds of forward passes


@dataclass(frozen=True, slots=True)
class Epoch:
    """The state after ``number`` whole epochs, before the next update; ``metrics`` where this epoch is logged."""

    number: int
    metrics: Mapping[str, float] | None


class Trainer:
    """One training, from its first epoch to its last.

    ``epoch`` and ``batch`` say how many whole epochs, and how many batches of the next one, have been trained;
    ``batch_size`` how many rows a batch has, all of them in full batch; ``is_measured`` whether the metrics of this
    epoch have been; ``is_done`` whether the last epoch is trained, or early stopping has had enough. It is asked where
    metrics are measured, so that the last row of metrics is always that of the last state.

    Args:
        experiment: what to train; its network and optimizer change.
        stop: asked after every batch; training ends there when it says so.
    """

    def __init__(self, experiment: Experiment, stop: Callable[[], bool] = lambda: False) -> None:
        self.experiment, self.stop = experiment, stop
        self.network, self.optimizer, self._clipping = experiment.network, experiment.optimizer, experiment.clipping
        self.settings = experiment.config.training
        self.stopping = EarlyStopping(self.settings.early_stopping)
        self.epoch = self.batch = 0
        self._interval = self.settings.log_interval
        self.is_measured = self.is_done = False
        self._random_before: RngState | None = None
        self._batches_in_progress: Iterator[tuple[Array, Array]] | None = None
        self._monitored_splits = {
            name: examples(experiment.data[name], self.network) for name in SPLITS[:2] if name in experiment.data
        }
        rows = self._monitored_splits["training"]
        parameters = self.network.parameters
        self._state = (parameters.values, *self.optimizer.state.values(), parameters.gradients)
        self.batch_size = min(self.settings.batch_size or len(rows.inputs), len(rows.inputs))
        self._span = steps_between_yields(self.network, self.batch_size)
        self._batches = Batches(self._full_batch_as_buffer(rows.inputs), rows.encoded, self.batch_size)

    def epochs(self) -> Iterator[Epoch]:
        """Train, and yield at each logged epoch, the last one too, and every few milliseconds, between two batches.

        Raises:
            DivergedError: a number became NaN or infinite; it is named, with the epoch.
        """
        while True:
            metrics = None
            if not self.is_measured and (self.epoch % self._interval == 0 or self.epoch == self.settings.epochs):
                metrics = self._row()
                self.stopping.observe(self.epoch, metrics, self.network.parameters.values)
                self.is_measured, self.is_done = True, self._is_over()
            yield Epoch(self.epoch, metrics)
            if self.is_done or self.stop() or not self._train_span():
                return

    def drop_extra_row(self) -> bool:
        """Mark this epoch as not logged if it was logged only as the former last one; return whether it was.

        Such a row stays where early stopping keeps the weights of that very epoch.
        """
        best = self.stopping.best
        is_off_interval = self.epoch % self._interval > 0 and self.epoch < self.settings.epochs
        if not (self.is_measured and is_off_interval) or (best and best.epoch == self.epoch):
            return False
        self.is_measured = self.is_done = False
        return True

    def _is_over(self) -> bool:
        return self.epoch == self.settings.epochs or self.stopping.is_due(self.epoch)

    def position(self, metrics_bytes: int, metrics_sha256: str) -> Position:
        """How far training is, where metrics.csv has so many bytes of this digest."""
        best, rngs = self.stopping.best, self.experiment.rngs
        return Position(
            epoch=self.epoch,
            batch=self.batch,
            updates=self.optimizer.updates,
            best_epoch=best.epoch if best else None,
            best_value=best.value if best else None,
            random=rngs.state(self.batch > 0),
            random_before=self._random_before if self.batch else None,
            is_measured=self.is_measured,
            metrics_bytes=metrics_bytes,
            metrics_sha256=metrics_sha256,
        )

    def vectors(self) -> dict[str, Array]:
        """What goes from one step to the next: the values, the optimizer's memory, and the best values so far."""
        best = {"best": self.stopping.best.values} if self.stopping.best else {}
        return {"values": self.network.parameters.values, **self.optimizer.state, **best}

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go on from a checkpoint of this config; nothing may have been trained before.

        Raises:
            ValueError: its vectors are those of another network or optimizer, or its random numbers are none.
        """
        position, values = checkpoint.position, self.network.parameters.values
        if position.epoch > self.settings.epochs or position.batch >= len(self._batches):
            raise ValueError(f"its epoch {position.epoch}, batch {position.batch} is none of this training")
        self.stopping.best = None
        if position.best_epoch is not None and position.best_value is not None:
            self.stopping.best = Best(position.best_epoch, position.best_value, np.empty_like(values))
        for name, vector in require_matching_vectors(self.vectors(), checkpoint.vectors):
            vector[...] = checkpoint.vectors[name]
        self.optimizer.updates, self.epoch, self.batch = position.updates, position.epoch, position.batch
        self.is_measured = position.is_measured
        self.is_done = self.is_measured and self.batch == 0 and self._is_over()
        self._restore_streams(position)

    def _restore_streams(self, position: Position) -> None:
        """The order of an epoch under way is drawn again, then come the masks of the batch that is next."""
        rngs, under_way = self.experiment.rngs, position.batch > 0
        before = position.random_before if under_way else position.random
        if before is not None:
            rngs.restore(before)
        self._batches_in_progress = self.batches() if under_way else None
        if (position.random is None) != (rngs.state(under_way) is None):
            raise ValueError("the state of its random numbers is missing, or one too many")
        if under_way and position.random is not None:
            rngs.restore(position.random)

    def keep_best(self) -> int:
        """Put the weights that are kept into the network, where those are not the last; returns their epoch."""
        if self.stopping.best is None:
            return self.epoch
        self.network.parameters.values[...] = self.stopping.best.values
        return self.stopping.best.epoch

    def measured(self, split: str) -> dict[str, float]:
        """The metrics of one split as the network is now.

        Raises:
            DivergedError: one of them is not finite.
        """
        part = self._monitored_splits.get(split) or examples(self.experiment.data[split], self.network)
        metrics = measure(self.network, self.experiment.metrics, split, part, predict(self.network, part))
        if not all(map(math.isfinite, metrics.values())):
            found = NonFiniteSearch(self.experiment).in_split(split, part)
            raise DivergedError(f"training diverged at epoch {self.epoch}: {found.what}; {found.cure}")
        return metrics

    @quiet
    def _full_batch_as_buffer(self, inputs: Array) -> Array:
        """The rows as they go into batches: a full batch, which is the same at every step, is laid out once for all."""
        return copy_to_buffer(inputs, self.network.dtype) if self.batch_size == len(inputs) else inputs

    def _row(self) -> Mapping[str, float]:
        self.require_finite()
        row = state_values(self.network, self.optimizer)
        for split in self._monitored_splits:
            row |= {column(split, name): value for name, value in self.measured(split).items()}
        return row

    @quiet
    def _train_span(self) -> bool:
        """Train for some milliseconds, at most up to the next logged epoch; False if a stop was requested."""
        until = min(self.epoch - self.epoch % self._interval + self._interval, self.settings.epochs)
        steps, is_stopped = 0, False
        while True:
            self._batches_in_progress = self._batches_in_progress or self.batches()
            for inputs, targets in self._batches_in_progress:
                self.step(inputs, targets)
                steps += 1
                is_stopped = self.stop()
                if (is_stopped or steps >= self._span) and self.batch < len(self._batches):
                    return not is_stopped
            self._batches_in_progress = None
            self.epoch, self.batch, self.is_measured = self.epoch + 1, 0, False
            if self.epoch == until or steps >= self._span or is_stopped:
                return True

    def batches(self) -> Iterator[tuple[Array, Array]]:
        """The rows of each step that is left of an epoch, whose order is drawn here: inputs (N, D), targets (N, M)."""
        rngs, network, batches = self.experiment.rngs, self.network, self._batches
        self._random_before = rngs.state(under_way=False) if batches.shuffled else None
        if network.stochastic:
            network.set_rng(rngs.of(Purpose.DROPOUT, self.epoch))
        return batches.epoch(rngs.of(Purpose.ORDER, self.epoch) if batches.shuffled else None, self.batch)

    def step(self, inputs: Array, targets: Array) -> None:
        """One update, by these rows.

        Raises:
            DivergedError: a number became NaN or infinite.
        """
        gradients = self.network.parameters.gradients
        self.network.forward_backward(inputs, targets)
        if self._clipping:
            self._clipping.clip(gradients)
        is_non_finite = not math.isfinite(gradients.dot(gradients))  # finite, it has finite terms, and finite squares
        if is_non_finite:
            self.require_finite((inputs, targets))
        self.optimizer.step()
        if is_non_finite:
            self.require_finite()
        self.batch += 1

    @quiet
    def require_finite(self, rows: tuple[Array, Array] | None = None) -> None:
        """Look at all that goes from one step to the next; a sum of squares that is finite has finite terms.

        While the gradients of a step are finite, and their squares, it need not be asked: it takes 50 µs for 100,000
        parameters, those of the gradients alone 10.

        Args:
            rows: inputs (N, D) and targets (N, M), in the middle of a step on them.

        Raises:
            DivergedError: a weight, something the optimizer remembers, or a gradient, is not finite; what was the first
                is named, which in a step may be something that was computed before these.
        """
        if all(math.isfinite(vector.dot(vector)) or np.isfinite(vector).all() for vector in self._state):
            return
        where = f"{self.epoch}, batch {self.batch}" if self._batches.shuffled else str(self.epoch)
        search, part = NonFiniteSearch(self.experiment), self._monitored_splits["training"]
        found = search.in_step(part, rows, self.epoch, self.batch) if rows else search.in_state()
        raise DivergedError(f"training diverged at epoch {where}: {found.what}; {found.cure}")


def steps_between_yields(network: Network, rows: int) -> int:
    """Steps between two yields, by the rows of a step: at most 100, or a few milliseconds of work."""
    work = rows * sum(
        layer.multiply_adds(columns) for layer, columns in zip(network.layers, network.widths, strict=False)
    )
    return max(1, min(100, MACS_BETWEEN_YIELDS // max(1, work)))


def require_matching_vectors(own: Mapping[str, Array], others: Mapping[str, Array]) -> Iterable[tuple[str, Array]]:
    """Each of our vectors with its name; ValueError where the others have other names, epoch_dependent_overrides or number formats."""
    for name in {**own, **others}:
        ours, theirs = own.get(name), others.get(name)
        if ours is None or theirs is None or (ours.shape, ours.dtype) != (theirs.shape, theirs.dtype):
            raise ValueError(f"its {name} is not that of this network and optimizer")
    return own.items()
