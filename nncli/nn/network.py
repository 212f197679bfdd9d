"""A feed-forward network: a stack of layers with a loss, trained by backpropagation."""

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import Any

import numpy as np

from nncli.data.dataset import Random, some_weights
from nncli.nn.kernels.alignment import zeros
from nncli.nn.kernels.blas import one_blas_thread
from nncli.nn.layers.layer import Layer, PassSpec
from nncli.nn.losses.loss import Loss, average, is_fused
from nncli.nn.microbatching import ROWWISE_ROWS, balanced_chunk, can_microbatch, micro_batch_rows, padded_rows
from nncli.nn.parameters import Allocate, Array, Parameters, of_layer
from nncli.nn.pass_plan import PassArrays, PassPlan, layers_with_gradient
from nncli.nn.shapes import shapes, statistics, widths
from nncli.threads import SharedIterator, ThreadPool

LOSS_ROWS = 2**18  # rows whose losses are computed at once when a network is evaluated
MAX_PASSES = 8  # passes whose arrays are kept; those of the oldest one are freed


class Network:
    """A sequence of layers, its loss, and its trainable parameters.

        forward:   X → layer 0 → layer 1 → … → outputs
        backward:  dL/d outputs → … → layer 1 → layer 0, each layer filling the gradients of its parameters

    The gradient with respect to the data is not needed: the backward pass ends at the first trainable layer, which only
    computes the gradients of its parameters. A batch that does not fit the cache is split into micro-batches, whose
    gradients are accumulated.

        L = (1/N) Σ w_i L_i               w_i the weight of row i, 1 by default; penalties have none
        dL/d outputs: row i is w_i times the gradient of the loss without weights

    All arrays of a pass are planned for its number of rows (``PassPlan``); ``bind`` hands them to the layers.

    ``backward_layers`` are the layers of which the backward pass computes d_inputs, last layer first; it ends at
    ``first_trainable``, and with ``input_gradient`` at a layer that does nothing. ``is_fused`` says whether the last
    layer and the loss have one fused gradient.

    Args:
        layers: the layers, at least one of them with trainable parameters.
        loss: the loss function of the outputs.
        inputs: number of input features.
        dtype: dtype of parameters and activations; losses and metrics are accumulated in float64.
        fused: whether the gradient through the loss and the last layer is computed by one formula, if there is one.
        input_gradient: whether the backward pass also computes dL/dX of the data, which training does not need.
        rowwise: whether the outputs of a row at inference do not depend on the other rows, bit for bit. BLAS rounds
            differently for another number of rows, so that each pass then has the same number of them; in float32 some
            of its kernels even round by the position of a row, so that passes are in float64.
        inference: a network of the same layers that computes the outputs at inference; this network itself if None.
        allocate: allocates the vectors of the parameters and of their gradients.

    Raises:
        ValueError: no layer has trainable parameters.
    """

    def __init__(
        self,
        layers: Sequence[Layer],
        loss: Loss,
        inputs: int,
        dtype: np.dtype[Any],
        fused: bool = True,
        input_gradient: bool = False,
        *,
        rowwise: bool = False,
        inference: "Network | None" = None,
        allocate: Allocate = zeros,
    ) -> None:
        self.loss, self.dtype, self.widths = loss, dtype, widths(layers, inputs)
        trainable = shapes(layers, inputs)
        if not trainable:
            raise ValueError("the network has no trainable parameters")
        self.parameters = Parameters(trainable, dtype, statistics(layers, inputs), allocate)
        self.loss.attach(dtype)
        self.is_fused = fused and is_fused(layers[-1], loss)
        self._input_gradient, self._keeps_activations = input_gradient, False
        self._with_gradient = layers_with_gradient(layers, inputs, self.is_fused, input_gradient)
        self.set_layers(layers)
        self.stochastic = any(layer.stochastic for layer in layers)
        self.micro_batch_rows = micro_batch_rows(layers, inputs, dtype)
        self.can_microbatch = can_microbatch(layers)
        self._prefers_row_major = layers[0].prefers_row_major(inputs)
        self.inference = inference
        self.inference_rows = min(self.micro_batch_rows, ROWWISE_ROWS) if rowwise else None
        self.penalties = [penalty for layer in layers for penalty in layer.penalties()]
        self.use_threads(ThreadPool(1))

    def set_layers(self, layers: Sequence[Layer]) -> None:
        """Attach the layers to the parameters and gradients; no pass is bound then."""
        self.layers = tuple(layers)
        values, gradients = (
            self.parameters.views(vector) for vector in (self.parameters.values, self.parameters.gradients)
        )
        for index, layer in enumerate(self.layers):
            layer.attach(of_layer(index, values), of_layer(index, gradients))
        through = self._with_gradient if self._input_gradient else self._with_gradient[:-1]
        self.backward_layers = [self.layers[index] for index in through]
        self.first_trainable = Layer() if self._input_gradient else self.layers[self._with_gradient[-1]]
        self._passes: dict[PassSpec, PassArrays] = {}
        self.bound: PassSpec | None = None

    def use_threads(self, pool: ThreadPool) -> None:
        """Divide the rows of predictions among the threads of a pool from now on."""
        self._pool = pool
        self._replicas = [self._replica() for _ in range(pool.count - 1)]
        if self.inference:
            self.inference.use_threads(pool)

    def _replica(self) -> "Network":
        """A network with the same parameters, but its own layers and activations."""
        replica = copy.copy(self)
        replica._replicas = []
        replica.set_layers([copy.copy(layer) for layer in self.layers])
        return replica

    @contextmanager
    def without_replicas(self) -> Iterator[None]:
        """Compute all rows in the layers of this network, so that an observer of the layers sees all of them."""
        before, self._replicas = self._replicas, []
        try:
            with self.inference.without_replicas() if self.inference else nullcontext():
                yield
        finally:
            self._replicas = before

    def keep_activations(self) -> None:
        """Keep the inputs and outputs of all layers until the next pass, from now on; else some are overwritten."""
        if not self._keeps_activations:
            self._keeps_activations, self._passes, self.bound = True, {}, None

    def initialize(self, rng: Random) -> None:
        """Draw the initial weights, first layer first."""
        for layer in self.layers:
            layer.initialize(rng)

    def set_rng(self, rng: Random) -> None:
        """Set the random generator of the layers that need one."""
        for layer in self.layers:
            layer.set_rng(rng)

    def bind(self, spec: PassSpec) -> None:
        """Hand the arrays of a pass to the layers; they are planned and allocated at the first pass with this spec."""
        if spec not in self._passes:
            if len(self._passes) == MAX_PASSES:
                del self._passes[next(iter(self._passes))]
            self._passes[spec] = self.plan(spec).allocate()
        arrays, self.bound = self._passes[spec], None  # also if Ctrl-C interrupts the loop
        for layer, bound in zip(self.layers, arrays.layers, strict=True):
            layer.bind(*bound)
        self.outputs, self._d_outputs, self.bound = self.layers[-1].outputs, arrays.loss_gradient, spec

    def plan(self, spec: PassSpec) -> PassPlan:
        """The memory plan of a pass."""
        backward = self._with_gradient if spec.training else ()
        options = {"input_gradient": self._input_gradient, "keep_activations": self._keeps_activations}
        return PassPlan(spec, self.layers, self.widths[0], self.dtype, backward, **options)

    def load(self, inputs: Array, training: bool = False) -> Array:
        """Bind the pass that inputs (N, D) of any dtype need, and load them into the first layer; return its inputs."""
        row_major = self._prefers_row_major and inputs.flags.c_contiguous
        spec = len(inputs), training, row_major  # made faster than a PassSpec, which it equals
        if spec != self.bound:
            self.bind(PassSpec(*spec))
        first = self.layers[0]
        first.load(inputs)
        return first.inputs

    def forward(self, inputs: Array, training: bool = False) -> Array:
        """Outputs (N, M) of inputs (N, D) of any dtype; the next pass overwrites them."""
        self.load(inputs, training)
        for layer in self.layers:
            layer.forward()
        return self.outputs

    def forward_backward(
        self, inputs: Array, targets: Array, losses: Array | None = None, weights: Array | None = None
    ) -> None:
        """Forward and backward pass: fill the gradients of loss and penalties, averaged over the rows.

        Args:
            inputs: (N, D).
            targets: (N, M), encoded by the loss.
            losses: (N,), filled with the weighted loss of each row, without penalties, if given.
            weights: (N,), those of the rows in the loss; None if all are 1.
        """
        if self.can_microbatch and len(inputs) > self.micro_batch_rows:
            self._accumulate_gradients(inputs, targets, losses, weights)
        else:
            self._forward_backward(inputs, targets, losses, weights)
        self.penalize()

    def micro_batches(self, rows: int) -> list[slice]:
        """The micro-batches of a training pass over ``rows`` rows; a single one if they fit or cannot be split."""
        size = balanced_chunk(rows, self.micro_batch_rows) if self.can_microbatch else rows
        return [slice(start, min(start + size, rows)) for start in range(0, rows, size)]

    def _forward_backward(self, inputs: Array, targets: Array, losses: Array | None, weights: Array | None) -> None:
        outputs = self.forward(inputs, training=True)
        if losses is not None:
            losses[...] = self.losses(outputs, targets, weights)
        self._backward(targets, weights)

    def _accumulate_gradients(self, inputs: Array, targets: Array, losses: Array | None, weights: Array | None) -> None:
        """Gradient accumulation: average the gradients of the micro-batches, weighted by their numbers of rows."""
        count, gradients = len(inputs), self.parameters.gradients
        total = np.zeros_like(gradients)
        for rows in self.micro_batches(count):
            some_losses = losses if losses is None else losses[rows]
            self._forward_backward(inputs[rows], targets[rows], some_losses, some_weights(weights, rows))
            np.multiply(gradients, len(self.outputs) / count, out=gradients)
            np.add(total, gradients, out=total)
        gradients[...] = total

    def backward(self, targets: Array, weights: Array | None = None) -> None:
        """Backward pass after ``forward``: fill the gradients of loss and penalties; targets (N, M), weights (N,)."""
        self._backward(targets, weights)
        self.penalize()

    def _backward(self, targets: Array, weights: Array | None) -> None:
        self.loss_gradient(targets, weights)
        for layer in self.backward_layers:
            layer.backward()
        self.first_trainable.parameter_gradients()

    def loss_gradient(self, targets: Array, weights: Array | None = None) -> Array:
        """Fill dL/d outputs (N, M), or dL/dZ of the inputs of the last layer if fused, and return it."""
        backward = self.loss.backward_fused if self.is_fused else self.loss.backward
        grad = backward(self.outputs, targets, self._d_outputs)
        return grad if weights is None else np.multiply(grad, weights[:, np.newaxis], out=grad)  # w_i times row i

    def penalize(self) -> None:
        """Add the gradients of the regularization penalties to those of the loss."""
        for penalty in self.penalties:
            penalty.backward()

    def predict(self, inputs: Array) -> Array:
        """Outputs (N, M) of inputs (N, D) of any dtype at inference, in a new array."""
        network = self.inference or self
        if self.inference:
            self.inference.parameters.values[...] = self.parameters.values
        outputs = np.empty((len(inputs), self.widths[-1]), self.dtype, order="F")
        size = network.inference_rows or network.micro_batch_rows
        with one_blas_thread():
            starts = range(0, len(inputs), size)
            remaining = SharedIterator(starts)
            networks = [network, *network._replicas][: len(starts)]
            if networks:
                self._pool.run([partial(each._predict_chunks, inputs, outputs, size, remaining) for each in networks])
        return outputs

    def _predict_chunks(self, inputs: Array, outputs: Array, size: int, starts: SharedIterator[int]) -> None:
        """Fill the outputs (N, M) of inputs (N, D) at inference, in chunks of ``size`` rows, given their first rows."""
        with starts:
            for start in starts:
                rows = inputs[start : start + size]
                padded = padded_rows(rows, size) if self.inference_rows else rows
                outputs[start : start + size] = self.forward(padded)[: len(rows)]

    def losses(self, outputs: Array, targets: Array, weights: Array | None = None) -> Array:
        """The loss w_i L_i of each row (N,), without penalties."""
        losses = self.loss.forward(outputs, targets)
        return losses if weights is None else losses * weights

    def data_loss(self, outputs: Array, targets: Array, weights: Array | None = None) -> float:
        """(1/N) Σ w_i L_i, the mean loss of the rows without penalties."""
        if len(outputs) <= LOSS_ROWS:
            return average(self.losses(outputs, targets, weights))
        blocks = [slice(start, start + LOSS_ROWS) for start in range(0, len(outputs), LOSS_ROWS)]
        losses = [self.losses(outputs[rows], targets[rows], some_weights(weights, rows)) for rows in blocks]
        return average(np.concatenate(losses))

    def regularization_loss(self) -> float:
        """The sum of all penalties."""
        return sum((penalty.forward() for penalty in self.penalties), 0.0)
