"""Momentum that corrects itself where it is going."""

from collections.abc import Sequence

import numpy as np

from nncli.nn.optimizers.sgd import SGD
from nncli.nn.parameters import Array
from nncli.registry import NonNegative, Positive, UnitInterval, register


@register("nesterov")
class Nesterov(SGD):
    """Steps with momentum, looking ahead by the share of the step that is about to be taken again.

        v ← μ v − η g              v starts at 0
        w ← w + μ v − η g

    w stands for the point that is looked ahead to, at which the gradient is taken; the learning rate is inside v.

    Args:
        learning_rate (η): the learning rate of the first update.
        decay: how fast the learning rate falls: η / (1 + decay · t) at update t = 0, 1, ...
        momentum (μ): the share of the last step that is taken again.

    Source: Nesterov 1983; Sutskever et al. 2013, equations 3 and 4, in terms of the point ahead, as Keras; PyTorch
    keeps η outside v.
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
