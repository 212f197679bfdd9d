"""All numbers that a network learns in one vector, with a named view of each array."""

from collections.abc import Iterator, Mapping
from math import prod
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from nncli.nn.kernels.alignment import zeros

Array: TypeAlias = NDArray[Any]
Shape: TypeAlias = tuple[int, ...]


def stacked(upper: Array, lower: Array) -> Array:
    """[W; b] (D + 1, M) as one view of W (D, M) and b (M,), which lies right behind W in memory.

    Raises:
        ValueError: it does not.
    """
    (start, _), (behind, _) = (array.__array_interface__["data"] for array in (upper, lower))
    if behind != start + upper.nbytes or not upper.flags.c_contiguous:
        raise ValueError("the two arrays do not follow each other in memory")
    return np.lib.stride_tricks.as_strided(upper, (len(upper) + 1, len(lower)))


class Parameters:
    """One flat vector of values and one of gradients, and the arrays of the layers as views into both.

        values    (P + S,)    w₀ … b₀ … w₁ … b₁ … | m₀ … v₀ …      P trained numbers, then S that are only measured
        trained   (P,)        w₀ … b₀ … w₁ … b₁ …                   the first part of ``values``
        gradients (P,)        dL/dw₀ … dL/db₀ …                     in the same order

    An optimizer sees two vectors and need not know of layers; a layer sees arrays of its own shapes. What is saved,
    restored or kept as the best is ``values``: the statistics belong to the network like its weights.

    Args:
        shapes: the shape of each trained array by its name, in the order in which they lie in memory.
        dtype: the number format of all vectors.
        statistics: the shapes of the arrays that training passes fill and no optimizer moves.
    """

    def __init__(
        self, shapes: Mapping[str, Shape], dtype: np.dtype[Any], statistics: Mapping[str, Shape] | None = None
    ) -> None:
        self.shapes = {**shapes, **(statistics or {})}
        trained = sum(map(prod, shapes.values()))
        self.values = zeros((sum(map(prod, self.shapes.values())),), dtype)
        self.trainable = self.values[:trained]
        self.gradients = zeros((trained,), dtype)

    def views(self, vector: Array) -> dict[str, Array]:
        """Each array by its name, as a view into a vector that is laid out like ``values``, or like its first part."""
        views, start = {}, 0
        for name, shape in self.shapes.items():
            if start == len(vector):
                break
            views[name] = vector[start : start + prod(shape)].reshape(shape)
            start += prod(shape)
        return views

    def non_finite(self, vector: Array) -> Iterator[str]:
        """The names of the arrays that hold NaN or infinity."""
        return (name for name, view in self.views(vector).items() if not np.isfinite(view).all())


def of_layer(index: int, views: Mapping[str, Array]) -> dict[str, Array]:
    """The views of one layer, by their names in it."""
    prefix = f"layers.{index}."
    return {name.removeprefix(prefix): view for name, view in views.items() if name.startswith(prefix)}
