"""The loss of a network as a function of its parameters alone, which a gradient check differentiates."""

from collections.abc import Callable

import numpy as np

from nncli.data.dataset import Random, some_weights
from nncli.nn.network import Network
from nncli.nn.numerical_differentiation import STEP
from nncli.nn.parameters import Array

PENALTY_STEP = 1e-4  # h for the penalties, which are linear or quadratic: a longer step is as exact and rounds less
KINK_DISTANCE = 4 * STEP  # a step of one entry moves the inputs of a ReLU by little more if they are of the order of 1
LOSS_ROUNDING = 1e6 * np.finfo(np.float64).eps / STEP  # relative to the loss; rounding leaves a millionth of it


class FrozenLoss:
    """The loss of a network on some rows as a function of its parameters, with all random numbers frozen.

    Args:
        network: in float64; its gradients and running statistics change, its trainable parameters do not.
        inputs: (N, D).
        targets: (N, M), as the loss encodes them.
        masks: returns the generator of the dropout masks of a forward pass, in the same state at each call.
        weights: (N,), those of the rows in the loss, if they differ.
    """

    def __init__(
        self,
        network: Network,
        inputs: Array,
        targets: Array,
        masks: Callable[[], Random],
        weights: Array | None = None,
    ) -> None:
        self.network, self.inputs, self.targets = network, inputs, targets
        network.keep_activations()  # kinks are where the inputs of a layer are 0
        self.masks, self.weights = masks, weights

    def losses(self) -> Array:
        """The weighted loss of each row (N,), without penalties."""
        self.network.set_rng(self.masks())
        return self.network.losses(self.network.forward(self.inputs, training=True), self.targets, self.weights)

    def gradients(self) -> tuple[Array, Array]:
        """The gradients of the data loss and of the penalties, (P,) each."""
        network = self.network
        self.losses()
        network.backward(self.targets, self.weights)
        total = network.parameters.gradients.copy()
        network.parameters.gradients[...] = 0
        network.penalize()
        return total - network.parameters.gradients, network.parameters.gradients.copy()

    def kink_distances(self) -> list[Array]:
        """The distances of the last forward pass from each kink, (N, M) for each layer and loss that has one."""
        network = self.network
        distances = [
            *(layer.kink_distances() for layer in network.layers),
            network.loss.kink_distances(network.outputs, self.targets),
        ]
        return [each for each in distances if each is not None]

    def signs(self) -> list[Array]:
        """The side of each kink on which the last forward pass was."""
        return [distances > 0 for distances in self.kink_distances()]

    def near_l1(self) -> Array:
        """Which trainable parameters (P,) are near the kink of an L1 penalty; overwrites the gradients."""
        gradients = self.network.parameters.gradients
        gradients[...] = 0
        for penalty in self.network.penalties:
            if penalty.l1:
                penalty.gradient[...] = np.abs(penalty.values) <= 2 * PENALTY_STEP
        return gradients > 0

    def rounding(self) -> float:
        """The lower bound of the scale of errors: they are relative to the largest entry or to this bound."""
        return LOSS_ROUNDING * max_abs(self.losses())

    def central_difference(self, entry: int, signs: list[Array], step: float) -> float:
        """The central difference of the loss without penalties; NaN if a step crosses a kink."""
        values, losses = self.network.parameters.trainable, []
        before, crosses = values[entry], False
        for shift in (step, -step):
            values[entry] = before + shift
            losses.append(self.losses())
            crosses |= not all(map(np.array_equal, signs, self.signs()))
        values[entry] = before
        return np.nan if crosses else float(np.mean(losses[0] - losses[1])) / (2 * step)

    def penalty_central_difference(self, entry: int) -> float:
        """The central difference of the penalties."""
        values, penalties = self.network.parameters.trainable, []
        before = values[entry]
        for shift in (PENALTY_STEP, -PENALTY_STEP):
            values[entry] = before + shift
            penalties.append(self.network.regularization_loss())
        values[entry] = before
        return (penalties[0] - penalties[1]) / (2 * PENALTY_STEP)

    def rows_to_exclude(self) -> tuple[Array, Array]:
        """Which rows (N,) are near a kink, and which have outputs that the loss clips."""
        moved = self._moved_kink_distances()
        self.losses()
        near = np.zeros(len(self.inputs), np.bool_)
        for distances, after in zip(self.kink_distances(), moved, strict=True):
            is_moving = (distances != 0) | (after != 0)  # what a mask or a ReLU keeps at 0 is not at a kink
            near |= np.any((np.abs(distances) < KINK_DISTANCE) & is_moving, axis=1)
        return near, self.network.loss.clipped(self.network.outputs, self.targets)

    def _moved_kink_distances(self) -> list[Array]:
        """The kink distances after a random step of each parameter."""
        trainable = self.network.parameters.trainable
        before = trainable.copy()
        trainable += STEP * np.random.default_rng(0).choice([-1.0, 1.0], len(trainable))
        self.losses()
        moved = [distances.copy() for distances in self.kink_distances()]
        trainable[...] = before
        return moved

    def without(self, rows: Array) -> "FrozenLoss":
        """The loss on the other rows; ``rows`` (N,) is true for those that are excluded."""
        inputs, targets = (np.asfortranarray(each[~rows]) for each in (self.inputs, self.targets))
        return FrozenLoss(self.network, inputs, targets, self.masks, some_weights(self.weights, ~rows))


def max_abs(values: Array) -> float:
    """The largest absolute value; 0 of an empty array."""
    return float(np.max(np.abs(values), initial=0.0))
