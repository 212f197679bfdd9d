"""Adam that looks one step ahead."""

from collections.abc import Sequence

import numpy as np

from nncli.nn.optimizers.adam import Adam
from nncli.nn.optimizers.optimizer import decay_and_accumulate, decay_and_accumulate_squares
from nncli.nn.parameters import Array
from nncli.registry import register


@register("nadam")
class Nadam(Adam):
    """Adam whose step already has the share of this gradient that the next mean will have.

        m ← β₁ m + (1 − β₁) g        m̄ = β₁ m / (1 − β₁ᵗ⁺²) + (1 − β₁) g / (1 − β₁ᵗ⁺¹)        t = 0, 1, …
        v ← β₂ v + (1 − β₂) g²       v̂ = v / (1 − β₂ᵗ⁺¹)
        w ← w − η m̄ / (√v̂ + ε)

    ε stands outside the root. As in Adam the code keeps M = m / (1 − β₁) and V = v / (1 − β₂).

    Source: Dozat 2016, algorithm 2, with β₁ the same at every step; PyTorch and Keras let it grow towards its value.
    """

    def coefficients(self, rate: float) -> tuple[float, ...]:
        """β₁, β₂, Adam's e, and what η m̄ / (√v̂ + ε) has of M and of g, over √V + e."""
        beta_1, beta_2, epsilon, now = super().coefficients(rate)  # η (1 − β₁) / (1 − β₁ᵗ⁺¹), over the root
        ahead = now * beta_1 * (1 - beta_1 ** (self.updates + 1)) / (1 - beta_1 ** (self.updates + 2))
        return beta_1, beta_2, epsilon, ahead, now

    def update(self, coefficients: Sequence[Array], values: Array, grad: Array, scratch: Array, *state: Array) -> None:
        """M and V, then w ← w − η m̄ / (√v̂ + ε), the two parts of m̄ one after the other."""
        (beta_1, beta_2, epsilon, ahead, now), (total, squares) = coefficients, state
        decay_and_accumulate(total, grad, beta_1)  # β₁ M + g
        decay_and_accumulate_squares(squares, grad, beta_2, scratch)  # β₂ V + g²
        for rate, direction in ((ahead, total), (now, grad)):
            np.sqrt(squares, out=scratch)  # √V
            np.add(scratch, epsilon, out=scratch)  # √V + e
            np.divide(direction, scratch, out=scratch)
            np.multiply(scratch, rate, out=scratch)  # η m̄ / (√v̂ + ε), one part
            np.subtract(values, scratch, out=values)
