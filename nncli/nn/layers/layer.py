"""The interface of a layer, and the ownership of arrays."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from nncli.data.dataset import Random
from nncli.nn.kernels.buffers import BufferPool
from nncli.nn.parameters import Array, Shape
from nncli.nn.penalties import Penalty
from nncli.registry import kind

NO_INPUT = np.empty((0, 0))


@kind("layer")
class Layer:
    """One layer of a network: a forward pass from inputs (N, D) to outputs (N, M), and the backward pass.

    Ownership: the arrays that ``forward`` and ``backward`` return belong to the layer and are overwritten by the next
    call of the same method; an identity returns its argument. Arguments are never written to. ``backward`` requires a
    ``forward`` pass of the same rows before, with inputs that are still unchanged.

    Buffers and views of them are looked up once per input array rather than in every step, since in small networks the
    lookup would take a large part of the time. Every ``forward`` begins with

        if inputs is not self.inputs:
            self.bind_inputs(inputs)

    and ``bind_inputs``, extended by subclasses, does the work that is needed once per input array. The layer keeps the
    array until it gets another one: the array may be refilled, but not reshaped. A layer that copies its inputs clears
    the reference with ``self.inputs = NO_INPUT``, and so copies them in every pass. The column of ones that follows a
    buffer is shared and read-only.
    """

    stochastic: ClassVar[bool] = False
    default_initializer_of_previous: ClassVar[str | None] = "glorot"  # None: that of the next layer
    min_batch_size: ClassVar[int] = 1  # rows that a training pass needs
    couples_rows: ClassVar[bool] = False  # whether outputs of a row depend on other rows in training

    def width(self, inputs: int) -> int:
        """The number of outputs for a number of inputs."""
        return inputs

    def shapes(self, inputs: int) -> dict[str, Shape]:
        """The shapes of the trainable parameters by name; most layers have none."""
        return {}

    def statistics(self, inputs: int) -> dict[str, Shape]:
        """The shapes of the non-trainable parameters (running statistics) by name; they are saved with the weights."""
        return {}

    def multiply_adds(self, inputs: int) -> int:
        """Multiply-accumulate operations (MACs) of matrix products per row in a forward pass."""
        return 0

    def attach(self, values: Mapping[str, Array], gradients: Mapping[str, Array], dtype: np.dtype[Any]) -> None:
        """Store the layer's views of parameters and gradients, and create its buffers; statistics have no gradients."""
        self.buffer = BufferPool(dtype)
        self.inputs = NO_INPUT

    def initialize(self, rng: Random) -> None:
        """Draw the initial parameters, and set the running statistics."""

    def set_rng(self, rng: Random) -> None:
        """Set the random generator of a layer that draws random numbers."""

    def penalties(self) -> Sequence[Penalty]:
        """The regularization penalties on the layer's parameters."""
        return ()

    def prefers_row_major(self, inputs: Array) -> bool:
        """Whether inputs (N, D) of any dtype stay row-major instead of being copied column-major."""
        return False

    def bind_inputs(self, inputs: Array) -> None:
        """Look up the buffers for these inputs (N, D); ``forward`` calls it when it gets another array than before."""
        rows, columns = inputs.shape
        self.inputs = inputs
        self.outputs = self.buffer["outputs", rows, self.width(columns)]
        self.d_inputs = self.buffer["d_inputs", rows, columns]

    def forward(self, inputs: Array, training: bool = False) -> Array:
        """Outputs (N, M) of inputs (N, D); some layers behave differently in training."""
        raise NotImplementedError(f"{type(self).__name__} has no forward")

    def backward(self, grad: Array) -> Array:
        """dL/d inputs (N, D) from ``grad`` = dL/d outputs (N, M); also fills the gradients of the parameters."""
        raise NotImplementedError(f"{type(self).__name__} has no backward")

    def parameter_gradients(self, grad: Array) -> None:
        """Fill the gradients of the parameters only, which is enough for the first trainable layer."""

    def intermediates(self) -> dict[str, Array]:
        """Intermediate values of the last forward pass that the formula names."""
        return {}

    def differences(self) -> Sequence[tuple[Array, Array]]:
        """Differences of the last forward pass that ``backward`` uses, each with the magnitude of its operands.

        Because of cancellation, the rounding error is relative to that magnitude, which can exceed the difference.
        """
        return ()

    def backward_terms(self, grad: Array) -> Array | None:
        """The magnitude (D,) of the terms that ``backward`` sums for each input; None if it is not known."""
        return None

    def kink_distances(self) -> Array | None:
        """Signed distance of each value of the last forward pass from the layer's kink; None if it has none."""
        return None
