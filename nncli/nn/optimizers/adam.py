"""Momentum and RMSprop together, both corrected for their start at 0."""

from math import sqrt

import numpy as np

from nncli.nn.optimizers.optimizer import Optimizer, blend, blend_squares
from nncli.nn.parameters import Array
from nncli.registry import NonNegative, Positive, Share, register


@register("adam", alias="Optimizer_Adam")
class Adam(Optimizer):
    """Steps along a running mean of the gradients, divided by the root of a running mean of their squares.

        m ← β₁ m + (1 − β₁) g             m̂ = m / (1 − β₁ᵗ⁺¹)           t = 0, 1, …
        v ← β₂ v + (1 − β₂) g²            v̂ = v / (1 − β₂ᵗ⁺¹)
        w ← w − η m̂ / (√v̂ + ε)

    Both means start at 0 and are too small at first; the corrections undo that. The code multiplies numerator and
    denominator by √(1 − β₂ᵗ⁺¹), so that v̂ is never built. ε stands outside the root.

    Args:
        learning_rate: η, the learning rate of the first update.
        decay: how fast the learning rate falls: η / (1 + decay · t) at update t = 0, 1, ...
        beta_1: β₁, the share of the old mean of the gradients that is kept.
        beta_2: β₂, the share of the old mean of their squares that is kept.
        epsilon: ε, keeps the quotient finite where v is 0.

    Source: Kingma and Ba 2015, arXiv:1412.6980, algorithm 1, with ε = 1e-7; Kinsley and Kukieła 2020, chapter 10.
    """

    remembers = ("mean", "squares")

    def __init__(
        self,
        learning_rate: Positive = 0.001,
        decay: NonNegative = 0.0,
        beta_1: Share = 0.9,
        beta_2: Share = 0.999,
        epsilon: Positive = 1e-7,
    ) -> None:
        super().__init__(learning_rate, decay)
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon

    def descend(self, rate: float, values: Array, grad: Array, scratch: Array, *memory: Array) -> None:
        """m and v, then w ← w − η m̂ / (√v̂ + ε)."""
        mean, squares = memory
        mean_correction = 1 - self.beta_1 ** (self.updates + 1)  # 1 − β₁ᵗ⁺¹
        root = sqrt(1 - self.beta_2 ** (self.updates + 1))  # √(1 − β₂ᵗ⁺¹)
        blend(mean, grad, self.beta_1, scratch)  # β₁ m + (1 − β₁) g
        blend_squares(squares, grad, self.beta_2, scratch)  # β₂ v + (1 − β₂) g²
        np.sqrt(squares, out=scratch)  # √v = √v̂ √(1 − β₂ᵗ⁺¹)
        np.add(scratch, self.epsilon * root, out=scratch)  # (√v̂ + ε) √(1 − β₂ᵗ⁺¹)
        np.divide(mean, scratch, out=scratch)  # m / ((√v̂ + ε) √(1 − β₂ᵗ⁺¹))
        np.multiply(scratch, rate * root / mean_correction, out=scratch)  # η m̂ / (√v̂ + ε)
        np.subtract(values, scratch, out=values)
