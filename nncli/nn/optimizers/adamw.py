"""AdamW: Adam with decoupled weight decay."""

from collections.abc import Sequence

import numpy as np

from nncli.nn.optimizers.adam import Adam
from nncli.nn.parameters import Array
from nncli.registry import NonNegative, Positive, UnitInterval, register


@register("adamw")
class AdamW(Adam):
    """Adam with decoupled weight decay.

        w ← (1 − η λ) w
        m ← β₁ m + (1 − β₁) g             m̂ = m / (1 − β₁ᵗ⁺¹)           t = 0, 1, …
        v ← β₂ v + (1 − β₂) g²            v̂ = v / (1 − β₂ᵗ⁺¹)
        w ← w − η m̂ / (√v̂ + ε)

    An L2 penalty in the loss adds 2 λ w to the gradient, which Adam divides by √v̂, so that weights with large gradients
    are regularized less. Decoupled decay shrinks all parameters equally, biases too.

    Args:
        learning_rate (η): initial learning rate.
        decay: inverse time decay of the learning rate: η / (1 + decay · t) at update t = 0, 1, ...
        beta_1 (β₁): decay rate of the average of gradients.
        beta_2 (β₂): decay rate of the average of squared gradients.
        epsilon (ε): avoids division by zero.
        weight_decay (λ): weight decay coefficient.

    Source: Loshchilov and Hutter 2019, arXiv:1711.05101, algorithm 2, with λ multiplied by η as in PyTorch.
    """

    def __init__(
        self,
        learning_rate: Positive = 0.001,
        decay: NonNegative = 0.0,
        beta_1: UnitInterval = 0.9,
        beta_2: UnitInterval = 0.999,
        epsilon: Positive = 1e-7,
        weight_decay: NonNegative = 0.01,
    ) -> None:
        super().__init__(learning_rate, decay, beta_1, beta_2, epsilon)
        self.weight_decay = weight_decay

    def coefficients(self, rate: float) -> tuple[float, ...]:
        """1 − η λ, then the coefficients of Adam."""
        return 1 - rate * self.weight_decay, *super().coefficients(rate)

    def update(self, coefficients: Sequence[Array], values: Array, grad: Array, scratch: Array, *state: Array) -> None:
        """w ← (1 − η λ) w, then the update of Adam."""
        decay, *adam_coefficients = coefficients
        np.multiply(values, decay, out=values)  # (1 − η λ) w
        super().update(adam_coefficients, values, grad, scratch, *state)
