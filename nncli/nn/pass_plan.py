"""The memory plan of a pass through a network: all activations and gradients of a number of rows."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from nncli.nn.kernels.memory import Buffer, Memory, MemoryPlan, Place
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
    return range(len(layers) - 1 - is_fused, (0 if input_gradient else next(trainable)) - 1, -1)


class PassPlan:
    """Places of all arrays of a pass; ``nbytes`` is the size of its block of memory.

        activations    inputs X and the outputs of each layer; those of an identity are its inputs, and other layers
                       overwrite their inputs if no backward needs them (``keeps_all`` prevents it)
        gradients      two areas, in turn: dL/d outputs of a layer is needed until dL/d inputs is computed
        scratch        what else a layer needs

    A column of ones follows the inputs of a dense layer: [X 1].

    Args:
        spec: what the arrays of the pass depend on.
        layers: those of the network.
        inputs: its number of input columns D.
        dtype: of all arrays.
        backward: the indices of the layers that get a gradient, last one first.
        input_gradient: whether the last of these also computes dL/dX.
        keeps_all: whether the inputs and outputs of all layers stay until the next pass.
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
        keeps_all: bool = False,
    ) -> None:
        self.spec, self.layers, self.keeps_all = spec, layers, keeps_all
        self.backward, self.input_gradient = backward, input_gradient
        self.widths = widths(layers, inputs)
        self._memory = MemoryPlan(dtype)
        self._activations = self._planned_activations()
        self._scratch = [
            {name: self._memory.add(buffer) for name, buffer in layer.scratch(self._layer_spec(index), width).items()}
            for index, (layer, width) in enumerate(zip(layers, self.widths, strict=False))
        ]
        self._areas = self._planned_gradients() if self.backward else []

    @property
    def nbytes(self) -> int:
        """The size of the block of memory."""
        return self._memory.nbytes

    @property
    def resident_bytes(self) -> int:
        """The part of it that takes memory, without zeros that are only read."""
        return self._memory.resident_bytes

    def _layer_spec(self, index: int) -> PassSpec:
        """The pass as a layer sees it: only the first one may have row-major inputs."""
        return self.spec if index == 0 else self.spec._replace(row_major=False)

    def allocate(self) -> PassArrays:
        """Allocate the block, and return all arrays."""
        memory = self._memory.allocate()
        arrays = [{name: memory.array(place) for name, place in scratch.items()} for scratch in self._scratch]
        activations = [self._activation_arrays(index, memory) for index in range(len(self.widths))]
        for index, of_layer in enumerate(arrays):
            of_layer.update(activations[index], outputs=activations[index + 1]["inputs"])
        passes = map(self._layer_spec, range(len(arrays)))
        return PassArrays(
            list(zip(passes, arrays, strict=True)), self._add_gradients(arrays, memory) if self.backward else None
        )

    def _is_identity(self, index: int) -> bool:
        return self.layers[index].is_identity(self.spec.training)

    def _has_no_outputs(self, index: int) -> bool:
        """Whether the outputs of a layer are where its inputs are."""
        if self._is_identity(index):
            return True
        if self.keeps_all or not self.layers[index].in_place or (index == 0 and self.spec.row_major):
            return False
        before = next((layer for layer in self.layers[:index][::-1] if not layer.is_identity(self.spec.training)), None)
        return not (self.backward and before and before.needs_outputs)

    def _has_ones(self, index: int) -> bool:
        """Whether a column of ones follows the inputs of a layer, or its outputs if they are there as well."""
        if index == len(self.layers):
            return False
        return self.layers[index].uses_ones or (self._has_no_outputs(index) and self._has_ones(index + 1))

    def _planned_activations(self) -> list[Place | None]:
        """The inputs of each layer, and the outputs of the last one; row-major inputs stay where they are."""
        places: list[Place | None] = []
        for index, width in enumerate(self.widths):
            if index == 0 and self.spec.row_major:
                places.append(None)
            elif index and self._has_no_outputs(index - 1):
                places.append(places[-1])
            else:
                places.append(self._memory.add(Buffer(self.spec.rows, width + self._has_ones(index))))
        return places

    def _planned_gradients(self) -> list[Place]:
        """Two areas, or one if no layer computes dL/d inputs."""
        computing = self.backward if self.input_gradient else self.backward[:-1]
        widest = max([self.widths[index + 1] for index in self.backward] + [self.widths[index] for index in computing])
        return [self._memory.add(Buffer(self.spec.rows, widest)) for _ in (0, *computing[:1])]

    def _activation_arrays(self, index: int, memory: Memory) -> dict[str, Array]:
        """The inputs of a layer, with their column of ones, or the outputs of the last one."""
        place, width = self._activations[index], self.widths[index]
        if place is None:
            return {}
        inputs, extended = memory.array(place, width), memory.array(place)
        if not self._has_ones(index):
            return {"inputs": inputs}
        extended[:, width] = 1
        return {"inputs": inputs, "inputs_and_ones": extended}

    def _add_gradients(self, arrays: list[dict[str, Array]], memory: Memory) -> Array:
        """Add the gradients of each layer, and return that of the loss."""
        turn = 0
        grad = loss_gradient = memory.array(self._areas[turn], self.widths[self.backward[0] + 1])
        for index in self.backward:
            arrays[index]["d_outputs"] = grad
            if index == self.backward[-1] and not self.input_gradient:
                break
            if not self._is_identity(index):
                turn = 1 - turn
                grad = memory.array(self._areas[turn], self.widths[index])
            arrays[index]["d_inputs"] = grad
        return loss_gradient


def bind_single(layer: Layer, spec: PassSpec, inputs: int, dtype: np.dtype[Any]) -> None:
    """Bind a layer that belongs to no network to the arrays of a pass, with all gradients."""
    plan = PassPlan(spec, [layer], inputs, dtype, [0], input_gradient=True, keeps_all=True)
    layer.bind(*plan.allocate().layers[0])
