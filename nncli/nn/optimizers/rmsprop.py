"""AdaGrad with a memory that fades."""

import numpy as np

from nncli.nn.optimizers.optimizer import Optimizer, blend_squares
from nncli.nn.parameters import Array
from nncli.registry import NonNegative, Positive, Share, register


@register("rmsprop", alias="Optimizer_RMSprop")
class RMSprop(Optimizer):
    """Divides each step by the root of a running mean of the squared gradients.

        c ← ρ c + (1 − ρ) g²       c starts at 0
        w ← w − η g / (√c + ε)

    Unlike AdaGrad's sum the mean can fall again, so that the steps do not fade. ε stands outside the root.

    Args:
        learning_rate: η, the learning rate of the first update.
        decay: how fast the learning rate falls: η / (1 + decay · t) at update t = 0, 1, ...
        rho: ρ, the share of the old mean that is kept.
        epsilon: ε, keeps the quotient finite where c is 0.

    Source: Tieleman and Hinton 2012, lecture 6.5; Kinsley and Kukieła 2020, chapter 10.
    """

    remembers = ("squares",)

    def __init__(
        self,
        learning_rate: Positive = 0.001,
        decay: NonNegative = 0.0,
        rho: Share = 0.9,
        epsilon: Positive = 1e-7,
    ) -> None:
        super().__init__(learning_rate, decay)
        self.rho, self.epsilon = rho, epsilon

    def descend(self, rate: float, values: Array, grad: Array, scratch: Array, *memory: Array) -> None:
        """c ← ρ c + (1 − ρ) g², w ← w − η g / (√c + ε)."""
        (squares,) = memory
        blend_squares(squares, grad, self.rho, scratch)  # ρ c + (1 − ρ) g²
        np.sqrt(squares, out=scratch)  # √c
        np.add(scratch, self.epsilon, out=scratch)  # √c + ε
        np.divide(grad, scratch, out=scratch)  # g / (√c + ε)
        np.multiply(scratch, rate, out=scratch)  # η g / (√c + ε)
        np.subtract(values, scratch, out=values)
