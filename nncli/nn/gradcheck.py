"""Compares the gradients of backward with central differences: of a whole network, with its loss, penalties and data.

    dL/dw ≈ (L(w + h) − L(w − h)) / 2h            one entry w at a time

The losses of the rows are subtracted before the mean is taken, which loses little to rounding. The penalties are
compared separately from the data loss, so that neither hides an error of the other. At a kink the loss is not
differentiable: the two one-sided derivatives differ, and neither equals the central difference. Rows near a kink are
skipped and counted.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

import numpy as np

from nncli.data.dataset import Random
from nncli.nn.frozen_loss import LOSS_ROUNDING, FrozenLoss, max_abs
from nncli.nn.numerical_differentiation import derivative
from nncli.nn.parameters import Array
from nncli.nn.stepcheck import ReferenceNetwork, StepCheck

MAX_UNCERTAINTY = 5e-4  # of a central difference, relative to the largest entry; half of an error of a thousandth
MIN_GRADIENT = 1e-3  # relative to LOSS_ROUNDING; below it an error of a thousandth may be hidden
EVIDENT_ERROR = 1e-5  # a larger one is not caused by rounding, however small the gradients


@dataclass(frozen=True)
class ArrayCheck:
    """The gradients of one array.

    Args:
        name: of the array.
        shape: of the array.
        compared: the number of entries that were compared.
        near_kinks: the number of entries near a kink: of L1, which were compared without it, or of a layer, which were
            not compared.
        uncertain: the number of entries whose central difference is too inexact to show an error; not compared.
        too_small: whether all entries are so small that rounding may hide an error.
        error: the largest difference, of data or penalties, relative to the array's largest entry. The uncertainty of
            the central difference is subtracted.
        place: the index of the entry with the largest error; None if none was compared.
        backward: the gradient of backward at this index.
        difference: the central difference at this index; None if none was compared.
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
    """The gradients of a network.

    Args:
        arrays: one check per trainable array.
        rows: the number of rows on which they were compared.
        rows_near_kinks: the number of rows that were skipped because they are near a kink.
        rows_clipped: the number of rows that were skipped because the loss clips their outputs.
        steps: the checks of training steps, whose gradients were compared with those of the same network.
    """

    arrays: list[ArrayCheck]
    rows: int
    rows_near_kinks: int
    rows_clipped: int
    steps: list[StepCheck] = field(default_factory=list)

    @property
    def worst(self) -> ArrayCheck:
        """The array with the largest error; first one without a compared entry, last those that are too small."""
        judged = [check for check in self.arrays if not check.too_small] or self.arrays
        return max(judged, key=lambda check: check.error if check.compared else np.inf)

    def passes(self, tolerance: float) -> bool:
        """Whether all errors are below the tolerance, and rounding explains the errors of the steps.

        Each array that is not too small needs an entry that was compared, and one array at least must not be too small.
        """
        is_close = not self.worst.too_small and bool(self.worst.compared) and self.worst.error < tolerance
        return is_close and all(step.passes for step in self.steps)


class Gradients(NamedTuple):
    """The gradients of data loss and penalties, and the rounding error of the former, (P,) each."""

    data: Array
    penalties: Array
    rounding: Array


class EntryCheck(NamedTuple):
    """The gradient of one entry.

    Args:
        error: relative; −inf if the entry was not compared.
        backward: the gradient of backward.
        difference: the central difference; NaN if the entry was not compared.
        near_kink: whether it is near a kink.
        uncertain: whether the central difference is too inexact.
    """

    error: float
    backward: float
    difference: float
    near_kink: bool
    uncertain: bool


def gradcheck(loss: FrozenLoss, entries: int, rng: Random) -> GradientCheck:
    """Compare the gradients of backward with central differences.

    Args:
        loss: the network with its rows.
        entries: the maximum number of entries of each array to compare.
        rng: chooses the entries.

    Raises:
        ValueError: no row is left, or the loss, a penalty or a gradient is not finite.
    """
    if not np.isfinite(loss.losses()).all():
        raise ValueError("the loss is not finite")
    if not np.isfinite(loss.network.regularization_loss()):
        raise ValueError("the penalties are not finite")
    smooth, near_kinks, clipped = exclude_rows(loss)
    data, penalties = smooth.gradients()
    for name in smooth.network.parameters.non_finite(data + penalties):
        raise ValueError(f"the gradient of {name} is not finite")
    rows = smooth.inputs, smooth.targets
    reference = ReferenceNetwork(smooth.network, *rows, smooth.masks, len(smooth.inputs), smooth.weights)
    gradients = Gradients(data, penalties, reference.rounding(np.finfo(float).eps))
    indices = smooth.network.parameters.views(np.arange(len(data)))
    arrays = [
        _check_array(smooth, name, every, rng.permutation(every.ravel())[:entries], gradients)
        for name, every in indices.items()
    ]
    return GradientCheck(arrays, len(smooth.inputs), near_kinks, clipped)


def exclude_rows(loss: FrozenLoss) -> tuple[FrozenLoss, int, int]:
    """The loss on the other rows, the number of rows near a kink, and the number of rows whose outputs are clipped.

    Batch normalization changes the remaining rows, so that more may come near a kink: it is repeated until none does.

    Raises:
        ValueError: no row is left.
    """
    near_kinks = clipped = 0
    while True:
        near, is_clipped = loss.rows_to_exclude()
        if not np.any(near | is_clipped):
            return loss, near_kinks, clipped
        near_kinks, clipped = near_kinks + int(np.sum(near & ~is_clipped)), clipped + int(np.sum(is_clipped))
        if np.all(near | is_clipped):
            raise ValueError(f"no row is left: {near_kinks} near a kink, {clipped} clipped by the loss")
        loss = loss.without(near | is_clipped)


def _check_array(loss: FrozenLoss, name: str, indices: Array, chosen: Array, gradients: Gradients) -> ArrayCheck:
    """Compare the chosen entries of one array; ``indices`` are those of all its entries in the parameter vector."""
    checks = list(_check_entries(loss, indices, chosen, gradients))
    worst = int(np.argmax([check.error for check in checks]))
    error, backward, difference, *_ = checks[worst]
    compared = sum(bool(np.isfinite(check.difference)) for check in checks)
    uncertain = sum(check.uncertain for check in checks)
    is_small = bool(max_abs(gradients.data[indices]) < MIN_GRADIENT * loss.rounding() and error < EVIDENT_ERROR)
    is_compared = bool(np.isfinite(difference))
    index = np.unravel_index(int(chosen[worst]) - int(indices.flat[0]), indices.shape)
    return ArrayCheck(
        name,
        indices.shape,
        compared,
        sum(check.near_kink for check in checks),
        uncertain,
        is_small or (not compared and bool(uncertain)),
        float(max(error, 0.0)),
        tuple(map(int, index)) if is_compared else None,
        float(backward),
        float(difference) if is_compared else None,
    )


def _check_entries(loss: FrozenLoss, indices: Array, chosen: Array, gradients: Gradients) -> Iterator[EntryCheck]:
    """Compare each chosen entry of an array."""
    data, penalties, noise = gradients
    largest, rounding = max_abs(data[indices]), loss.rounding()
    scale, loss_rounding = max(largest, rounding) or 1.0, np.finfo(np.float64).eps * max_abs(loss.losses())
    penalty_scale = max(max_abs(penalties[indices]), LOSS_ROUNDING * loss.network.regularization_loss()) or 1.0
    signs, at_l1_kink = loss.signs(), loss.near_l1()
    for entry in map(int, chosen):
        numerical, uncertainty = derivative(
            partial(loss.central_difference, entry, signs), data[entry], scale, loss_rounding
        )
        penalty, numerical_penalty = penalties[entry], loss.penalty_central_difference(entry)
        if at_l1_kink[entry]:  # the derivative of L1 at 0 is a convention: the entry is compared without the penalty
            penalty = numerical_penalty = 0.0
        uncertainty += noise[entry] if uncertainty else 0.0  # backward rounds as well
        difference = max(abs(data[entry] - numerical) - uncertainty, 0.0)
        error = max(difference / scale, abs(penalty - numerical_penalty) / penalty_scale)
        crosses = bool(np.isnan(numerical))
        limit, least = MAX_UNCERTAINTY * largest, MAX_UNCERTAINTY * MIN_GRADIENT * rounding
        hides = bool(uncertainty > limit > least) and bool(error < EVIDENT_ERROR)
        is_excluded = crosses or hides
        yield EntryCheck(
            -np.inf if is_excluded else error,
            data[entry] + penalty,
            np.nan if is_excluded else numerical + numerical_penalty,
            crosses or bool(at_l1_kink[entry]),
            hides,
        )
