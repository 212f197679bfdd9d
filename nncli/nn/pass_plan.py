"""The memory plan of a pass through a network: all activations and gradients of a number of rows."""

from collections.abc import Sequence
from itertools import cycle
from typing import Any, NamedTuple

import numpy as np

from nncli.nn.kernels.memory import Arena, ArraySpec, MemoryPlan, Slot
from nncli.nn.layers.layer import Layer, PassSpec
from nncli.nn.parameters import Array
from nncli.nn.shapes import widths


class PassArrays(NamedTuple):
    """The arrays of a pass.

    Args:
        layers: for each layer the arguments of ``Layer.bind``: its spec, and its arrays by the names of its attributes.
        loss_gradient: dL/d outputs (N, M) of the last layer through which the gradient passes; None at inference.
    """

    layers: list[tuple[PassSpec, dict[str, Array]]]
    loss_gradient: Any


def layers_with_gradient(layers: Sequence[Layer], inputs: int, is_fused: bool, input_gradient: bool = False) -> range:
    """The indices of the layers that get dL/d outputs, last one first.

    Args:
        layers: those of a network.
        inputs: its number of input columns.
        is_fused: whether the last layer and the loss have one fused gradient, dL/d outputs of the layer before.
        input_gradient: whether the gradient goes down to the data, and not only to the first trainable layer.
    """
    trainable = (index for index, layer in enumerate(layers) if layer.shapes(widths(layers, inputs)[index]))
    return range(len(layers) - 1 - is_fused, (0 if input_gradient else next(trainable, 0)) - 1, -1)


class PassPlan:
    """The slots of all arrays of a pass in one arena.

        activations    inputs X and the outputs of each layer; the outputs of an identity are its inputs, and other
                       layers overwrite their inputs if no backward needs them, unless ``keep_activations``
        scratch        what else a layer needs
        gradients      two slots, alternately: dL/d outputs of a layer is needed until dL/d inputs is computed

    A column of ones follows the inputs of a dense layer: [X 1].

    Args:
        spec: what the arrays of the pass depend on.
        layers: those of the network.
        inputs: its number of input columns D.
        dtype: of all arrays.
        backward: the indices of the layers that get a gradient, last one first; none at inference.
        input_gradient: whether the last of these also computes dL/dX.
        keep_activations: whether the inputs and outputs of all layers stay until the next pass.
    """

    def __init__(
        self,
        spec: PassSpec,
        layers: Sequence[Layer],
        inputs: int,
        dtype: np.dtype[Any],
        backward: Sequence[int] = (),
        *,
        input_gradient: bool = False,
        keep_activations: bool = False,
    ) -> None:
        self.spec, self.layers, self.keep_activations = spec, layers, keep_activations
        self.backward, self.input_gradient = backward, input_gradient
        self.widths = widths(layers, inputs)
        self._memory = MemoryPlan(dtype)
        self._activations = self._planned_activations()
        self._scratch = [self._planned_scratch(index) for index in range(len(layers))]
        self._gradients = self._planned_gradients() if self.backward else []

    @property
    def nbytes(self) -> int:
        """The size of the arena."""
        return self._memory.nbytes

    @property
    def resident_bytes(self) -> int:
        """The part of it that takes physical memory, see ``MemoryPlan``."""
        return self._memory.resident_bytes

    def allocate(self) -> PassArrays:
        """Allocate the arena, and return all arrays."""
        arena, arrays = self._memory.allocate(), []
        activations = [self._activation_arrays(index, arena) for index in range(len(self.widths))]
        for index, slots in enumerate(self._scratch):
            scratch = {name: arena.array(slot) for name, slot in slots.items()}
            arrays.append({**scratch, **activations[index], "outputs": activations[index + 1]["inputs"]})
        loss_gradient = self._add_gradients(arrays, arena) if self.backward else None
        specs = map(self._layer_spec, range(len(self.layers)))
        return PassArrays(list(zip(specs, arrays, strict=True)), loss_gradient)

    def _layer_spec(self, index: int) -> PassSpec:
        """The spec for one layer: only the first one may have row-major inputs."""
        return self.spec if index == 0 else self.spec._replace(row_major=False)

    def _is_identity(self, index: int) -> bool:
        return self.layers[index].is_identity(self.spec.training)

    def _shares_memory(self, index: int) -> bool:
        """Whether the outputs of a layer are in the memory of its inputs."""
        if self._is_identity(index):
            return True
        if self.keep_activations or not self.layers[index].in_place or (index == 0 and self.spec.row_major):
            return False
        computed_by = next((self.layers[each] for each in range(index)[::-1] if not self._is_identity(each)), None)
        return not (self.backward and computed_by and computed_by.needs_outputs)

    def _has_ones(self, index: int) -> bool:
        """Whether a column of ones follows the inputs of a layer, or its outputs in the same memory."""
        if index == len(self.layers):
            return False
        return self.layers[index].needs_ones_column or (self._shares_memory(index) and self._has_ones(index + 1))

    def _planned_activations(self) -> list[Slot | None]:
        """The inputs of each layer, and the outputs of the last one; row-major inputs stay where they are."""
        slots: list[Slot | None] = []
        for index, width in enumerate(self.widths):
            if index == 0 and self.spec.row_major:
                slots.append(None)
            elif index and self._shares_memory(index - 1):
                slots.append(slots[-1])
            else:
                slots.append(self._memory.add(ArraySpec(self.spec.rows, width + self._has_ones(index))))
        return slots

    def _planned_scratch(self, index: int) -> dict[str, Slot]:
        """The scratch arrays of a layer by name."""
        specs = self.layers[index].scratch(self._layer_spec(index), self.widths[index])
        return {name: self._memory.add(spec) for name, spec in specs.items()}

    def _planned_gradients(self) -> list[Slot]:
        """Two slots as wide as the widest gradient, or one if there is a single gradient."""
        lowest = self.backward[-1] + (0 if self.input_gradient else 1)
        columns = self.widths[lowest : self.backward[0] + 2]
        return [self._memory.add(ArraySpec(self.spec.rows, max(columns))) for _ in range(min(2, len(columns)))]

    def _activation_arrays(self, index: int, arena: Arena) -> dict[str, Array]:
        """The inputs of a layer, with their column of ones, or the outputs of the last one."""
        slot, width = self._activations[index], self.widths[index]
        if slot is None:
            return {}
        inputs, extended = arena.array(slot, width), arena.array(slot)
        if not self._has_ones(index):
            return {"inputs": inputs}
        extended[:, width] = 1
        return {"inputs": inputs, "inputs_and_ones": extended}

    def _add_gradients(self, arrays: list[dict[str, Array]], arena: Arena) -> Array:
        """Add the gradients of each layer, and return that of the loss."""
        slots = cycle(self._gradients)
        grad = loss_gradient = arena.array(next(slots), self.widths[self.backward[0] + 1])
        for index in self.backward:
            arrays[index]["d_outputs"] = grad
            if index == self.backward[-1] and not self.input_gradient:
                break
            if not self._is_identity(index):
                grad = arena.array(next(slots), self.widths[index])
            arrays[index]["d_inputs"] = grad
        return loss_gradient


def bind_standalone(layer: Layer, spec: PassSpec, inputs: int, dtype: np.dtype[Any]) -> None:
    """Bind a layer that belongs to no network to the arrays of a pass, with all gradients."""
    plan = PassPlan(spec, [layer], inputs, dtype, [0], input_gradient=True, keep_activations=True)
    layer.bind(*plan.allocate().layers[0])
