"""Gradient clipping: limits exploding gradients before the optimizer uses them."""

from math import inf, sqrt

import numpy as np

from nncli.nn.parameters import Array
from nncli.registry import Positive, kind, register


@kind("clipping")
class Clipping:
    """Limits the gradients of a network (P,) in place; NaN and infinity stay, so that divergence is detected.

    Args:
        limit: largest norm or value.
    """

    def __init__(self, limit: Positive) -> None:
        self.limit = limit

    def clip(self, gradients: Array, squares: float | None = None) -> None:
        """Clip the gradients in place.

        Args:
            gradients: all gradients of a network, or a part of them.
            squares: Σ g² over all of them; that of the given ones if None.
        """
        raise NotImplementedError(f"{type(self).__name__} has no clip")

    def squares(self, gradients: Array) -> float:
        """Σ g² of some gradients, if ``clip`` needs it; else 0."""
        return 0.0


@register("norm")
class ClipNorm(Clipping):
    """Clips the gradient by its global norm; the direction is preserved.

        g ← g · min(1, c / ‖g‖)          ‖g‖ = √ Σ g² over all parameters of the network

    Args:
        limit (c): largest norm.

    Source: Pascanu, Mikolov and Bengio 2013, arXiv:1211.5063, algorithm 1; PyTorch adds 1e-6 to ‖g‖.
    """

    def squares(self, gradients: Array) -> float:
        """Σ g², in float64."""
        return float(np.sum(np.square(gradients, dtype=np.float64)))

    def clip(self, gradients: Array, squares: float | None = None) -> None:
        """g ← g · min(1, c / ‖g‖)."""
        norm = sqrt(self.squares(gradients) if squares is None else squares)  # ‖g‖
        if not norm <= self.limit and norm < inf:  # "not <=": a limit of NaN makes the gradients NaN, and is noticed
            np.multiply(gradients, self.limit / norm, out=gradients)


@register("value")
class ClipValue(Clipping):
    """Clips each entry of the gradient to an interval; the direction may change.

        g ← min(max(g, −c), c)

    Args:
        limit (c): largest absolute value of an entry.

    Source: Mikolov 2012, "Statistical language models based on neural networks"; PyTorch's clip_grad_value_.
    """

    def clip(self, gradients: Array, squares: float | None = None) -> None:
        """g ← min(max(g, −c), c); infinite entries stay infinite."""
        np.clip(gradients, -self.limit, self.limit, out=gradients, where=np.isfinite(gradients))
