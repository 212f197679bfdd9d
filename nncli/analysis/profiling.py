"""Where the time of a training step goes, operation by operation, compared with its matrix products alone."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import ceil
from statistics import median
from typing import Any

import numpy as np

from nncli.experiment.metric_columns import SPLITS
from nncli.experiment.numerics import allow_non_finite
from nncli.nn.kernels.alignment import zeros
from nncli.nn.trace import Kind, ObservedMethod, Observer, Operation, observed, step_methods
from nncli.training.loop import Trainer

ROUNDS = 9
SQUARE = 512  # rows and columns of the matrix product that measures the machine
PRODUCTS = 5  # such products; the time of the fastest is taken
PAUSE = 0.03  # seconds; BLAS threads that have finished spin for a moment before they sleep
EMPTY_CALLS = 1000  # of a method that does nothing, by which the overhead of the clock is measured
FORWARD, BACKWARD = "forward", "backward"
BATCH, LOSS, PENALTIES, CLIPPING, UPDATE = "batch", "loss", "penalties", "clipping", "update"
PARTS = {  # of the operations that belong to no layer: the name and the column of a part
    BATCH: (BATCH, FORWARD),
    Kind.INPUTS: (BATCH, FORWARD),
    Kind.LOSS_GRADIENT: (LOSS, BACKWARD),
    Kind.PENALTIES: (PENALTIES, BACKWARD),
    Kind.CLIPPING: (CLIPPING, BACKWARD),
    Kind.UPDATE: (UPDATE, BACKWARD),
}

Key = tuple[str, str]  # the name of a part, and FORWARD or BACKWARD


@dataclass(frozen=True)
class Part:
    """The time of one part of a step.

    Args:
        name: the index and type of a layer, or another operation of the step.
        forward: seconds up to the loss; None if the part has no operation there.
        backward: seconds from the loss to the update of the weights; likewise.
        floor: seconds that its matrix products would take at the machine's rate.
    """

    name: str
    forward: float | None
    backward: float | None
    floor: float = 0.0

    @property
    def seconds(self) -> float:
        """Forward and backward together."""
        return (self.forward or 0.0) + (self.backward or 0.0)


@dataclass(frozen=True)
class Profile:
    """Where the time of a training step goes.

    Args:
        parts: in the order of the forward pass.
        step: seconds of a step that is not observed and not divided among processes.
        rows: rows per step, on average.
        steps: steps per epoch.
        metrics: seconds to measure the metrics of all splits.
        rate: MACs per second of a large matrix product in the network's dtype.
    """

    parts: list[Part]
    step: float
    rows: float
    steps: int
    metrics: float
    rate: float

    @property
    def floor(self) -> float:
        """Seconds that the matrix products of a step would take at the machine's rate."""
        return sum(part.floor for part in self.parts)

    @property
    def between(self) -> float:
        """Overhead: seconds of a step outside all of its parts, for calls, loops and the check for finite gradients."""
        return max(0.0, self.step - sum(part.seconds for part in self.parts))


class Stopwatch(Observer):
    """Adds up the seconds that each operation takes, without the overhead of reading the clock."""

    def __init__(self) -> None:
        self.overhead = 0.0
        self.seconds: dict[Operation, float] = {}
        self._start = 0.0
        self.overhead = self._measured_overhead()

    def before(self, operation: Operation, *arguments: Any) -> None:
        """Start the clock."""
        self._start = time.perf_counter()

    def after(self, operation: Operation, result: Any) -> None:
        """Stop the clock."""
        elapsed = time.perf_counter() - self._start - self.overhead
        self.seconds[operation] = self.seconds.get(operation, 0.0) + elapsed

    def reset(self) -> None:
        """Set all times to 0."""
        self.seconds = {}

    def _measured_overhead(self) -> float:
        """The median time of an operation that does nothing."""
        times: list[float] = []
        with observed([ObservedMethod(Operation("nothing"), self, "_nothing")], self):
            for _ in range(EMPTY_CALLS):
                self.reset()
                self._nothing()
                times += self.seconds.values()
        self.reset()
        return median(times)

    def _nothing(self) -> None:
        pass


class Steps:
    """The steps of a training run, epoch after epoch, which can be repeated from the first step on.

    Args:
        trainer: before its first step; its network and optimizer change.
    """

    def __init__(self, trainer: Trainer) -> None:
        self.trainer = trainer
        self._values = trainer.network.parameters.values.copy()
        self.rewind()

    def rewind(self) -> None:
        """Return to the first step, so that every round trains the same steps."""
        trainer = self.trainer
        trainer.network.parameters.values[...] = self._values
        for state in trainer.optimizer.state.values():
            state[...] = 0
        trainer.optimizer.updates = trainer.epoch = trainer.batch = 0
        self._parts = trainer.parts()

    def next_part(self) -> slice:
        """The batch of the next step, for ``Trainer.train_batch``."""
        part = next(self._parts, None)
        if part is None:
            self.trainer.epoch, self.trainer.batch = self.trainer.epoch + 1, 0
            self._parts = self.trainer.parts()
            part = next(self._parts)
        return part

    def seconds(self, count: int) -> float:
        """Run ``count`` steps, which processes divide within ``Trainer.divided``; return the seconds per step."""
        start = time.perf_counter()
        for _ in range(count):
            self.trainer.train_batch(self.next_part())
        return (time.perf_counter() - start) / count


@allow_non_finite
def profile(trainer: Trainer, seconds: float) -> Profile:
    """Train for about ``seconds`` seconds and measure where the time goes; nothing is written.

    Each round measures steps that are not observed, steps whose operations are timed, the metrics and a large matrix
    product; each figure is the median of the rounds.

    Args:
        trainer: before its first step; its network and optimizer change.
        seconds: the approximate duration of all rounds.

    Raises:
        DivergedError: a value became NaN or infinite.
    """
    steps, watch = Steps(trainer), Stopwatch()
    steps.seconds(1)  # plans and allocates all arrays
    one_step, fixed = steps.seconds(1), 2 * _metrics_seconds(trainer) + PAUSE
    count = max(1, int((seconds / ROUNDS - fixed) / 2 / one_step))
    round_count = max(1, min(ROUNDS, int(seconds / (fixed + 2 * count * one_step))))
    rounds = [_round(steps, watch, count) for _ in range(round_count)]
    figures = {name: median(figures[name] for figures, _ in rounds) for name in rounds[0][0]}
    times = {key: max(0.0, median(times[key] for _, times in rounds)) for key in rounds[0][1]}
    rows = len(trainer.experiment.data["training"])
    batches = ceil(rows / trainer.batch_size)
    return Profile(
        _parts(trainer, times, rows / batches / figures["rate"]), rows=rows / batches, steps=batches, **figures
    )


def _round(steps: Steps, watch: Stopwatch, count: int) -> tuple[dict[str, float], dict[Key, float]]:
    """The figures of a whole step, the metrics and the machine, and the seconds of each part of a step."""
    trainer = steps.trainer
    steps.rewind()
    figures = {"step": steps.seconds(count)}
    steps.rewind()
    watch.reset()
    with observed(_methods(steps), watch):
        steps.seconds(count)
    figures |= {"metrics": _metrics_seconds(trainer), "rate": _product_rate(trainer.network.dtype)}
    time.sleep(PAUSE)
    layers, times = _layer_names(trainer), dict[Key, float]()
    for operation, total in watch.seconds.items():
        key = _key(operation, layers)
        times[key] = times.get(key, 0.0) + total / count
    return figures, times


def _methods(steps: Steps) -> Iterator[ObservedMethod]:
    """The operations of a step, and the two that draw its batch and gather its rows."""
    trainer, batch = steps.trainer, Operation(BATCH)
    yield from (ObservedMethod(batch, steps, "next_part"), ObservedMethod(batch, trainer, "gather"))
    yield from step_methods(trainer.network, trainer.experiment.clipping, trainer.optimizer)


def _key(operation: Operation, layers: list[str]) -> Key:
    if operation.layer is None:
        return PARTS[operation.kind]
    return layers[operation.layer], FORWARD if operation.kind == Kind.FORWARD else BACKWARD


def _layer_names(trainer: Trainer) -> list[str]:
    return [f"{index} {layer.type}" for index, layer in enumerate(trainer.experiment.config.layers)]


def _parts(trainer: Trainer, times: dict[Key, float], seconds_per_product: float) -> list[Part]:
    """The parts of a step, in the order in which they first occur in it."""
    products = _products(trainer)
    return [
        Part(
            name,
            times.get((name, FORWARD)),
            times.get((name, BACKWARD)),
            products.get(name, 0) * seconds_per_product,
        )
        for name in dict.fromkeys(name for name, _ in times)
    ]


def _products(trainer: Trainer) -> dict[str, int]:
    """MACs of each layer per row: forward, for the gradient of its weights and, if needed, of its inputs."""
    network, products = trainer.network, {}
    for name, layer, width in zip(_layer_names(trainer), network.layers, network.widths, strict=False):
        passes = 3 if layer in network.backward_layers else 2 if layer is network.first_trainable else 1
        products[name] = passes * layer.multiply_adds(width)
    return products


def _metrics_seconds(trainer: Trainer) -> float:
    monitored = [split for split in SPLITS[:2] if split in trainer.experiment.data]
    return _seconds_of_second_call(lambda: [trainer.measured(split) for split in monitored])


def _seconds_of_second_call(call: Callable[[], Any]) -> float:
    """The duration of a call that was made once before, to allocate arrays and fill the caches."""
    call()
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def _product_rate(dtype: np.dtype[Any]) -> float:
    """MACs per second of a matrix product that is large enough for BLAS to reach its peak."""
    left, right, out = (zeros((SQUARE, SQUARE), dtype) for _ in range(3))
    left[...], right[...] = 1, 1
    return SQUARE**3 / min(_seconds_of_second_call(lambda: left.dot(right, out=out)) for _ in range(PRODUCTS))
