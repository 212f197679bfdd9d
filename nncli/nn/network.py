"""A stack of layers over one parameter vector, with the loss at its end."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from nncli.nn.kernels.buffers import BufferPool
from nncli.nn.kernels.dropout_mask import Random
from nncli.nn.layers.layer import NO_INPUT, Layer
from nncli.nn.losses.loss import Loss, average, is_fused
from nncli.nn.microbatching import balanced_chunk, can_microbatch, micro_batch_rows
from nncli.nn.parameters import Array, Parameters, of_layer
from nncli.nn.shapes import shapes, statistics, widths


class Network:
    """Layers from the data to the output, and the gradient of the loss back through them.

        forward:   X → layer 0 → layer 1 → … → outputs
        backward:  dL/d outputs → … → layer 1 → layer 0, each leaving the gradients of its own arrays

    The gradient with respect to the data is never needed: backward ends at the lowest layer that trains anything,
    and asks of it no more than its own gradients. Many rows go forward and backward in portions whose numbers stay in
    the cache, and whose gradients are added up.

    ``lowest`` is that lowest layer, ``backward_layers`` are those above it through which backward goes, from the top down;
    ``is_fused`` says that the last one and the loss are passed at once.

    Args:
        layers: at least one of them trains something.
        loss: held against the outputs of the last layer.
        inputs: the number of columns of the data.
        dtype: the number format of everything but losses and metrics.
        fused: whether the gradient through the loss and the last layer is computed at once, if there is a formula.
        input_gradient: whether backward computes dL/dX of the data as well, which training never needs.

    Raises:
        ValueError: no layer trains anything.
    """

    def __init__(
        self,
        layers: Sequence[Layer],
        loss: Loss,
        inputs: int,
        dtype: np.dtype[Any],
        fused: bool = True,
        input_gradient: bool = False,
    ) -> None:
        self.layers, self.loss, self.dtype = tuple(layers), loss, dtype
        self.widths = widths(self.layers, inputs)
        trained = shapes(self.layers, inputs)
        if not trained:
            raise ValueError("no layer of the network trains anything")
        self.parameters = Parameters(trained, dtype, statistics(self.layers, inputs))
        self._attach()
        self.stochastic = any(layer.stochastic for layer in self.layers)
        self.micro_batch_rows = micro_batch_rows(self.layers, inputs, dtype)
        self.can_microbatch = can_microbatch(self.layers)
        self.penalties = [penalty for layer in self.layers for penalty in layer.penalties()]
        self.is_fused = fused and is_fused(self.layers[-1], loss)
        self._buffer = BufferPool(dtype)
        self._network_inputs = NO_INPUT
        layers = self.layers[:-1] if self.is_fused else self.layers
        lowest = next(index for index, layer in enumerate(layers) if layer.shapes(self.widths[index]))
        self.first_trainable, *above = (Layer(), *layers) if input_gradient else layers[lowest:]
        self.backward_layers = tuple(reversed(above))

    def _attach(self) -> None:
        values = self.parameters.views(self.parameters.values)
        gradients = self.parameters.views(self.parameters.gradients)
        for index, layer in enumerate(self.layers):
            layer.attach(of_layer(index, values), of_layer(index, gradients), self.dtype)
        self.loss.attach(self.dtype)

    def initialize(self, rng: Random) -> None:
        """Draw the first weights, layer by layer from the data on."""
        for layer in self.layers:
            layer.initialize(rng)

    def set_rng(self, rng: Random) -> None:
        """Give the layers that need random numbers this stream."""
        for layer in self.layers:
            layer.set_rng(rng)

    def prepare_inputs(self, inputs: Array) -> Array:
        """Inputs (N, D) of any number format as the layers take them: themselves, or a copy that is made each time."""
        by_rows = self.layers[0].prefers_row_major(inputs)
        self._network_inputs = self._buffer.as_row_major(inputs) if by_rows else self._buffer.as_buffer(inputs)
        return self._network_inputs

    def forward(self, inputs: Array, training: bool = False) -> Array:
        """Outputs (N, M) of inputs (N, D) of any number format; they belong to the network until its next pass."""
        outputs = inputs if inputs is self._network_inputs else self.prepare_inputs(inputs)
        for layer in self.layers:
            outputs = layer.forward(outputs, training)
        self.outputs = outputs
        return outputs

    def forward_backward(self, inputs: Array, targets: Array, losses: Array | None = None) -> None:
        """Forward and backward: fill the gradients of loss and penalties on these rows.

        Args:
            inputs: (N, D).
            targets: (N, M), as the loss encodes them.
            losses: (N,), filled with the loss of each row, without penalties, where it is given, by who keeps the loss
                of every step; training measures between the steps instead.
        """
        if self.can_microbatch and len(inputs) > self.micro_batch_rows:
            self._accumulate_gradients(inputs, targets, losses)
        else:
            self._pass(inputs, targets, losses)
        self.penalize()

    def micro_batches(self, rows: int) -> list[slice]:
        """The rows that a training pass over so many takes at once, one portion after another; all, if it can."""
        if not self.can_microbatch or rows <= self.micro_batch_rows:
            return [slice(0, rows)]
        size = balanced_chunk(rows, self.micro_batch_rows)
        return [slice(start, min(start + size, rows)) for start in range(0, rows, size)]

    def _pass(self, inputs: Array, targets: Array, losses: Array | None) -> None:
        outputs = self.forward(inputs, training=True)
        if losses is not None:
            losses[...] = self.loss.forward(outputs, targets)
        self._backward(targets)

    def _accumulate_gradients(self, inputs: Array, targets: Array, losses: Array | None) -> None:
        """The mean over all rows is that of the portions' means, each weighted by its share of the rows."""
        rows, gradients = len(inputs), self.parameters.gradients
        total = np.zeros_like(gradients)
        for some in self.micro_batches(rows):
            self._pass(inputs[some], targets[some], losses if losses is None else losses[some])
            np.multiply(gradients, len(self.outputs) / rows, out=gradients)
            np.add(total, gradients, out=total)
        gradients[...] = total

    def backward(self, targets: Array) -> None:
        """Fill the gradients of loss and penalties, forward being done; ``targets`` (N, M) as the loss encodes them."""
        self._backward(targets)
        self.penalize()

    def _backward(self, targets: Array) -> None:
        backward = self.loss.backward_fused if self.is_fused else self.loss.backward
        grad = backward(self.outputs, targets)
        for layer in self.backward_layers:
            grad = layer.backward(grad)
        self.first_trainable.parameter_gradients(grad)

    def penalize(self) -> None:
        """Add the gradients of all penalties to those that are there."""
        for penalty in self.penalties:
            penalty.backward()

    def predict(self, inputs: Array) -> Array:
        """Outputs (N, M) of inputs (N, D) of any number format outside training, in an array of their own."""
        outputs = np.empty((len(inputs), self.widths[-1]), self.dtype, order="F")
        for start in range(0, len(inputs), self.micro_batch_rows):
            some = slice(start, start + self.micro_batch_rows)
            outputs[some] = self.forward(inputs[some])
        return outputs

    def data_loss(self, outputs: Array, targets: Array) -> float:
        """The mean loss of the rows, without penalties."""
        return average(self.loss.forward(outputs, targets))

    def regularization_loss(self) -> float:
        """The sum of all penalties."""
        return sum((penalty.forward() for penalty in self.penalties), 0.0)
