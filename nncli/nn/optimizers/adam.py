"""Adam: adaptive moment estimation."""

from collections.abc import Sequence
from math import sqrt

import numpy as np

from nncli.nn.optimizers.optimizer import Optimizer, decay_and_accumulate, decay_and_accumulate_squares
from nncli.nn.parameters import Array
from nncli.registry import NonNegative, Positive, UnitInterval, register


@register("adam", alias="Optimizer_Adam")
class Adam(Optimizer):
    """Adam: exponential moving averages of gradients and of squared gradients, with bias correction.

        m ← β₁ m + (1 − β₁) g             m̂ = m / (1 − β₁ᵗ⁺¹)           t = 0, 1, …
        v ← β₂ v + (1 − β₂) g²            v̂ = v / (1 − β₂ᵗ⁺¹)
        w ← w − η m̂ / (√v̂ + ε)

    Both averages start at 0, which the bias correction compensates. ε is added outside the root. To save operations,
    the state is unnormalized, M = m / (1 − β₁) and V = v / (1 − β₂), and all scalars are combined into e and k:
    M ← β₁ M + g, V ← β₂ V + g², w ← w − k M / (√V + e).

    Args:
        learning_rate (η): initial learning rate.
        decay: inverse time decay of the learning rate: η / (1 + decay · t) at update t = 0, 1, ...
        beta_1 (β₁): decay rate of the average of gradients.
        beta_2 (β₂): decay rate of the average of squared gradients.
        epsilon (ε): avoids division by zero.

    Source: Kingma and Ba 2015, arXiv:1412.6980, algorithm 1, with ε = 1e-7; Kinsley and Kukieła 2020, chapter 10.
    """

    state_names = ("sum", "squares")

    def __init__(
        self,
        learning_rate: Positive = 0.001,
        decay: NonNegative = 0.0,
        beta_1: UnitInterval = 0.9,
        beta_2: UnitInterval = 0.999,
        epsilon: Positive = 1e-7,
    ) -> None:
        super().__init__(learning_rate, decay)
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon

    def coefficients(self, rate: float) -> tuple[float, ...]:
        """β₁, β₂, e and k."""
        mean, root = self._bias_correction()  # m̂ / M, √v̂ / √V
        return self.beta_1, self.beta_2, self.epsilon / root, rate * mean / root

    def _bias_correction(self) -> tuple[float, float]:
        """m̂ / M = (1 − β₁) / (1 − β₁ᵗ⁺¹), and √v̂ / √V = √((1 − β₂) / (1 − β₂ᵗ⁺¹))."""
        updates = self.updates + 1
        mean = (1 - self.beta_1) / (1 - self.beta_1**updates)
        return mean, sqrt((1 - self.beta_2) / (1 - self.beta_2**updates))

    def intermediates(self) -> dict[str, Array]:
        """m = (1 − β₁) M and v = (1 − β₂) V, then m̂ and v̂."""
        mean, variance = (1 - self.beta_1) * self.state["sum"], (1 - self.beta_2) * self.state["squares"]
        corrections = 1 - self.beta_1**self.updates, 1 - self.beta_2**self.updates
        return {"m": mean, "v": variance, "m̂": mean / corrections[0], "v̂": variance / corrections[1]}

    def update(self, coefficients: Sequence[Array], values: Array, grad: Array, scratch: Array, *state: Array) -> None:
        """M and V, then w ← w − k M / (√V + e) = w − η m̂ / (√v̂ + ε)."""
        (beta_1, beta_2, epsilon, rate), (total, squares) = coefficients, state
        decay_and_accumulate(total, grad, beta_1)  # β₁ M + g
        decay_and_accumulate_squares(squares, grad, beta_2, scratch)  # β₂ V + g²
        np.sqrt(squares, scratch)  # √V
        np.add(scratch, epsilon, scratch)  # √V + e
        np.divide(total, scratch, scratch)  # M / (√V + e)
        np.multiply(scratch, rate, scratch)  # k M / (√V + e)
        np.subtract(values, scratch, values)
