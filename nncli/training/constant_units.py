"""Units whose outputs are the same for all rows, such as dead ReLUs and saturated sigmoids."""

import numpy as np

from nncli.nn.parameters import Array
from nncli.nn.trace import Observer, Operation

SAME = 1e-6  # difference of two outputs, relative to the largest one of the layer, that is only rounding


class ConstantUnits(Observer):
    """Finds the units that have the same output for all rows of some forward passes.

    Differences that are negligible beside the largest output of the layer do not count, since the next layer rounds
    them away. ``lowest`` and ``highest`` have the extreme outputs (M,) of each layer, by its index.
    """

    def __init__(self) -> None:
        self.lowest: dict[int, Array] = {}
        self.highest: dict[int, Array] = {}

    def after(self, operation: Operation, result: Array) -> None:
        """Extend the range of the outputs."""
        index = operation.layer
        if index is None:
            return
        lowest, highest = np.minimum.reduce(result), np.maximum.reduce(result)  # faster than min and max
        if index in self.lowest:
            lowest, highest = np.minimum(lowest, self.lowest[index]), np.maximum(highest, self.highest[index])
        self.lowest[index], self.highest[index] = lowest, highest

    def are_constant(self, layer: int) -> Array:
        """Whether each unit (M,) of a layer is constant."""
        lowest, highest = self.lowest[layer], self.highest[layer]
        largest = max(-np.minimum.reduce(lowest), np.maximum.reduce(highest))
        return np.asarray(highest - lowest <= SAME * largest)

    def count(self, layer: int) -> int:
        """The number of units of a layer that are constant."""
        return int(np.count_nonzero(self.are_constant(layer)))

    def fraction(self, layer: int) -> float:
        """The fraction of the units of a layer that are constant."""
        return self.count(layer) / len(self.lowest[layer])

    @property
    def layers(self) -> dict[int, Array]:
        """The outputs (M,) of the layers of which all units are constant, by index."""
        return {index: lowest for index, lowest in self.lowest.items() if self.count(index) == len(lowest)}
