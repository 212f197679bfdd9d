"""Which number was the first that is not finite, in the order of computation, and what to write against it.

Training itself learns by one cheap test a step that something is wrong. What it has computed is then gone through once
more: the state that the step before has left (its learning rate, the optimizer's memory, the weights), the rows, the
layers' statistics and outputs from the data up, the gradient of the loss, the gradients from the top layer down, those
of the penalties, the clipped ones. Outputs are looked up where the layers still hold them, since random numbers are not
drawn twice; only rows that have passed in portions pass again.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

import numpy as np

from nncli.experiment.assembly import Experiment
from nncli.experiment.numerics import allow_non_finite
from nncli.experiment.rng import Purpose
from nncli.nn.layers.layer import NO_INPUT
from nncli.nn.network import Network
from nncli.nn.optimizers.optimizer import Optimizer
from nncli.nn.parameters import Array, of_layer
from nncli.train.evaluate import Examples

LARGE = 1e3  # data beyond it is worth scaling, whatever else may help
TAKE_OUT = "take the row out, or give it another number there"
FIRST_WEIGHTS = "write smaller first weights, such as initializer: {type: normal, scale: 0.01}"
CLIPPING = "clipping: {type: norm, limit: 1}"
WIDER = "dtype: float64"
RowOf = Callable[[int], int | None]


class NonFinite(NamedTuple):
    """What is no longer finite, and what to write against it."""

    what: str
    cure: str


class NonFiniteSearch:
    """Goes through the numbers of an experiment in the order of computation, for those that are not finite.

    To be asked once training is over: gradients and running statistics change.

    Args:
        experiment: as a step has left it.
    """

    def __init__(self, experiment: Experiment) -> None:
        self.experiment, self.network = experiment, experiment.network
        self.parameters = experiment.network.parameters
        self.cure = cure(experiment)
        self.unknown = NonFinite("a number is no longer finite", self.cure)

    @allow_non_finite
    def in_state(self) -> NonFinite:
        """The first in what goes from one step to the next."""
        return next(self._state(), self.unknown)

    @allow_non_finite
    def in_step(self, part: Examples, rows: tuple[Array, Array], epoch: int, batch: int) -> NonFinite:
        """The first in what a step computes before it changes anything.

        Args:
            part: the training set.
            rows: inputs (N, D) and targets (N, M) of the step, which was the last pass over the network.
            epoch: how many whole epochs had been trained before it.
            batch: and how many batches of the next one.
        """
        return next(self._step(part, rows, epoch, batch), self.unknown)

    @allow_non_finite
    def in_split(self, name: str, part: Examples) -> NonFinite:
        """The first in what is computed to measure a split by that name."""
        return next(self._split(name, part), self.unknown)

    def _state(self) -> Iterator[NonFinite]:
        yield from self._left_behind(self.parameters.values)
        yield from self._arrays("the gradient of ", self.parameters.gradients)

    def _step(self, part: Examples, rows: tuple[Array, Array], epoch: int, batch: int) -> Iterator[NonFinite]:
        met, gradients = self.parameters.gradients.copy(), self.parameters.gradients
        yield from self._left_behind(self.parameters.trainable)
        inputs, targets = rows
        yield from self._data("the training set's inputs", part.inputs, inputs, _row_of(part.inputs, inputs))
        yield from self._data("the training set's targets", _raw(part), targets, _row_of(part.encoded, targets))
        yield from self._passes(inputs, targets, epoch, batch)
        self.network.penalize()
        yield from self._arrays("the gradient of the penalty on ", gradients, "write a smaller l1 or l2")
        if self.experiment.clipping:
            self.experiment.clipping.clip(gradients)
            yield from self._arrays("the clipped gradient of ", gradients)
        yield from self._arrays("the gradient of ", met)  # which did not come again
        yield from self._arrays("", self.parameters.values)

    def _split(self, name: str, part: Examples) -> Iterator[NonFinite]:
        network, where = self.network, f"on the {name} set "
        yield from self._arrays("", self.parameters.values)
        for start in range(0, len(part.inputs), network.micro_batch_rows):
            some = part.inputs[start : start + network.micro_batch_rows]
            numbers = range(start, start + len(some)).__getitem__
            yield from self._data(f"the {name} set's inputs", part.inputs, some, numbers)
            network.forward(some)
            yield from self._outputs(where, start)
        numbers = range(len(part.encoded)).__getitem__
        yield from self._data(f"the {name} set's targets", _raw(part), part.encoded, numbers)
        outputs = network.predict(part.inputs)
        yield from self._told(f"{where}the loss of a row is", network.loss.forward(outputs, part.encoded))
        if name == "training":
            yield from self._penalties()
        for metric, how in self.experiment.metrics.items():
            yield from self._told(f"{where}the {metric} is", np.asarray(how.measure(outputs, part.targets)))

    def _left_behind(self, values: Array) -> Iterator[NonFinite]:
        """The factors of the last update, what the optimizer remembers, and the values."""
        optimizer = self.experiment.optimizer
        if optimizer.updates and not np.isfinite(optimizer.last_coefficients).all():
            decay = f" times weight_decay {weight_decay(optimizer):g}" if decays_too_fast(optimizer) else ""
            rate = f"the learning rate of the last update, {optimizer.rate:g}{decay}"
            yield NonFinite(f"{rate}, gives a factor that is not finite in {self.network.dtype}", self.cure)
        for name, memory in optimizer.state.items():
            yield from self._arrays(f"the optimizer's {name} of ", memory, self._against_squares())
        yield from self._arrays("", values)

    def _against_squares(self) -> str | None:
        """What may help where gradients are finite, and their squares are not; None where that is not so."""
        gradients, ways = self.parameters.gradients, scaling(self.experiment)
        if not np.isfinite(gradients).all() or np.isfinite(gradients.dot(gradients)):
            return None
        bounds = [] if self.experiment.clipping else [CLIPPING]
        bounds += [] if self.network.dtype == np.float64 else [WIDER]
        return ", or ".join([*ways, f"write {' or '.join(bounds)}"] if bounds else ways) or None

    def _data(self, what: str, given: Array, rows: Array, row_of: RowOf) -> Iterator[NonFinite]:
        """The first of these rows' numbers that is not finite, or too large for the number format.

        Args:
            what: what the numbers are called.
            given: those of all rows, as the data set has them.
            rows: some of them, as training takes them.
            row_of: which row of ``given`` a row of ``rows`` is.
        """
        wild = ~np.isfinite(rows.astype(self.network.dtype, copy=False))
        for here, column in np.argwhere(wild)[:1].tolist():
            row = row_of(here)
            value = rows[here, column] if row is None else given[row, column]
            is_too_large = np.isfinite(value) and not np.isfinite(value.astype(self.network.dtype))
            value = value if is_too_large else rows[here, column]
            place = f"row {here} of the batch" if row is None else f"row {row}"
            told = f"{place}, column {column} of {what} is {value:g}"
            if is_too_large:
                yield NonFinite(f"{told}, which {self.network.dtype} cannot hold", f"scale the data or write {WIDER}")
            else:
                yield NonFinite(told, TAKE_OUT)

    def _passes(self, inputs: Array, targets: Array, epoch: int, batch: int) -> Iterator[NonFinite]:
        """The passes of a step, portion by portion; the gradients that these add up to are left behind."""
        network, gradients = self.network, self.parameters.gradients
        total, portions = np.zeros_like(gradients), network.micro_batches(len(inputs))
        if len(portions) > 1:
            self._rewind(epoch, batch)
        for some in portions:
            if len(portions) > 1:
                network.forward(inputs[some], training=True)
            yield from self._outputs("", some.start)
            yield from self._backward(targets[some], some.start)
            total += gradients * (len(network.outputs) / len(inputs))
        gradients[...] = total
        yield from self._arrays("the gradient of ", gradients)

    def _rewind(self, epoch: int, batch: int) -> None:
        """Bring the stream of random numbers to where a step began; the book's one stream does not go back."""
        network, size = self.network, self.experiment.config.training.batch_size or 0
        network.set_rng(self.experiment.rngs.of(Purpose.DROPOUT, epoch))
        for some in network.micro_batches(size) * batch:
            for layer, columns in zip(network.layers, network.widths, strict=False):
                if layer.stochastic:
                    layer.forward(np.zeros((some.stop - some.start, columns), network.dtype, order="F"), training=True)

    def _outputs(self, where: str, start: int) -> Iterator[NonFinite]:
        """The layers' statistics and outputs in the last forward pass, whose rows are those from ``start`` on."""
        trained = self.parameters.views(self.parameters.trainable)
        views = self.parameters.views(self.parameters.values).items()
        statistics = {name: view for name, view in views if name not in trained}
        for index in range(len(self.network.layers)):
            for name, view in of_layer(index, statistics).items():
                yield from self._told(f"layers.{index}.{name} is", view)
            yield from self._told(
                f"{where}the outputs of {self._layer(index)} are", cached_output(self.network, index), start
            )

    def _backward(self, targets: Array, start: int) -> Iterator[NonFinite]:
        """The gradients of the last forward pass, from the loss down to the lowest layer that trains anything."""
        network = self.network
        backward = network.loss.backward_fused if network.is_fused else network.loss.backward
        grad = backward(network.outputs, targets)
        yield from self._told("the gradient of the loss is", grad, start)
        for layer in network.backward_layers:
            grad = layer.backward(grad)
            index = network.layers.index(layer)
            yield from self._gradients(index)
            yield from self._told(f"the gradient of the inputs of {self._layer(index)} is", grad, start)
        network.first_trainable.parameter_gradients(grad)
        yield from self._gradients(network.layers.index(network.first_trainable))

    def _gradients(self, index: int) -> Iterator[NonFinite]:
        """Those of the arrays of one layer."""
        for name, view in of_layer(index, self.parameters.views(self.parameters.gradients)).items():
            yield from self._told(f"the gradient of layers.{index}.{name} is", view)

    def _penalties(self) -> Iterator[NonFinite]:
        """The price of each array that has one."""
        views = self.parameters.views(self.parameters.trainable).items()
        for penalty in self.network.penalties:
            name = next(name for name, view in views if np.shares_memory(view, penalty.values))
            yield from self._told(f"the penalty on {name} is", np.asarray(penalty.forward()))

    def _arrays(self, what: str, vector: Array, against: str | None = None) -> Iterator[NonFinite]:
        """The arrays in a vector that is laid out like the values, each called by its name behind ``what``."""
        for name, view in self.parameters.views(vector).items():
            yield from self._told(f"{what}{name} is", view, against=against)

    def _told(self, what: str, numbers: Array, start: int = 0, against: str | None = None) -> Iterator[NonFinite]:
        """Numbers that are not finite, with the first of them; their first row is row ``start``."""
        for row, *columns in np.argwhere(~np.isfinite(np.atleast_1d(numbers)))[:1].tolist():
            value = np.atleast_1d(numbers)[(row, *columns)]
            place = f" at {[start + row, *columns]}" if numbers.ndim else ""
            yield NonFinite(f"{what} no longer finite ({value:g}{place})", against or self.cure)

    def _layer(self, index: int) -> str:
        return f"layers[{index}] ({self.experiment.config.layers[index].type})"


def cure(experiment: Experiment) -> str:
    """What may help where numbers grew beyond all bounds."""
    if experiment.optimizer.updates == 0:
        return ", or ".join([*scaling(experiment), FIRST_WEIGHTS])
    optimizer, parameters = experiment.optimizer, experiment.config.optimizer.component.parameters
    usual = {each.name: each.default for each in parameters}
    if decays_too_fast(optimizer) and weight_decay(optimizer) > usual["weight_decay"]:
        return f"write weight_decay: {min(usual['weight_decay'], 1 / optimizer.learning_rate):g}"
    smaller, default = optimizer.learning_rate / 10, usual["learning_rate"]
    slower = f"write learning_rate: {smaller if default is ... else min(smaller, default):g}"
    return ", or ".join([*scaling(experiment), slower if experiment.clipping else f"{slower} or {CLIPPING}"])


def weight_decay(optimizer: Optimizer) -> float:
    """λ of an optimizer with weight decay, else 0."""
    return float(getattr(optimizer, "weight_decay", 0.0))


def decays_too_fast(optimizer: Optimizer) -> bool:
    """Whether |1 − η λ| > 1, so that weight decay makes weights larger at every update."""
    return optimizer.learning_rate * weight_decay(optimizer) > 2


def scaling(experiment: Experiment) -> list[str]:
    """What to do about data that is large."""
    data = experiment.data["training"]
    parts = {"inputs": data.inputs} | ({"targets": data.targets} if data.classes is None else {})
    ends = {what: max(float(np.max(numbers)), -float(np.min(numbers))) for what, numbers in parts.items()}
    return [f"scale the {what}, which reach {end:.3g}, to about 1" for what, end in ends.items() if end > LARGE]


def cached_output(network: Network, index: int) -> Array:
    """What a layer's last forward pass gave: what the next one holds as its inputs, or has copied and forgotten."""
    if index + 1 == len(network.layers):
        return network.outputs
    follower = network.layers[index + 1]
    if follower.inputs is not NO_INPUT:
        return follower.inputs
    return follower.buffer.get(("inputs", len(network.outputs), network.widths[index + 1]), NO_INPUT)


def _raw(part: Examples) -> Array:
    """The targets (N, M) as the data set has them; encoded, where that is another shape."""
    raw = part.targets.reshape(len(part.targets), -1)
    return raw if raw.shape == part.encoded.shape else part.encoded


def _row_of(whole: Array, rows: Array) -> RowOf:
    """Which row of all a row is: the same where they are as many, else the first with the same numbers."""
    if len(rows) == len(whole):
        return range(len(rows)).__getitem__
    return partial(_equal_row, whole, rows)


def _equal_row(whole: Array, rows: Array, here: int) -> int | None:
    row = rows[here]
    return next((index for index, other in enumerate(whole) if np.array_equal(other, row, equal_nan=True)), None)
