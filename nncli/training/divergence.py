"""Finds the first value that is not finite, in the order of computation, and suggests a fix.

One inexpensive check per step detects that a value is not finite, but not which one was the first. The step is then
replayed under an observer from the state before it: parameters and optimizer state have not changed at that moment,
dropout masks are drawn again, and running statistics are checked as the step left them.
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from nncli.data.batches import Batch
from nncli.errors import DivergedError
from nncli.experiment.assembly import Experiment
from nncli.experiment.numerics import allow_non_finite
from nncli.nn.parameters import Array, of_layer
from nncli.nn.trace import Kind, Observer, Operation, forward_methods, observed, step_methods
from nncli.training.evaluate import Examples
from nncli.training.row_finder import row_finder
from nncli.training.suggestions import FIX_ROW, FLOAT64, decays_too_fast, squares_suggestion, suggestion, weight_decay


class NonFinite(NamedTuple):
    """A value that is not finite.

    Args:
        description: which value it is.
        suggestion: what may help.
        layer: the index of its layer, if it belongs to one.
        array: the name of its array, such as ``weights``, ``outputs`` or ``gradient of weights``.
        array_index: its index in the array.
    """

    description: str
    suggestion: str
    layer: int | None = None
    array: str | None = None
    array_index: tuple[int, ...] | None = None

    @property
    def location(self) -> dict[str, Any]:
        """Layer, array and index, as ``DivergedError`` takes them."""
        return {"layer": self.layer, "array": self.array, "index": self.array_index}

    def error(self, epoch: int, batch: int | None = None) -> DivergedError:
        """The error of a training after these epochs, and after these batches of the next one, if they are shuffled."""
        where = str(epoch) if batch is None else f"{epoch}, batch {batch}"
        message = f"training diverged at epoch {where}: {self.description}; {self.suggestion}"
        return DivergedError(message, epoch=epoch, batch=batch, **self.location)


class NonFiniteSearch:
    """Searches the values of an experiment for the first that is not finite.

    It may only be used after training has ended, since it changes the gradients and the arrays of the layers.

    Args:
        experiment: as the last step left it.
    """

    def __init__(self, experiment: Experiment) -> None:
        self.experiment, self.network = experiment, experiment.network
        self.parameters = experiment.network.parameters
        self.suggestion = suggestion(experiment)
        self.unknown = NonFinite("a value is no longer finite", self.suggestion)

    @allow_non_finite
    def in_state(self) -> NonFinite:
        """The first value in the training state, which a step leaves for the next one, or in the gradients."""
        return next(self._state(), self.unknown)

    @allow_non_finite
    def in_step(self, training_set: Examples, batch: Batch, rewind: Callable[[], None]) -> NonFinite:
        """The first value in a step that has not updated the parameters yet.

        Args:
            training_set: from which the rows were taken.
            batch: that of the step.
            rewind: resets the generator of the dropout masks to its state before the step.
        """
        return next(self._step(training_set, batch, rewind), self.unknown)

    @allow_non_finite
    def in_split(self, name: str, split: Examples) -> NonFinite:
        """The first value in the evaluation of a split."""
        return next(self._split(name, split), self.unknown)

    def arrays(self, prefix: str, vector: Array, suggested: str | None = None) -> Iterator[NonFinite]:
        """The values of a vector in the layout of the parameters, whose descriptions begin with a prefix."""
        for name, view in self.parameters.views(vector).items():
            _, layer, array = name.split(".")
            location = int(layer), f"{prefix.removeprefix('the ')}{array}"
            yield from self.values(f"{prefix}{name} is", view, location, suggested=suggested)

    def values(
        self,
        description: str,
        values: Array,
        location: tuple[int | None, str | None] = (None, None),
        first_row: int = 0,
        suggested: str | None = None,
    ) -> Iterator[NonFinite]:
        """The first value of an array that is not finite, if any.

        Args:
            description: the array with its verb, such as "the outputs are".
            values: the array.
            location: the index of its layer and its name.
            first_row: the index of its first row in the batch.
            suggested: what may help; the suggestion of the experiment by default.
        """
        for row, *columns in np.argwhere(~np.isfinite(np.atleast_1d(values)))[:1].tolist():
            value = np.atleast_1d(values)[(row, *columns)]
            index = (first_row + row, *columns) if values.ndim else None
            at = f" at {list(index)}" if index else ""
            text = f"{description} no longer finite ({value:g}{at})"
            yield NonFinite(text, suggested or self.suggestion, *location, index)

    def _state(self) -> Iterator[NonFinite]:
        yield from self._training_state(self.parameters.values)
        yield from self.arrays("the gradient of ", self.parameters.gradients)

    def _step(self, training_set: Examples, batch: Batch, rewind: Callable[[], None]) -> Iterator[NonFinite]:
        gradients, (inputs, targets, _) = self.parameters.gradients.copy(), batch
        yield from self._training_state(self.parameters.trainable)
        raw, encoded = _raw_targets(training_set), training_set.encoded
        yield from self._data(
            "training", "inputs", training_set.inputs, inputs, row_finder(training_set.inputs, inputs)
        )
        yield from self._data("training", "targets", raw, targets, row_finder(encoded, targets))
        rewind()
        yield from self._replayed(*batch)
        yield from self.arrays("the gradient of ", gradients)  # if the replay did not reproduce it
        yield from self.arrays("", self.parameters.values)

    def _replayed(self, inputs: Array, targets: Array, weights: Array | None) -> Iterator[NonFinite]:
        """The first value that a step computes before the parameters are updated; running statistics are restored."""
        values, clipping = self.parameters.values.copy(), self.experiment.clipping
        observer = FirstNonFinite(self, values)
        with observed(step_methods(self.network, clipping), observer):
            self.network.forward_backward(inputs, targets, weights=weights)
            if clipping:
                clipping.clip(self.parameters.gradients)
        self.parameters.values[...] = values
        yield from observer.found
        yield from self.arrays("the gradient of ", self.parameters.gradients)

    def _split(self, name: str, split: Examples) -> Iterator[NonFinite]:
        where, values = f"on the {name} set ", self.parameters.values
        yield from self.arrays("", values)
        yield from self._split_data(name, "inputs", split.inputs, split.inputs)
        observer = FirstNonFinite(self, values, where)
        with self.network.without_replicas(), observed(forward_methods(self.network), observer):
            outputs = self.network.predict(split.inputs)
        yield from observer.found
        yield from self._split_data(name, "targets", _raw_targets(split), split.encoded)
        losses = self.network.losses(outputs, split.encoded, split.weights)
        yield from self.values(f"{where}the loss of a row is", losses, (None, "loss"))
        if name == "training":
            yield from self._penalties()
        for metric, measured in self.experiment.metrics.items():
            value = np.asarray(measured.measure(outputs, split.targets))
            yield from self.values(f"{where}the {metric} is", value, (None, metric))

    def _split_data(self, split: str, array: str, raw: Array, values: Array) -> Iterator[NonFinite]:
        """The values of a whole split, which are read in chunks."""
        chunk = self.network.micro_batch_rows
        for start in range(0, len(values), chunk):
            rows = range(start, start + chunk).__getitem__
            yield from self._data(split, array, raw, values[start : start + chunk], rows)

    def _training_state(self, values: Array) -> Iterator[NonFinite]:
        """The coefficients of the last update, the optimizer state and the parameters."""
        optimizer = self.experiment.optimizer
        if optimizer.updates and not np.isfinite(optimizer.last_coefficients).all():
            decay = f" times weight_decay {weight_decay(optimizer):g}" if decays_too_fast(optimizer) else ""
            rate = f"the learning rate of the last update, {optimizer.rate:g}{decay}"
            text = f"{rate}, gives a factor that is not finite in {self.network.dtype}"
            yield NonFinite(text, self.suggestion, array="learning rate")
        for name, state in optimizer.state.items():
            yield from self.arrays(f"the optimizer's {name} of ", state, squares_suggestion(self.experiment))
        yield from self.arrays("", values)

    def _data(
        self, split: str, array: str, raw: Array, rows: Array, row_of: Callable[[int], int | None]
    ) -> Iterator[NonFinite]:
        """The first value of some rows that is not finite, or that the dtype of the network cannot represent.

        Args:
            split: the name of the split.
            array: ``inputs`` or ``targets``.
            raw: all rows of the split, as its data source has them.
            rows: some of them, as the network takes them.
            row_of: maps the index of a row in ``rows`` to its index in ``raw``; None if it is not found there.
        """
        dtype = self.network.dtype
        for batch_row, column in np.argwhere(~np.isfinite(rows.astype(dtype, copy=False)))[:1].tolist():
            row = row_of(batch_row)
            value = rows[batch_row, column] if row is None else raw[row, column]
            is_too_large = np.isfinite(value) and not np.isfinite(value.astype(dtype))
            value = value if is_too_large else rows[batch_row, column]
            where = f"row {batch_row} of the batch" if row is None else f"row {row}"
            text = f"{where}, column {column} of the {split} set's {array} is {value:g}"
            index = None if row is None else (row, column)
            if is_too_large:
                text, fix = f"{text}, which {dtype} cannot hold", f"scale the data or write {FLOAT64}"
            else:
                fix = FIX_ROW
            yield NonFinite(text, fix, None, array, index)

    def _penalties(self) -> Iterator[NonFinite]:
        """The penalties, each described by its array."""
        views = self.parameters.views(self.parameters.trainable).items()
        for penalty in self.network.penalties:
            name = next(name for name, view in views if np.shares_memory(view, penalty.values))
            location = int(name.split(".")[1]), f"penalty on {name.split('.')[2]}"
            yield from self.values(f"the penalty on {name} is", np.asarray(penalty.forward()), location)


class FirstNonFinite(Observer):
    """Finds the first value that is not finite among those that the operations of a network compute.

    Args:
        search: the search, which describes the values.
        values: parameters and running statistics (P + S,), as the pass that is checked has left them.
        where: text before the description of outputs, such as "on the validation set ".
    """

    def __init__(self, search: NonFiniteSearch, values: Array, where: str = "") -> None:
        self.search, self.where = search, where
        self.network, self.parameters = search.network, search.network.parameters
        self.found: list[NonFinite] = []  # at most one
        self._values = self.parameters.views(values)
        self._first_row = self._next_row = 0  # of the micro-batch

    def before(self, operation: Operation, *arguments: Any) -> None:
        """Check the gradients that all micro-batches accumulated."""
        if operation.kind in {Kind.PENALTIES, Kind.CLIPPING}:
            self._check(self.search.arrays("the gradient of ", self.parameters.gradients))

    def after(self, operation: Operation, result: Any) -> None:
        """Check what an operation has computed."""
        self._check(self._computed(operation, result))

    def _check(self, values: Iterator[NonFinite]) -> None:
        if not self.found:
            self.found += islice(values, 1)

    def _computed(self, operation: Operation, result: Any) -> Iterator[NonFinite]:
        match operation:
            case Operation(Kind.FORWARD, int(index)):
                yield from self._outputs(index, result)
            case Operation(Kind.LOSS_GRADIENT):
                location = len(self.network.layers) - 1, "gradient of outputs"
                yield from self.search.values("the gradient of the loss is", result, location, self._first_row)
            case Operation(Kind.BACKWARD, int(index)):
                yield from self._gradients(index)
                description = f"the gradient of the inputs of {self._layer(index)} is"
                yield from self.search.values(description, result, (index, "gradient of inputs"), self._first_row)
            case Operation(Kind.PARAMETER_GRADIENTS, int(index)):
                yield from self._gradients(index)
            case Operation(Kind.PENALTIES):
                suggested = "write a smaller l1 or l2"
                yield from self.search.arrays("the gradient of the penalty on ", self.parameters.gradients, suggested)
            case Operation(Kind.CLIPPING):
                yield from self.search.arrays("the clipped gradient of ", self.parameters.gradients)

    def _outputs(self, index: int, outputs: Array) -> Iterator[NonFinite]:
        """The running statistics and the outputs of a layer."""
        if index == 0:
            self._first_row, self._next_row = self._next_row, self._next_row + len(outputs)
        for name, view in self._layer_statistics(index).items():
            yield from self.search.values(f"layers.{index}.{name} is", view, (index, name))
        description = f"{self.where}the outputs of {self._layer(index)} are"
        yield from self.search.values(description, outputs, (index, "outputs"), self._first_row)

    def _layer_statistics(self, index: int) -> Mapping[str, Array]:
        trainable = self.network.layers[index].shapes(self.network.widths[index])
        return {name: view for name, view in of_layer(index, self._values).items() if name not in trainable}

    def _gradients(self, index: int) -> Iterator[NonFinite]:
        """The gradients of the parameters of a layer."""
        for name, view in of_layer(index, self.parameters.views(self.parameters.gradients)).items():
            yield from self.search.values(
                f"the gradient of layers.{index}.{name} is", view, (index, f"gradient of {name}")
            )

    def _layer(self, index: int) -> str:
        return f"layers[{index}] ({self.search.experiment.config.layers[index].type})"


def _raw_targets(split: Examples) -> Array:
    """The targets (N, M) as the data source has them, or encoded if those have another shape."""
    raw = split.targets.reshape(len(split.targets), -1)
    return raw if raw.shape == split.encoded.shape else split.encoded
