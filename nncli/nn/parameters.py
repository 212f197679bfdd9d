"""All trainable numbers of a network in one vector, with a named view of each array."""

from collections.abc import Iterator, Mapping
from math import prod
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]
Shape: TypeAlias = tuple[int, ...]


class Parameters:
    """One flat vector of values and one of gradients, and the arrays of the layers as views into both.

        values    (P,)    w₀ … b₀ … w₁ … b₁ …       P = the sum of all sizes
        gradients (P,)    dL/dw₀ … dL/db₀ …         in the same order

    An optimizer sees two vectors and need not know of layers; a layer sees arrays of its own shapes.

    Args:
        shapes: the shape of each array by its name, in the order in which they lie in memory.
        dtype: the number format of both vectors.
    """

    def __init__(self, shapes: Mapping[str, Shape], dtype: np.dtype[Any]) -> None:
        self.shapes = dict(shapes)
        size = sum(map(prod, self.shapes.values()))
        self.values = np.zeros(size, dtype)
        self.gradients = np.zeros(size, dtype)

    def views(self, vector: Array) -> dict[str, Array]:
        """Each array by its name, as a view into a vector that is laid out like ``values``."""
        views, start = {}, 0
        for name, shape in self.shapes.items():
            views[name] = vector[start : start + prod(shape)].reshape(shape)
            start += prod(shape)
        return views

    def non_finite(self, vector: Array) -> Iterator[str]:
        """The names of the arrays that hold NaN or infinity."""
        return (name for name, view in self.views(vector).items() if not np.isfinite(view).all())
