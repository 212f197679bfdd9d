"""SGD with Nesterov momentum."""

from collections.abc import Sequence

import numpy as np

from nncli.nn.optimizers.sgd import SGD
from nncli.nn.parameters import Array
from nncli.registry import NonNegative, Positive, UnitInterval, register


@register("nesterov")
class Nesterov(SGD):
    """Gradient descent with Nesterov momentum: the gradient is taken at the look-ahead point.

        v ← μ v − η g              v starts at 0
        w ← w + μ v − η g

    w is the look-ahead point, at which the gradient is taken. The learning rate is inside v.

    Args:
        learning_rate (η): initial learning rate.
        decay: inverse time decay of the learning rate: η / (1 + decay · t) at update t = 0, 1, ...
        momentum (μ): momentum coefficient.

    Source: Nesterov 1983; Sutskever et al. 2013, equations 3 and 4, in terms of the look-ahead point, as in Keras;
    PyTorch has η outside v.
    """

    def __init__(self, learning_rate: Positive = 0.1, decay: NonNegative = 0.0, momentum: UnitInterval = 0.9) -> None:
        super().__init__(learning_rate, decay, momentum)

    def update(self, coefficients: Sequence[Array], values: Array, grad: Array, scratch: Array, *state: Array) -> None:
        """v ← μ v − η g, w ← w + μ v − η g."""
        (rate, momentum), (velocity,) = coefficients, state
        np.multiply(grad, rate, out=scratch)  # η g
        np.multiply(velocity, momentum, out=velocity)  # μ v
        np.subtract(velocity, scratch, out=velocity)  # μ v − η g
        np.subtract(values, scratch, out=values)  # w − η g
        np.multiply(velocity, momentum, out=scratch)  # μ v
        np.add(values, scratch, out=values)
