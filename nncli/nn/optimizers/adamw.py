"""Adam with weights that fade by themselves."""

from collections.abc import Sequence

import numpy as np

from nncli.nn.optimizers.adam import Adam
from nncli.nn.parameters import Array
from nncli.registry import NonNegative, Positive, UnitInterval, register


@register("adamw")
class AdamW(Adam):
    """Adam, after every weight has shrunk by the same share.

        w ← (1 − η λ) w
        m ← β₁ m + (1 − β₁) g             m̂ = m / (1 − β₁ᵗ⁺¹)           t = 0, 1, …
        v ← β₂ v + (1 − β₂) g²            v̂ = v / (1 − β₂ᵗ⁺¹)
        w ← w − η m̂ / (√v̂ + ε)

    With L2 in the loss, Adam divides the slope 2 λ w by √v̂ like any other, so that weights with large gradients are
    hardly held back; here all are alike, biases too.

    Args:
        learning_rate (η): the learning rate of the first update.
        decay: how fast the learning rate falls: η / (1 + decay · t) at update t = 0, 1, ...
        beta_1 (β₁): the share of the old mean of the gradients that is kept.
        beta_2 (β₂): the share of the old mean of their squares that is kept.
        epsilon (ε): keeps the quotient finite where v is 0.
        weight_decay (λ): how fast weights shrink.

    Source: Loshchilov and Hutter 2019, arXiv:1711.05101, algorithm 2, with λ times η as in PyTorch.
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
        """1 − η λ, then Adam's."""
        return 1 - rate * self.weight_decay, *super().coefficients(rate)

    def update(self, coefficients: Sequence[Array], values: Array, grad: Array, scratch: Array, *state: Array) -> None:
        """w ← (1 − η λ) w, then as Adam."""
        shrinking, *adams = coefficients
        np.multiply(values, shrinking, out=values)  # (1 − η λ) w
        super().update(adams, values, grad, scratch, *state)
