"""Central differences held against backward, on a whole network with its loss, its penalties and its data.

    dL/dw ≈ (L(w + h) − L(w − h)) / 2h            one entry w at a time

The losses of the rows are subtracted before their mean is taken, so that little is lost to rounding, and the penalties
are compared apart from the data, so that neither hides the other. On both sides of a kink the slopes differ, and
neither is the difference quotient's: rows that come near one are left out and counted.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

import numpy as np

from nncli.nn.kernels.dropout_mask import Random
from nncli.nn.network import Network
from nncli.nn.parameters import Array
from nncli.nn.quotients import STEP, derivative
from nncli.nn.stepcheck import ReferenceNetwork, StepCheck

HIDDEN = 5e-4  # of an array's largest entry; an error of a thousandth would be seen under half of it
PENALTY_STEP = 1e-4  # h for the penalties, which are straight or square: a longer step is as exact, and rounds less
NEAR = 4 * STEP  # no step of one entry moves what enters a ReLU by much more, its inputs being of the size of 1
ROUNDING = 1e6 * np.finfo(np.float64).eps / STEP  # of the loss; a millionth of it is what rounding leaves
TOO_SMALL = 1e-3  # of that; a fault of a thousandth would not be seen
VISIBLE = 1e-5  # an error of more is none of rounding, however small the gradients


@dataclass(frozen=True)
class ArrayCheck:
    """The entries of one array, and the worst of them.

    Args:
        name: of the array.
        shape: of the array.
        compared: how many entries were compared.
        near_kinks: how many were near a kink: of L1, without which they were compared, or of a layer, and were not.
        uncertain: how many were not compared, because the central difference is not exact enough to show a fault.
        too_small: whether all of them are so small that rounding may hide a fault.
        error: the largest difference of those compared, relative to the array's largest entry; data or penalties. What
            the central difference itself may be off by is subtracted.
        place: the worst entry's indices; None where none was compared.
        backward: the gradient there, as backward has it.
        difference: and as the central difference has it; None like the place.
    """

    name: str
    shape: tuple[int, ...]
    compared: int
    near_kinks: int
    uncertain: int
    too_small: bool
    error: float
    place: tuple[int, ...] | None
    backward: float
    difference: float | None


@dataclass(frozen=True)
class GradientCheck:
    """The arrays of a network, and on how many rows they were compared; the others were near a kink, or clipped.

    ``steps`` are the training steps whose gradients were compared with those of the same network.
    """

    arrays: list[ArrayCheck]
    rows: int
    rows_near_kinks: int
    rows_clipped: int
    steps: list[StepCheck] = field(default_factory=list)

    @property
    def worst(self) -> ArrayCheck:
        """The array with the largest error; one of which no entry was compared is worse, one too small no candidate."""
        judged = [each for each in self.arrays if not each.too_small] or self.arrays
        return max(judged, key=lambda each: each.error if each.compared else np.inf)

    def passes(self, tolerance: float) -> bool:
        """Whether something of each array that is not too small was compared, no error being ``tolerance`` or more.

        And no step may be off by more than rounding explains.
        """
        is_close = not self.worst.too_small and bool(self.worst.compared) and self.worst.error < tolerance
        return is_close and all(step.passes for step in self.steps)


class Gradients(NamedTuple):
    """Those of the data loss and of the penalties, and what rounding may change in the former, (P,) each."""

    data: Array
    penalties: Array
    rounding: Array


class FrozenLoss:
    """The loss of a network on some rows as a function of its parameters, with every random number frozen.

    Args:
        network: in double precision; its gradients and statistics change, its trained numbers do not.
        inputs: (N, D).
        targets: (N, M), as the loss encodes them.
        masks: makes the stream of a forward pass, the same at each.
    """

    def __init__(self, network: Network, inputs: Array, targets: Array, masks: Callable[[], Random]) -> None:
        self.network, self.inputs, self.targets, self.masks = network, inputs, targets, masks

    def losses(self) -> Array:
        """The loss of each row (N,), without penalties."""
        self.network.set_rng(self.masks())
        return self.network.loss.forward(self.network.forward(self.inputs, training=True), self.targets)

    def gradients(self) -> tuple[Array, Array]:
        """Those of the data loss and those of the penalties, (P,) each."""
        network = self.network
        self.losses()
        network.backward(self.targets)
        both = network.parameters.gradients.copy()
        network.parameters.gradients[...] = 0
        network.penalize()
        return both - network.parameters.gradients, network.parameters.gradients.copy()

    def kink_distances(self) -> list[Array]:
        """How far the last forward pass was from each kink, (N, M) for each layer, and the loss, that has one."""
        network = self.network
        every = [
            *(layer.kink_distances() for layer in network.layers),
            network.loss.kink_distances(network.outputs, self.targets),
        ]
        return [margins for margins in every if margins is not None]

    def signs(self) -> list[Array]:
        """On which side of each kink everything lies."""
        return [margins > 0 for margins in self.kink_distances()]

    def near_l1(self) -> Array:
        """Which trained numbers (P,) are near the kink of an L1 penalty; the gradients are lost."""
        gradients = self.network.parameters.gradients
        gradients[...] = 0
        for penalty in self.network.penalties:
            if penalty.l1:
                penalty.gradient[...] = np.abs(penalty.values) <= 2 * PENALTY_STEP
        return gradients > 0

    def rounding(self) -> float:
        """The size below which gradients are held against this instead of their own largest."""
        return ROUNDING * _largest(self.losses())

    def slope(self, entry: int, signs: list[Array], step: float) -> float:
        """The central difference of the loss without penalties; NaN where a step crosses a kink."""
        values, both = self.network.parameters.trainable, []
        before, crosses = values[entry], False
        for shift in (step, -step):
            values[entry] = before + shift
            both.append(self.losses())
            crosses |= not all(map(np.array_equal, signs, self.signs()))
        values[entry] = before
        return np.nan if crosses else float(np.mean(both[0] - both[1])) / (2 * step)

    def penalty_slope(self, entry: int) -> float:
        """The central difference of the penalties."""
        values, both = self.network.parameters.trainable, []
        before = values[entry]
        for shift in (PENALTY_STEP, -PENALTY_STEP):
            values[entry] = before + shift
            both.append(self.network.regularization_loss())
        values[entry] = before
        return (both[0] - both[1]) / (2 * PENALTY_STEP)

    def rows_to_exclude(self) -> tuple[Array, Array]:
        """Which rows (N,) are near a kink, and which have outputs that the loss clips."""
        moved = self._moved_margins()
        self.losses()
        pairs = zip(
            self.kink_distances(), moved, strict=True
        )  # what is 0 and stays so, behind a mask or a ReLU, is no kink
        near = [np.any((np.abs(here) < NEAR) & ((here != 0) | (there != 0)), axis=1) for here, there in pairs]
        return np.any([np.zeros(len(self.inputs), bool), *near], axis=0), self.network.loss.clipped(
            self.network.outputs, self.targets
        )

    def _moved_margins(self) -> list[Array]:
        """The margins where every trained number is a step away."""
        trained = self.network.parameters.trainable
        before = trained.copy()
        trained += STEP * np.random.default_rng(0).choice([-1.0, 1.0], len(trained))
        self.losses()
        moved = [margins.copy() for margins in self.kink_distances()]
        trained[...] = before
        return moved

    def without(self, rows: Array) -> "FrozenLoss":
        """The same on the other rows; ``rows`` (N,) says which are left out."""
        inputs, targets = (np.asfortranarray(each[~rows]) for each in (self.inputs, self.targets))
        return FrozenLoss(self.network, inputs, targets, self.masks)


def gradcheck(slopes: FrozenLoss, entries: int, rng: Random) -> GradientCheck:
    """Hold backward against central differences.

    Args:
        slopes: the network with its rows.
        entries: how many of each array to compare at most, picked by ``rng``.
        rng: where that choice comes from.

    Raises:
        ValueError: no row is left, or the loss, a penalty or a gradient is not finite.
    """
    if not np.isfinite(slopes.losses()).all():
        raise ValueError("the loss is not finite")
    if not np.isfinite(slopes.network.regularization_loss()):
        raise ValueError("the penalties are not finite")
    kept, near_kinks, clipped = smooth(slopes)
    data, penalties = kept.gradients()
    for name in kept.network.parameters.non_finite(data + penalties):
        raise ValueError(f"the gradient of {name} is not finite")
    reference = ReferenceNetwork(kept.network, kept.inputs, kept.targets, kept.masks, len(kept.inputs))
    gradients = Gradients(data, penalties, reference.rounding(np.finfo(float).eps))
    places = kept.network.parameters.views(np.arange(len(data)))
    arrays = [
        _array(kept, name, own, rng.permutation(own.ravel())[:entries], gradients) for name, own in places.items()
    ]
    return GradientCheck(arrays, len(kept.inputs), near_kinks, clipped)


def smooth(slopes: FrozenLoss) -> tuple[FrozenLoss, int, int]:
    """The rows that are far from every kink, how many were near one, and how many have outputs that are clipped.

    Raises:
        ValueError: no row is left.
    """
    near_kinks = clipped = 0
    while True:
        near, ends = slopes.rows_to_exclude()
        if not np.any(near | ends):
            return slopes, near_kinks, clipped
        near_kinks, clipped = near_kinks + int(np.sum(near & ~ends)), clipped + int(np.sum(ends))
        if np.all(near | ends):
            raise ValueError(f"no row is left: near a kink {near_kinks}, with a loss that is clipped {clipped}")
        slopes = slopes.without(near | ends)


def _array(slopes: FrozenLoss, name: str, places: Array, chosen: Array, gradients: Gradients) -> ArrayCheck:
    """Compare the ``chosen`` entries of one array; ``places`` are the numbers of all of its entries in the vector."""
    entries = np.array(list(_entries(slopes, places, chosen, gradients))).T
    errors, found, expected, near_kinks, uncertain = entries
    worst = int(np.argmax(errors))
    compared = int(np.sum(np.isfinite(expected)))
    is_small = bool(_largest(gradients.data[places]) < TOO_SMALL * slopes.rounding()) and float(errors[worst]) < VISIBLE
    is_compared = bool(np.isfinite(expected[worst]))
    place = np.unravel_index(int(chosen[worst]) - int(places.flat[0]), places.shape)
    return ArrayCheck(
        name,
        places.shape,
        compared,
        int(np.sum(near_kinks)),
        int(np.sum(uncertain)),
        is_small or (not compared and bool(np.any(uncertain))),
        float(max(errors[worst], 0.0)),
        tuple(map(int, place)) if is_compared else None,
        float(found[worst]),
        float(expected[worst]) if is_compared else None,
    )


def _entries(
    slopes: FrozenLoss, places: Array, chosen: Array, gradients: Gradients
) -> Iterator[tuple[float, float, float, bool, bool]]:
    """Of each entry the relative error, backward's gradient, the central difference, and why it was not compared.

    The last two are whether it is near a kink, and whether its central difference is too inexact.
    """
    data, penalties, noise = gradients
    largest, rounding = _largest(data[places]), slopes.rounding()
    scale, loss_rounding = max(largest, rounding) or 1.0, np.finfo(np.float64).eps * _largest(slopes.losses())
    price_scale = max(_largest(penalties[places]), ROUNDING * slopes.network.regularization_loss())
    signs, kinks = slopes.signs(), slopes.near_l1()
    for entry in map(int, chosen):
        quotient = partial(slopes.slope, entry, signs)
        slope, uncertainty = derivative(quotient, data[entry], scale, loss_rounding)
        price, known = penalties[entry], slopes.penalty_slope(entry)
        if kinks[entry]:  # of L1, whose slope at 0 is a convention: the penalty is left out on both sides
            price = known = 0.0
        uncertainty += noise[entry] if uncertainty else 0.0  # backward rounds as well
        off = max(abs(data[entry] - slope) - uncertainty, 0.0)
        error = max(_relative(off, scale), _relative(price - known, price_scale))
        crosses = bool(np.isnan(slope))
        hides = uncertainty > HIDDEN * largest > HIDDEN * TOO_SMALL * rounding and error < VISIBLE
        rows_to_exclude = crosses or hides
        expected = np.nan if rows_to_exclude else slope + known
        yield -np.inf if rows_to_exclude else error, data[entry] + price, expected, crosses or bool(kinks[entry]), hides


def _largest(numbers: Array) -> float:
    return float(np.max(np.abs(numbers), initial=0.0))


def _relative(difference: float, scale: float) -> float:
    return abs(difference) / (scale or 1.0)
