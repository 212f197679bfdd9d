"""Units whose outputs are the same for all rows, such as dead ReLUs and saturated sigmoids."""

import numpy as np

from nncli.nn.parameters import Array
from nncli.nn.trace import Observer, Operation

SAME = 1e-6  # difference of two outputs, relative to the largest one of the layer, that is only rounding
SAMPLE = 32  # rows that are compared first, since few units have the same output for all of them


class ConstantUnits(Observer):
    """Finds the units that have the same output for all rows of some forward passes.

    ``first`` has the outputs (M,) of the layers for the first row, by the index of the layer, and ``units`` the indices
    of their units that have had no other output. Differences that are negligible beside the largest output of the layer
    do not count, since the next layer rounds them away.
    """

    def __init__(self) -> None:
        self.first: dict[int, Array] = {}
        self.units: dict[int, Array] = {}

    def after(self, operation: Operation, result: Array) -> None:
        """Compare the rows with the first one."""
        index = operation.layer
        if index is None:
            return
        first = self.first.setdefault(index, result[0].copy())
        units, negligible = self.units.get(index), SAME * np.abs(first).max()
        for rows in (result[:SAMPLE], result[SAMPLE:]):
            some, start = (rows, first) if units is None else (rows[:, units], first[units])
            if some.size:
                is_varying = np.abs(some - start).max(axis=0) > negligible
                units = np.flatnonzero(~is_varying) if units is None else units[~is_varying]
        assert units is not None
        self.units[index] = units

    def fraction(self, layer: int) -> float:
        """The fraction of the units of a layer that are constant."""
        return len(self.units[layer]) / len(self.first[layer])

    @property
    def layers(self) -> dict[int, Array]:
        """The outputs (M,) of the layers of which all units are constant, by index."""
        return {index: first for index, first in self.first.items() if len(self.units[index]) == len(first)}
