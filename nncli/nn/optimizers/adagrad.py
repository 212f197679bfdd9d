"""AdaGrad: adaptive learning rates."""

from collections.abc import Sequence

import numpy as np

from nncli.nn.optimizers.optimizer import Optimizer
from nncli.nn.parameters import Array
from nncli.registry import NonNegative, Positive, register


@register("adagrad", alias="Optimizer_Adagrad")
class AdaGrad(Optimizer):
    """AdaGrad: divides each update by the root of the sum of all squared gradients so far.

        c ← c + g²                 c starts at 0
        w ← w − η g / (√c + ε)

    c never decreases, so that the updates shrink during training. ε is added outside the root.

    Args:
        learning_rate (η): initial learning rate.
        decay: inverse time decay of the learning rate: η / (1 + decay · t) at update t = 0, 1, ...
        epsilon (ε): avoids division by zero.

    Source: Duchi, Hazan and Singer 2011; Kinsley and Kukieła 2020, chapter 10.
    """

    state_names = ("squares",)

    def __init__(self, learning_rate: Positive = 1.0, decay: NonNegative = 0.0, epsilon: Positive = 1e-7) -> None:
        super().__init__(learning_rate, decay)
        self.epsilon = epsilon

    def coefficients(self, rate: float) -> tuple[float, ...]:
        """η and ε."""
        return rate, self.epsilon

    def intermediates(self) -> dict[str, Array]:
        """c."""
        return {"c": self.state["squares"]}

    def update(self, coefficients: Sequence[Array], values: Array, grad: Array, scratch: Array, *state: Array) -> None:
        """c ← c + g², w ← w − η g / (√c + ε)."""
        (rate, epsilon), (squares,) = coefficients, state
        np.multiply(grad, grad, out=scratch)  # g²
        np.add(squares, scratch, out=squares)  # c + g²
        np.sqrt(squares, out=scratch)  # √c
        np.add(scratch, epsilon, out=scratch)  # √c + ε
        np.divide(grad, scratch, out=scratch)  # g / (√c + ε)
        np.multiply(scratch, rate, out=scratch)  # η g / (√c + ε)
        np.subtract(values, scratch, out=values)
