"""What every layer can do, and who owns which array."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from nncli.nn.kernels.buffers import BufferPool
from nncli.nn.kernels.dropout_mask import Random
from nncli.nn.parameters import Array, Shape
from nncli.nn.penalties import Penalty
from nncli.registry import kind

NO_INPUT = np.empty((0, 0))


@kind("layer")
class Layer:
    """One step of a network, from inputs (N, D) to outputs (N, M), and back.

    Ownership: what ``forward`` and ``backward`` return belongs to the layer until the next call of the same method; it
    may be the argument itself, where nothing is to be done. Arguments are never written to. ``backward`` follows a
    ``forward`` of the same rows, whose inputs are as they were.

    The arrays that a pass fills, and views of them, are looked up when the inputs are another array than in the last
    pass, and not at every step: at the book's size that would be a third of its time. Every ``forward`` begins with

        if inputs is not self.inputs:
            self.bind_inputs(inputs)

    and ``arrange`` does what is to be done once for an array, after that of its base. An array that was passed is held
    until another comes: it may be filled again, but not reshaped. A layer that copies its inputs forgets them, by
    ``self.inputs = NO_INPUT``, and so copies them at every pass. The ones behind a buffer are everybody's; nobody writes
    there.
    """

    stochastic: ClassVar[bool] = False
    default_initializer_of_previous: ClassVar[str | None] = "glorot"  # None: the layer behind this one decides
    min_batch_size: ClassVar[int] = 1  # that a training pass needs
    couples_rows: ClassVar[bool] = False  # whether what comes out for a row depends on the others in a training pass

    def width(self, inputs: int) -> int:
        """How many columns come out where ``inputs`` columns go in."""
        return inputs

    def shapes(self, inputs: int) -> dict[str, Shape]:
        """The arrays that the layer trains, by their names in it; most layers train none."""
        return {}

    def statistics(self, inputs: int) -> dict[str, Shape]:
        """The arrays that training passes fill and no optimizer moves; they are saved with what is trained."""
        return {}

    def multiply_adds(self, inputs: int) -> int:
        """Products summed for one row in a forward pass; element-wise work is not counted."""
        return 0

    def attach(self, values: Mapping[str, Array], gradients: Mapping[str, Array], dtype: np.dtype[Any]) -> None:
        """Take the views that belong to the layer, and make its workspace; statistics have no gradients."""
        self.buffer = BufferPool(dtype)
        self.inputs = NO_INPUT

    def initialize(self, rng: Random) -> None:
        """Draw the first values of what the layer trains, and set its statistics."""

    def set_rng(self, rng: Random) -> None:
        """Take random numbers from this stream from now on, where the layer needs any."""

    def penalties(self) -> Sequence[Penalty]:
        """The penalties on what the layer trains."""
        return ()

    def prefers_row_major(self, inputs: Array) -> bool:
        """Whether inputs (N, D) of any number format are to stay row by row, as they lie, and not go by columns."""
        return False

    def bind_inputs(self, inputs: Array) -> None:
        """Look up what passes over these inputs (N, D) fill; called by ``forward`` where they are another array."""
        rows, columns = inputs.shape
        self.inputs = inputs
        self.outputs = self.buffer["outputs", rows, self.width(columns)]
        self.d_inputs = self.buffer["d_inputs", rows, columns]

    def forward(self, inputs: Array, training: bool = False) -> Array:
        """Outputs (N, M) of inputs (N, D); ``training`` is for the layers that behave differently then."""
        raise NotImplementedError(f"{type(self).__name__} has no forward")

    def backward(self, grad: Array) -> Array:
        """dL/d inputs (N, D) from ``grad`` = dL/d outputs (N, M); fills the gradients of what the layer trains."""
        raise NotImplementedError(f"{type(self).__name__} has no backward")

    def parameter_gradients(self, grad: Array) -> None:
        """The part of ``backward`` that fills gradients; all that is needed of the lowest layer."""

    def intermediates(self) -> dict[str, Array]:
        """What the last forward pass had between inputs and outputs, as far as the formula names it."""
        return {}

    def differences(self) -> Sequence[tuple[Array, Array]]:
        """Differences that the last forward pass left for ``backward``, each with the magnitude of what it subtracted.

        Cancellation makes their rounding error relative to that magnitude, which may be larger than the difference.
        """
        return ()

    def backward_terms(self, grad: Array) -> Array | None:
        """The magnitude (D,) of the terms that ``backward`` sums for each column; None where no formula is known."""
        return None

    def kink_distances(self) -> Array | None:
        """How far each number of the last forward pass lies from the layer's kink, signed; None where it has none."""
        return None
