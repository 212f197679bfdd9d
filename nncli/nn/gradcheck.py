"""Central differences held against backward, on a whole network with its loss, its penalties and its data.

    dL/dw ≈ (L(w + h) − L(w − h)) / 2h            one entry w at a time, h = 1e-6

The losses of the rows are subtracted before their mean is taken, so that little is lost to rounding. On both sides of a
kink the slopes differ, and neither is the difference quotient's: rows that come near one are left out and counted.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from nncli.nn.network import Network
from nncli.nn.parameters import Array
from nncli.nn.randomness import Random

STEP = 1e-6
NEAR = 4 * STEP  # no step of one entry moves what enters a ReLU by much more, its inputs being of the size of 1
SMALL = 0.01  # of the largest entry of all; the entries of a smaller array are held against that


@dataclass(frozen=True)
class ArrayCheck:
    """The entries of one array, and the worst of them.

    Args:
        name: of the array.
        shape: of the array.
        compared: how many entries were compared.
        near_kinks: how many were near a kink: of L1, without which they were compared, or of a layer, and were not.
        error: the largest difference of those compared, relative to the array's largest entry.
        place: the worst entry's indices; None where none was compared.
        backward: the gradient there, as backward has it.
        difference: and as the central difference has it; None like the place.
    """

    name: str
    shape: tuple[int, ...]
    compared: int
    near_kinks: int
    error: float
    place: tuple[int, ...] | None
    backward: float
    difference: float | None


@dataclass(frozen=True)
class GradientCheck:
    """The arrays of a network, and on how many rows they were compared; the others were near a kink, or clipped."""

    arrays: list[ArrayCheck]
    rows: int
    rows_near_kinks: int
    rows_clipped: int

    @property
    def worst(self) -> ArrayCheck:
        """The array with the largest error; one of which no entry could be compared is worse than any."""
        return max(self.arrays, key=lambda each: each.error if each.compared else np.inf)

    def passes(self, tolerance: float) -> bool:
        """Whether something of every array was compared, and no error is as large as ``tolerance``."""
        return bool(self.worst.compared) and self.worst.error < tolerance


class Slopes:
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
        self.network.draw_from(self.masks())
        return self.network.loss.forward(self.network.forward(self.inputs, training=True), self.targets)

    def gradients(self) -> tuple[Array, Array]:
        """Those of the data loss and those of the penalties, (P,) each."""
        network = self.network
        self.losses()
        network.backward(self.targets)
        both = network.parameters.gradients.copy()
        network.parameters.gradients[...] = 0
        for penalty in network.penalties:
            penalty.backward()
        return both - network.parameters.gradients, network.parameters.gradients.copy()

    def margins(self) -> list[Array]:
        """How far the last forward pass was from each kink, (N, M) for each layer, and the loss, that has one."""
        network = self.network
        every = [*(layer.margins() for layer in network.layers), network.loss.margins(network.outputs, self.targets)]
        return [margins for margins in every if margins is not None]

    def signs(self) -> list[Array]:
        """On which side of each kink everything lies."""
        return [margins > 0 for margins in self.margins()]

    def near_l1(self) -> Array:
        """Which trained numbers (P,) are near the kink of an L1 penalty; the gradients are lost."""
        gradients = self.network.parameters.gradients
        gradients[...] = 0
        for penalty in self.network.penalties:
            if penalty.l1:
                penalty.gradient[...] = np.abs(penalty.values) < NEAR
        return gradients > 0

    def difference(self, entry: int, signs: list[Array]) -> tuple[float, float]:
        """The central differences of the data loss and of the penalties; the first is NaN across a kink."""
        values, both = self.network.parameters.trained, []
        before, crosses = values[entry], False
        for step in (STEP, -STEP):
            values[entry] = before + step
            both.append((self.losses(), self.network.regularization_loss()))
            crosses |= not all(map(np.array_equal, signs, self.signs()))
        values[entry] = before
        (above, dearer), (below, cheaper) = both
        slope = np.nan if crosses else float(np.mean(above - below)) / (2 * STEP)
        return slope, (dearer - cheaper) / (2 * STEP)

    def left_out(self) -> tuple[Array, Array]:
        """Which rows (N,) are near a kink, and which have outputs that the loss clips."""
        self.losses()
        near = [np.any(np.abs(margins) < NEAR, axis=1) for margins in self.margins()]
        return np.any([np.zeros(len(self.inputs), bool), *near], axis=0), self.network.loss.clipped(
            self.network.outputs, self.targets
        )

    def without(self, rows: Array) -> "Slopes":
        """The same on the other rows; ``rows`` (N,) says which are left out."""
        inputs, targets = (np.asfortranarray(each[~rows]) for each in (self.inputs, self.targets))
        return Slopes(self.network, inputs, targets, self.masks)


def gradcheck(slopes: Slopes, entries: int, rng: Random) -> GradientCheck:
    """Hold backward against central differences.

    Args:
        slopes: the network with its rows.
        entries: how many of each array to compare at most, picked by ``rng``.
        rng: where that choice comes from.

    Raises:
        ValueError: no row is left.
    """
    kept, near_kinks, clipped = smooth(slopes)
    gradients = kept.gradients()
    places = kept.network.parameters.views(np.arange(len(gradients[0])))
    arrays = [
        _array(kept, name, own, rng.permutation(own.ravel())[:entries], gradients) for name, own in places.items()
    ]
    return GradientCheck(arrays, len(kept.inputs), near_kinks, clipped)


def smooth(slopes: Slopes) -> tuple[Slopes, int, int]:
    """The rows that are far from every kink, how many were near one, and how many have outputs that are clipped.

    Raises:
        ValueError: no row is left.
    """
    near_kinks = clipped = 0
    while True:
        near, ends = slopes.left_out()
        if not np.any(near | ends):
            return slopes, near_kinks, clipped
        near_kinks, clipped = near_kinks + int(np.sum(near & ~ends)), clipped + int(np.sum(ends))
        if np.all(near | ends):
            raise ValueError(f"no row is left: {near_kinks} are near a kink, and of {clipped} the loss is clipped")
        slopes = slopes.without(near | ends)


def _array(slopes: Slopes, name: str, places: Array, chosen: Array, gradients: tuple[Array, Array]) -> ArrayCheck:
    """Compare the ``chosen`` entries of one array; ``places`` are the numbers of all of its entries in the vector."""
    found, expected, near_kinks = np.array(list(_pairs(slopes, chosen, gradients))).T
    compared = np.isfinite(expected)
    largest = max(SMALL * np.max(np.abs(sum(gradients))), np.max(np.abs([found, expected])[:, compared], initial=0.0))
    errors = np.where(compared, np.abs(found - expected), -np.inf) / (largest or 1.0)
    worst = int(np.argmax(errors))
    place = np.unravel_index(int(chosen[worst]) - int(places.flat[0]), places.shape)
    return ArrayCheck(
        name,
        places.shape,
        int(np.sum(compared)),
        int(np.sum(near_kinks)),
        float(max(errors[worst], 0.0)),
        tuple(map(int, place)) if compared.any() else None,
        float(found[worst]),
        float(expected[worst]) if compared.any() else None,
    )


def _pairs(slopes: Slopes, chosen: Array, gradients: tuple[Array, Array]) -> Iterator[tuple[float, float, bool]]:
    """Of each entry backward's gradient, the central difference, and whether it is near a kink."""
    data, penalties = gradients
    slopes.losses()
    signs, kinks = slopes.signs(), slopes.near_l1()
    for entry in map(int, chosen):
        slope, price = slopes.difference(entry, signs)
        if kinks[entry]:  # of L1, whose slope at 0 is a convention: the penalty is left out on both sides
            yield data[entry], slope, True
        else:
            yield data[entry] + penalties[entry], slope + price, bool(np.isnan(slope))
