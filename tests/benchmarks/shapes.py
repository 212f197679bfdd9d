"""The size of a network and of its batches, without NumPy."""

from itertools import pairwise
from typing import NamedTuple


class Shape(NamedTuple):
    """A network's widths D, M, …, C from the data to the classes, ReLU between them, and the N rows of every step."""

    widths: tuple[int, ...]
    rows: int

    @property
    def name(self):
        """The widths, joined by dashes."""
        return "-".join(map(str, self.widths))

    @property
    def parameters(self):
        """Σ (D + 1) M."""
        return sum((inputs + 1) * units for inputs, units in pairwise(self.widths))

    @property
    def multiply_adds(self):
        """N (3 Σ D M − D₀ M₀) of a step: forward, both gradients, and no gradient with respect to the data."""
        products = [inputs * units for inputs, units in pairwise(self.widths)]
        return self.rows * (3 * sum(products) - products[0])
