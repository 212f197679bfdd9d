"""The interface of a layer."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, NamedTuple

from nncli.data.dataset import Random
from nncli.nn.kernels.memory import ArraySpec
from nncli.nn.parameters import Array, Shape
from nncli.nn.penalties import Penalty
from nncli.registry import kind


class PassSpec(NamedTuple):
    """What the arrays of one pass through a network depend on; passes with equal specs share their arrays.

    Args:
        rows: the number of rows N.
        training: whether it is a training pass, which backward may follow.
        row_major: whether the first layer gets row-major inputs.
    """

    rows: int
    training: bool = False
    row_major: bool = False


@kind("layer")
class Layer:
    """One layer of a network: a forward pass from inputs X (N, D) to outputs Y (N, M), and the backward pass.

        forward:   inputs → outputs             backward:   d_outputs → d_inputs, and the gradients of the parameters

    These four arrays are attributes that ``bind`` sets: the outputs of a layer are the inputs of the next one, and its
    d_inputs are the d_outputs of the layer before. They and the scratch arrays are views of one block of memory, see
    ``PassPlan``. ``forward`` writes to outputs and scratch only, and ``backward`` to d_inputs, scratch and the
    gradients of the parameters. Outputs that backward needs stay until the next pass, and d_inputs until the layer
    before has used them.
    """

    stochastic: ClassVar[bool] = False
    default_initializer_of_previous: ClassVar[str | None] = "glorot"  # None: the next layer decides
    min_batch_size: ClassVar[int] = 1  # rows that a training pass needs
    couples_rows: ClassVar[bool] = False  # whether outputs of a row depend on other rows in training
    couples_columns: ClassVar[bool] = False  # whether an output depends on other columns, in a layer without parameters
    needs_ones_column: ClassVar[bool] = False  # whether its inputs are followed by a column of ones: [X 1]
    in_place: ClassVar[bool] = False  # whether outputs may overwrite inputs, which backward does not use
    needs_outputs: ClassVar[bool] = False  # whether backward uses the outputs

    inputs: Array
    outputs: Array
    d_outputs: Array
    d_inputs: Array
    training: bool

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

    def attach(self, values: Mapping[str, Array], gradients: Mapping[str, Array]) -> None:
        """Store the layer's views of parameters and gradients; statistics have no gradients."""

    def initialize(self, rng: Random) -> None:
        """Draw the initial parameters, and set the running statistics."""

    def set_rng(self, rng: Random) -> None:
        """Set the random generator of a layer that draws random numbers."""

    def penalties(self) -> Sequence[Penalty]:
        """The regularization penalties on the layer's parameters."""
        return ()

    def prefers_row_major(self, inputs: int) -> bool:
        """Whether row-major inputs with this number of columns stay row-major instead of being copied column-major."""
        return False

    def is_identity(self, training: bool) -> bool:
        """Whether outputs and inputs of a pass are the same array, and so are their gradients."""
        return False

    def scratch(self, spec: PassSpec, inputs: int) -> dict[str, ArraySpec]:
        """The other arrays that a pass needs, by the names of the attributes that ``bind`` sets.

        Args:
            spec: what the arrays of the pass depend on.
            inputs: the number of input columns D.
        """
        return {}

    def load(self, inputs: Array) -> None:
        """Fill the inputs with those of the network, X (N, D) of any dtype; only called for the first layer."""
        self.inputs[...] = inputs

    def bind(self, spec: PassSpec, arrays: Mapping[str, Array]) -> None:
        """Set the arrays of a pass as attributes; a subclass extends it by views of them.

        Args:
            spec: what the arrays depend on.
            arrays: outputs; inputs unless they are row-major, and inputs_and_ones if ``needs_ones_column``; d_outputs
                and d_inputs if the gradient of the pass goes through the layer; those of ``scratch``.
        """
        self.training = spec.training
        for name, array in arrays.items():
            setattr(self, name, array)

    def draw(self) -> None:
        """Draw the random numbers of a training pass without the rest of ``forward``."""

    def forward(self) -> Array:
        """Fill the outputs (N, M), and return them."""
        raise NotImplementedError(f"{type(self).__name__} has no forward")

    def backward(self) -> Array:
        """Fill d_inputs (N, D), dL/d inputs, and the gradients of the parameters; return d_inputs."""
        raise NotImplementedError(f"{type(self).__name__} has no backward")

    def parameter_gradients(self) -> None:
        """Fill the gradients of the parameters only, which is enough for the first trainable layer."""

    def intermediates(self) -> dict[str, Array]:
        """Intermediate values of the last forward pass that the formula names."""
        return {}

    def differences(self) -> Sequence[tuple[Array, Array]]:
        """Differences of the last forward pass that ``backward`` uses, each with the magnitude of its operands.

        Because of cancellation, the rounding error is relative to that magnitude, which can exceed the difference.
        """
        return ()

    def backward_terms(self) -> Array | None:
        """The magnitude (D,) of the terms that ``backward`` sums for each input; None if it is not known."""
        return None

    def kink_distances(self) -> Array | None:
        """Signed distance of each value of the last forward pass from the layer's kink; None if it has none."""
        return None
