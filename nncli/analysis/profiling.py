"""Where the time of a training step goes, part by part, held against what its matrix products alone would take."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil
from statistics import median
from typing import Any

import numpy as np

from nncli.experiment.metric_columns import SPLITS
from nncli.experiment.numerics import allow_non_finite
from nncli.nn.kernels.alignment import zeros
from nncli.nn.parameters import Array
from nncli.train.loop import Trainer

ROUNDS = 9
SQUARE = 512  # rows and columns of the product by which the machine is measured
PRODUCTS = 5  # of such, of which the fastest counts
PAUSE = 0.03  # seconds; threads of BLAS that have done their part wait a moment for more before they sleep
EMPTY = 1000  # empty calls by which the clock is measured
BATCH, LOSS, PENALTIES, CLIPPING, UPDATE = "batch", "loss", "penalties", "clipping", "update"

Key = tuple[str, str]  # the name of a part, and "forward" or "backward"


@dataclass(frozen=True)
class Part:
    """What one part of a step takes.

    Args:
        name: a layer's place and type, or what else is done in a step.
        forward: seconds on the way to the loss; None where it has no part in it.
        backward: seconds on the way back, up to the update of the weights; likewise.
        floor: seconds that its matrix products would take at the machine's rate.
    """

    name: str
    forward: float | None
    backward: float | None
    floor: float = 0.0

    @property
    def seconds(self) -> float:
        """Both ways together."""
        return (self.forward or 0.0) + (self.backward or 0.0)


@dataclass(frozen=True)
class Profile:
    """Where the time of a training step goes.

    Args:
        parts: in the order of a step on its way forward.
        step: seconds of a whole step, taken without a look at its parts.
        rows: how many rows a step has, on average.
        steps: how many steps an epoch has.
        metrics: seconds of a row of metrics, all splits together.
        rate: multiply-adds a second of a large matrix product in the network's number format.
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
        """Seconds of a step that none of its parts takes: calls, loops, a look for numbers that are not finite."""
        return max(0.0, self.step - sum(part.seconds for part in self.parts))


class Stopwatch:
    """Adds up the seconds that some methods take while it is on; those of one look at the clock are taken off.

    Args:
        methods: of each the key under which its seconds are added up, the object, and the method's name.
    """

    def __init__(self, methods: Sequence[tuple[Key, Any, str]]) -> None:
        self._methods = methods
        self._look = 0.0
        self.seconds: dict[Key, float] = {}
        nothing = self._timed((BATCH, "forward"), lambda: None)
        looks: list[float] = []
        for _ in range(EMPTY):
            self.seconds.clear()
            nothing()
            looks += self.seconds.values()
        self._look = median(looks)

    @contextmanager
    def on(self) -> Iterator[None]:
        """Watch the methods for as long as this lasts, from 0 on."""
        self.seconds = {}
        for key, owner, name in self._methods:
            setattr(owner, name, self._timed(key, getattr(owner, name)))
        try:
            yield
        finally:
            for _, owner, name in self._methods:
                delattr(owner, name)  # the one of its class is seen again

    def _timed(self, key: Key, method: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*arguments: Any, **named: Any) -> Any:
            start = time.perf_counter()
            result = method(*arguments, **named)
            self.seconds[key] = self.seconds.get(key, 0.0) + time.perf_counter() - start - self._look
            return result

        return timed


class Steps:
    """The steps of a training, epoch after epoch, begun anew as often as wanted.

    Args:
        training: at its start; its network and optimizer change.
    """

    def __init__(self, training: Trainer) -> None:
        self.training = training
        self._values = training.network.parameters.values.copy()
        self.rewind()

    def rewind(self) -> None:
        """Go back to the first step, so that every round trains alike."""
        training = self.training
        training.network.parameters.values[...] = self._values
        for memory in training.optimizer.state.values():
            memory[...] = 0
        training.optimizer.updates = training.epoch = training.batch = 0
        self._rows = training.batches()

    def draw(self) -> tuple[Array, Array]:
        """Inputs (N, D) and targets (N, M) of the next step."""
        rows = next(self._rows, None)
        if rows is None:
            self.training.epoch, self.training.batch = self.training.epoch + 1, 0
            self._rows = self.training.batches()
            rows = next(self._rows)
        return rows

    def seconds(self, number: int) -> float:
        """Make so many steps; returns how long one took."""
        start = time.perf_counter()
        for _ in range(number):
            self.training.step(*self.draw())
        return (time.perf_counter() - start) / number


@allow_non_finite
def profile(training: Trainer, seconds: float) -> Profile:
    """Train for about so many seconds, and see where they go; nothing is written.

    Rounds of whole steps, of steps whose parts are timed, a row of metrics and a large product take turns; of each the
    median over the rounds counts.

    Args:
        training: at its start; its network and optimizer change.
        seconds: how long, about.

    Raises:
        DivergedError: a number became NaN or infinite.
    """
    steps, rounds = Steps(training), []  # of a round the figures of the whole, and of the parts
    watch = Stopwatch(list(_methods(steps)))
    steps.seconds(1)  # makes all buffers
    each, fixed = steps.seconds(1), 2 * _metrics_seconds(training) + PAUSE
    number = max(1, int((seconds / ROUNDS - fixed) / 2 / each))
    for _ in range(max(1, min(ROUNDS, int(seconds / (fixed + 2 * number * each))))):
        rounds.append(_round(steps, watch, number))
    whole = {name: median(found[name] for found, _ in rounds) for name in rounds[0][0]}
    taken = {key: max(0.0, median(parts[key] for _, parts in rounds)) for key in rounds[0][1]}
    of = len(training.experiment.data["training"])
    batches = ceil(of / training.batch_size)
    rows = of / batches
    floors = {name: rows * work / whole["rate"] for name, work in _products(training).items()}
    names = dict.fromkeys(name for name, _ in taken)
    parts = [Part(n, taken.get((n, "forward")), taken.get((n, "backward")), floors.get(n, 0.0)) for n in names]
    return Profile(parts, rows=rows, steps=batches, **whole)


def _round(steps: Steps, watch: Stopwatch, number: int) -> tuple[dict[str, float], dict[Key, float]]:
    """Seconds of a step and of a row of metrics with the machine's rate, and seconds of the parts of a step."""
    steps.rewind()
    found = {"step": steps.seconds(number)}
    steps.rewind()
    with watch.on():
        steps.seconds(number)
    training = steps.training
    found |= {"metrics": _metrics_seconds(training), "rate": _product_rate(training.network.dtype)}
    time.sleep(PAUSE)
    return found, {key: total / number for key, total in watch.seconds.items()}


def _layer_names(training: Trainer) -> list[str]:
    return [f"{index} {layer.type}" for index, layer in enumerate(training.experiment.config.layers)]


def _methods(steps: Steps) -> Iterator[tuple[Key, Any, str]]:
    """The methods that make up a step, none of which calls another one of them."""
    training, network = steps.training, steps.training.network
    names = dict(zip(network.layers, _layer_names(training), strict=True))
    yield (BATCH, "forward"), steps, "draw"
    yield (BATCH, "forward"), network, "prepare_inputs"
    for layer, name in names.items():
        yield (name, "forward"), layer, "forward"
    for layer in network.backward_layers:
        yield (names[layer], "backward"), layer, "backward"
    yield (names[network.first_trainable], "backward"), network.first_trainable, "parameter_gradients"
    yield (LOSS, "backward"), network.loss, "backward_fused" if network.is_fused else "backward"
    if network.penalties:
        yield (PENALTIES, "backward"), network, "penalize"
    if training.experiment.clipping:
        yield (CLIPPING, "backward"), training.experiment.clipping, "clip"
    yield (UPDATE, "backward"), training.optimizer, "step"


def _products(training: Trainer) -> dict[str, int]:
    """The multiply-adds of each layer for one row: forward, for the weights' gradient, for the inputs' if needed."""
    network, found = training.network, {}
    for name, layer, columns in zip(_layer_names(training), network.layers, network.widths, strict=False):
        times = 3 if layer in network.backward_layers else 2 if layer is network.first_trainable else 1
        found[name] = times * layer.multiply_adds(columns)
    return found


def _metrics_seconds(training: Trainer) -> float:
    watched = [split for split in SPLITS[:2] if split in training.experiment.data]
    return _seconds_of_the_second(lambda: [training.measured(split) for split in watched])


def _seconds_of_the_second(call: Callable[[], Any]) -> float:
    """How long a call takes that was just made once; the first makes buffers, and fills the caches."""
    call()
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def _product_rate(dtype: np.dtype[Any]) -> float:
    """Multiply-adds a second of a matrix product that is large enough for BLAS to be at its best."""
    left, right, out = (zeros((SQUARE, SQUARE), dtype) for _ in range(3))
    left[...], right[...] = 1, 1
    return SQUARE**3 / min(_seconds_of_the_second(lambda: left.dot(right, out=out)) for _ in range(PRODUCTS))
