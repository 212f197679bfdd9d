"""AdaGrad with a memory that fades."""

from collections.abc import Sequence
from math import sqrt

import numpy as np

from nncli.nn.optimizers.optimizer import Optimizer, decay_and_accumulate_squares
from nncli.nn.parameters import Array
from nncli.registry import NonNegative, Positive, UnitInterval, register


@register("rmsprop", alias="Optimizer_RMSprop")
class RMSprop(Optimizer):
    """Divides each step by the root of a running mean of the squared gradients.

        c ← ρ c + (1 − ρ) g²       c starts at 0
        w ← w − η g / (√c + ε)

    Unlike AdaGrad's sum the mean can fall again, so that the steps do not fade. ε stands outside the root. The code
    keeps C = c / (1 − ρ), a sum that fades, and puts all that is no array into two numbers:
    C ← ρ C + g², w ← w − k g / (√C + e).

    Args:
        learning_rate (η): the learning rate of the first update.
        decay: how fast the learning rate falls: η / (1 + decay · t) at update t = 0, 1, ...
        rho (ρ): the share of the old mean that is kept.
        epsilon (ε): keeps the quotient finite where c is 0.

    Source: Tieleman and Hinton 2012, lecture 6.5; Kinsley and Kukieła 2020, chapter 10.
    """

    state_names = ("squares",)

    def __init__(
        self,
        learning_rate: Positive = 0.001,
        decay: NonNegative = 0.0,
        rho: UnitInterval = 0.9,
        epsilon: Positive = 1e-7,
    ) -> None:
        super().__init__(learning_rate, decay)
        self.rho, self.epsilon = rho, epsilon

    def coefficients(self, rate: float) -> tuple[float, ...]:
        """ρ, e and k."""
        root = sqrt(1 - self.rho)  # √c / √C
        return self.rho, self.epsilon / root, rate / root

    def update(self, coefficients: Sequence[Array], values: Array, grad: Array, scratch: Array, *state: Array) -> None:
        """C ← ρ C + g², w ← w − k g / (√C + e) = w − η g / (√c + ε)."""
        (rho, epsilon, rate), (squares,) = coefficients, state
        decay_and_accumulate_squares(squares, grad, rho, scratch)  # ρ C + g²
        np.sqrt(squares, out=scratch)  # √C
        np.add(scratch, epsilon, out=scratch)  # √C + e
        np.divide(grad, scratch, out=scratch)  # g / (√C + e)
        np.multiply(scratch, rate, out=scratch)  # k g / (√C + e)
        np.subtract(values, scratch, out=values)
