"""The parameters of a network in one flat vector, with a named view of each array."""

from collections.abc import Callable, Iterator, Mapping
from math import prod
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from nncli.nn.kernels.alignment import zeros

Array: TypeAlias = NDArray[Any]
Shape: TypeAlias = tuple[int, ...]
Allocate: TypeAlias = Callable[[Shape, np.dtype[Any]], Array]  # returns an array of zeros


def stacked(upper: Array, lower: Array) -> Array:
    """[W; b] (D + 1, M) as one view of W (D, M) and b (M,), which directly follows W in memory.

    Raises:
        ValueError: the arrays are not adjacent.
    """
    (start, _), (lower_start, _) = (array.__array_interface__["data"] for array in (upper, lower))
    if lower_start != start + upper.nbytes or not upper.flags.c_contiguous:
        raise ValueError("the two arrays are not adjacent in memory")
    return np.lib.stride_tricks.as_strided(upper, (len(upper) + 1, len(lower)))


class Parameters:
    """One flat vector of values and one of gradients; the arrays of the layers are views into both.

        values    (P + S,)    w₀ … b₀ … w₁ … b₁ … | m₀ … v₀ …      P trainable parameters, then S running statistics
        trainable (P,)        w₀ … b₀ … w₁ … b₁ …                   the first part of ``values``
        gradients (P,)        dL/dw₀ … dL/db₀ …                     in the same order

    An optimizer works on two vectors and knows nothing of layers; a layer works on arrays of its shapes. ``values`` is
    what is saved and restored: the running statistics (non-trainable parameters) are part of the network's state.

    Args:
        shapes: shape of each trainable array by name, in memory order.
        dtype: dtype of all vectors.
        statistics: shape of each non-trainable array by name; training passes update them, the optimizer does not.
        allocate: allocates a vector of zeros, given its shape and dtype.
    """

    def __init__(
        self,
        shapes: Mapping[str, Shape],
        dtype: np.dtype[Any],
        statistics: Mapping[str, Shape] | None = None,
        allocate: Allocate = zeros,
    ) -> None:
        self.shapes = {**shapes, **(statistics or {})}
        trainable = sum(map(prod, shapes.values()))
        self.values = allocate((sum(map(prod, self.shapes.values())),), dtype)
        self.trainable = self.values[:trainable]
        self.gradients = allocate((trainable,), dtype)

    def views(self, vector: Array) -> dict[str, Array]:
        """Views of each array by name into a vector with the layout of ``values`` or ``trainable``."""
        views, start = {}, 0
        for name, shape in self.shapes.items():
            if start == len(vector):
                break
            views[name] = vector[start : start + prod(shape)].reshape(shape)
            start += prod(shape)
        return views

    def non_finite(self, vector: Array) -> Iterator[str]:
        """The names of the arrays that contain NaN or infinity."""
        return (name for name, view in self.views(vector).items() if not np.isfinite(view).all())


def of_layer(index: int, views: Mapping[str, Array]) -> dict[str, Array]:
    """The views of one layer, by their names within the layer."""
    prefix = f"layers.{index}."
    return {name.removeprefix(prefix): view for name, view in views.items() if name.startswith(prefix)}
