"""RMSprop: AdaGrad with an exponential moving average."""

from collections.abc import Sequence
from math import sqrt

import numpy as np

from nncli.nn.optimizers.optimizer import Optimizer, decay_and_accumulate_squares
from nncli.nn.parameters import Array
from nncli.registry import NonNegative, Positive, UnitInterval, register


@register("rmsprop", alias="Optimizer_RMSprop")
class RMSprop(Optimizer):
    """RMSprop: divides each update by the root of an exponential moving average of squared gradients.

        c ← ρ c + (1 − ρ) g²       c starts at 0
        w ← w − η g / (√c + ε)

    Unlike the sum of AdaGrad, the average can decrease, so that the updates do not shrink. ε is added outside the root.
    To save operations, the state is unnormalized, C = c / (1 − ρ), and all scalars are combined into e and k:
    C ← ρ C + g², w ← w − k g / (√C + e).

    Args:
        learning_rate (η): initial learning rate.
        decay: inverse time decay of the learning rate: η / (1 + decay · t) at update t = 0, 1, ...
        rho (ρ): decay rate of the average.
        epsilon (ε): avoids division by zero.

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

    def intermediates(self) -> dict[str, Array]:
        """c = (1 − ρ) C."""
        return {"c": (1 - self.rho) * self.state["squares"]}

    def update(self, coefficients: Sequence[Array], values: Array, grad: Array, scratch: Array, *state: Array) -> None:
        """C ← ρ C + g², w ← w − k g / (√C + e) = w − η g / (√c + ε)."""
        (rho, epsilon, rate), (squares,) = coefficients, state
        decay_and_accumulate_squares(squares, grad, rho, scratch)  # ρ C + g²
        np.sqrt(squares, out=scratch)  # √C
        np.add(scratch, epsilon, out=scratch)  # √C + e
        np.divide(grad, scratch, out=scratch)  # g / (√C + e)
        np.multiply(scratch, rate, out=scratch)  # k g / (√C + e)
        np.subtract(values, scratch, out=values)
