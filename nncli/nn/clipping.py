"""Gradients held to a bound before the optimizer sees them, so that one wild batch does not throw the weights off."""

from math import inf, sqrt

import numpy as np

from nncli.nn.parameters import Array
from nncli.registry import Positive, kind, register


@kind("clipping")
class Clipping:
    """Changes the gradients of a network (P,) in place where they are too large; what is not finite stays so.

    Args:
        limit: the bound.
    """

    def __init__(self, limit: Positive) -> None:
        self.limit = limit

    def clip(self, gradients: Array) -> None:
        """Hold the gradients to the bound."""
        raise NotImplementedError(f"{type(self).__name__} has no clip")


@register("norm")
class ClipNorm(Clipping):
    """The whole gradient is shortened to a largest length; its direction stays.

        g ← g · min(1, c / ‖g‖)          ‖g‖ = √ Σ g² over all parameters of the network

    Args:
        limit (c): the largest length.

    Source: Pascanu, Mikolov and Bengio 2013, arXiv:1211.5063, algorithm 1; PyTorch adds 1e-6 to ‖g‖.
    """

    def clip(self, gradients: Array) -> None:
        """g ← g · min(1, c / ‖g‖)."""
        norm = sqrt(np.sum(np.square(gradients, dtype=np.float64)))  # ‖g‖
        if not norm <= self.limit and norm < inf:  # a limit of NaN is not met either, and does not stay hidden
            np.multiply(gradients, self.limit / norm, out=gradients)


@register("value")
class ClipValue(Clipping):
    """Each entry of the gradient is held in an interval; the direction may change.

        g ← min(max(g, −c), c)

    Args:
        limit (c): the largest entry.

    Source: Mikolov 2012, "Statistical language models based on neural networks"; PyTorch's clip_grad_value_.
    """

    def clip(self, gradients: Array) -> None:
        """g ← min(max(g, −c), c); infinite entries stay, and are told as such."""
        np.clip(gradients, -self.limit, self.limit, out=gradients, where=np.isfinite(gradients))
