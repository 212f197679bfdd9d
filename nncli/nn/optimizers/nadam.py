"""Nadam: Adam with Nesterov momentum."""

from collections.abc import Sequence

import numpy as np

from nncli.nn.optimizers.adam import Adam
from nncli.nn.optimizers.optimizer import decay_and_accumulate, decay_and_accumulate_squares
from nncli.nn.parameters import Array
from nncli.registry import register


@register("nadam")
class Nadam(Adam):
    """Adam with Nesterov momentum.

        m ← β₁ m + (1 − β₁) g        m̄ = β₁ m / (1 − β₁ᵗ⁺²) + (1 − β₁) g / (1 − β₁ᵗ⁺¹)        t = 0, 1, …
        v ← β₂ v + (1 − β₂) g²       v̂ = v / (1 − β₂ᵗ⁺¹)
        w ← w − η m̄ / (√v̂ + ε)

    ε is added outside the root. As in Adam the state is unnormalized, M = m / (1 − β₁) and V = v / (1 − β₂).

    Source: Dozat 2016, algorithm 2, with constant β₁; PyTorch and Keras increase it towards its final value.
    """

    def coefficients(self, rate: float) -> tuple[float, ...]:
        """β₁, β₂, e, and the factors of M / (√V + e) and of g / (√V + e) in η m̄ / (√v̂ + ε)."""
        beta_1, beta_2, epsilon, grad_rate = super().coefficients(rate)
        momentum_rate = grad_rate * beta_1 * (1 - beta_1 ** (self.updates + 1)) / (1 - beta_1 ** (self.updates + 2))
        return beta_1, beta_2, epsilon, momentum_rate, grad_rate

    def intermediates(self) -> dict[str, Array]:
        """m, v and v̂ as in Adam; m̄ takes the place of m̂."""
        return {name: each for name, each in super().intermediates().items() if name != "m̂"}

    def update(self, coefficients: Sequence[Array], values: Array, grad: Array, scratch: Array, *state: Array) -> None:
        """M and V, then w ← w − η m̄ / (√v̂ + ε), with the two terms of m̄ one after the other."""
        (beta_1, beta_2, epsilon, momentum_rate, grad_rate), (total, squares) = coefficients, state
        decay_and_accumulate(total, grad, beta_1)  # β₁ M + g
        decay_and_accumulate_squares(squares, grad, beta_2, scratch)  # β₂ V + g²
        for rate, direction in ((momentum_rate, total), (grad_rate, grad)):
            np.sqrt(squares, out=scratch)  # √V
            np.add(scratch, epsilon, out=scratch)  # √V + e
            np.divide(direction, scratch, out=scratch)
            np.multiply(scratch, rate, out=scratch)  # one term of η m̄ / (√v̂ + ε)
            np.subtract(values, scratch, out=values)
