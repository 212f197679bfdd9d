"""Stochastic gradient descent."""

from collections.abc import Sequence

import numpy as np

from nncli.nn.optimizers.optimizer import Optimizer
from nncli.nn.parameters import Array
from nncli.registry import NonNegative, Positive, UnitInterval, register


@register("sgd", alias="Optimizer_SGD")
class SGD(Optimizer):
    """Gradient descent, optionally with momentum: an update continues in the direction of earlier updates.

        v ← μ v − η g              v starts at 0
        w ← w + v

    With μ = 0 this is plain gradient descent, w ← w − η g. The learning rate is inside v, as in the book: when it
    decreases, the earlier updates in v keep their size.

    Args:
        learning_rate (η): initial learning rate.
        decay: inverse time decay of the learning rate: η / (1 + decay · t) at update t = 0, 1, ...
        momentum (μ): momentum coefficient.

    Source: Polyak 1964; Kinsley and Kukieła 2020, chapter 10. PyTorch has η outside v.
    """

    state_names = ("velocity",)

    def __init__(self, learning_rate: Positive = 1.0, decay: NonNegative = 0.0, momentum: UnitInterval = 0.0) -> None:
        super().__init__(learning_rate, decay)
        self.momentum = momentum

    def coefficients(self, rate: float) -> tuple[float, ...]:
        """η and μ."""
        return rate, self.momentum

    def intermediates(self) -> dict[str, Array]:
        """v."""
        return {"v": self.state["velocity"]}

    def update(self, coefficients: Sequence[Array], values: Array, grad: Array, scratch: Array, *state: Array) -> None:
        """v ← μ v − η g, w ← w + v."""
        (rate, momentum), (velocity,) = coefficients, state
        np.multiply(velocity, momentum, out=velocity)  # μ v
        np.multiply(grad, rate, out=scratch)  # η g
        np.subtract(velocity, scratch, out=velocity)  # μ v − η g
        np.add(values, velocity, out=values)  # w + v
