"""Adam that looks one step ahead."""

from math import sqrt

import numpy as np

from nncli.nn.optimizers.adam import Adam
from nncli.nn.optimizers.optimizer import blend, blend_squares
from nncli.nn.parameters import Array
from nncli.registry import register


@register("nadam")
class Nadam(Adam):
    """Adam whose step already has the share of this gradient that the next mean will have.

        m ← β₁ m + (1 − β₁) g        m̄ = β₁ m / (1 − β₁ᵗ⁺²) + (1 − β₁) g / (1 − β₁ᵗ⁺¹)        t = 0, 1, …
        v ← β₂ v + (1 − β₂) g²       v̂ = v / (1 − β₂ᵗ⁺¹)
        w ← w − η m̄ / (√v̂ + ε)

    Numerator and denominator are multiplied by √(1 − β₂ᵗ⁺¹), so that v̂ is never built. ε stands outside the root.

    Source: Dozat 2016, algorithm 2, with β₁ the same at every step; PyTorch and Keras let it grow towards its value.
    """

    def descend(self, rate: float, values: Array, grad: Array, scratch: Array, *memory: Array) -> None:
        """m and v, then w ← w − η m̄ / (√v̂ + ε), the two parts of m̄ one after the other."""
        mean, squares = memory
        ahead = self.beta_1 / (1 - self.beta_1 ** (self.updates + 2))  # β₁ / (1 − β₁ᵗ⁺²)
        now = (1 - self.beta_1) / (1 - self.beta_1 ** (self.updates + 1))  # (1 − β₁) / (1 − β₁ᵗ⁺¹)
        root = sqrt(1 - self.beta_2 ** (self.updates + 1))  # √(1 − β₂ᵗ⁺¹)
        blend(mean, grad, self.beta_1, scratch)  # β₁ m + (1 − β₁) g
        blend_squares(squares, grad, self.beta_2, scratch)  # β₂ v + (1 − β₂) g²
        for weight, direction in ((ahead, mean), (now, grad)):
            np.sqrt(squares, out=scratch)  # √v = √v̂ √(1 − β₂ᵗ⁺¹)
            np.add(scratch, self.epsilon * root, out=scratch)  # (√v̂ + ε) √(1 − β₂ᵗ⁺¹)
            np.divide(direction, scratch, out=scratch)
            np.multiply(scratch, rate * root * weight, out=scratch)  # η m̄ / (√v̂ + ε), one part
            np.subtract(values, scratch, out=values)
