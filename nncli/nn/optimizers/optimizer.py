"""The interface of an optimizer, which updates two flat vectors block by block."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from nncli.nn.kernels.alignment import zeros
from nncli.nn.parameters import Allocate, Array
from nncli.nn.schedules import Schedule, inverse_time
from nncli.registry import NonNegative, Positive, kind

# entries; the vectors of one block stay in the cache during an update, smaller blocks would need more NumPy calls
BLOCK = 32_768

FLUSH_INTERVAL = 100  # updates between two searches for subnormal state


@kind("optimizer")
class Optimizer:
    """Updates parameters by their gradients; a subclass defines ``update`` and the names of its state vectors.

        rate = η / (1 + decay · t) · f(t)     t = 0, 1, … counts the updates; f is the factor of the schedule, or 1

    Args:
        learning_rate (η): initial learning rate.
        decay: inverse time decay of the learning rate.
    """

    state_names: ClassVar[tuple[str, ...]] = ()

    def __init__(self, learning_rate: Positive, decay: NonNegative) -> None:
        self.learning_rate, self.decay = learning_rate, decay
        self.updates = 0

    def attach(
        self, values: Array, gradients: Array, schedule: Schedule | None = None, allocate: Allocate = zeros
    ) -> None:
        """Store the two vectors (P,), and create the state: a vector (P,) of zeros per name in ``state_names``."""
        self.schedule = schedule
        self.state = {name: allocate(values.shape, values.dtype) for name in self.state_names}
        self._smallest_normal = np.finfo(values.dtype).smallest_normal
        scratch = zeros((min(BLOCK, len(values)),), values.dtype)
        vectors = (values, gradients, *self.state.values())
        self.last_coefficients = [
            np.array(coefficient, values.dtype) for coefficient in self.coefficients(self.learning_rate)
        ]
        self._blocks = []
        for start in range(0, len(values), BLOCK):
            block = [vector[start : start + BLOCK] for vector in vectors]
            self._blocks.append((block[0], block[1], scratch[: len(block[0])], *block[2:]))

    @property
    def rate(self) -> float:
        """The learning rate of the last update; before the first update, that of the first."""
        return self.rate_at(max(self.updates - 1, 0))

    def rate_at(self, updates: int) -> float:
        """The learning rate of update t = ``updates``."""
        rate = inverse_time(self.learning_rate, self.decay, updates)
        return rate * self.schedule.factor(updates) if self.schedule else rate

    def step(self) -> None:
        """Update all parameters by their gradients."""
        coefficients = self.coefficients(self.rate_at(self.updates))
        for array, coefficient in zip(self.last_coefficients, coefficients, strict=True):
            array[()] = coefficient
        for block in self._blocks:
            self.update(self.last_coefficients, *block)
        self.updates += 1
        if self.updates % FLUSH_INTERVAL == 0:
            self.flush_subnormals()

    def flush_subnormals(self) -> None:
        """Set subnormal values in the state to 0.

        The decaying state of a unit without gradient, such as a dead ReLU, never reaches 0 but becomes subnormal, which
        is slow on many processors. Updates stay the same as long as ε is much larger than the root of the smallest
        normal number, 1e-19 in float32.
        """
        for _, _, scratch, *state in self._blocks:
            for block in state:
                np.abs(block, out=scratch)
                np.copyto(block, 0, where=scratch < self._smallest_normal)

    def intermediates(self) -> dict[str, Array]:
        """The values of the last update that the formulas name, by their symbols."""
        return {}

    def coefficients(self, rate: float) -> tuple[float, ...]:
        """The scalars that ``update`` needs, given the learning rate; by default only the learning rate.

        ``update`` gets them as 0-d arrays, which are faster than Python floats as arguments of NumPy functions.
        """
        return (rate,)

    def update(self, coefficients: Sequence[Array], values: Array, grad: Array, scratch: Array, *state: Array) -> None:
        """Update ``values`` and ``state`` in place; ``grad`` is read-only, ``scratch`` may be overwritten.

        The output of a NumPy function is its last argument where calls take a large part of the time, as keywords cost
        more.
        """
        raise NotImplementedError(f"{type(self).__name__} has no update")


def decay_and_accumulate(total: Array, grad: Array, decay_rate: Array) -> None:
    """Update an unnormalized exponential moving average in place: β m + g."""
    np.multiply(total, decay_rate, total)  # β m
    np.add(total, grad, total)


def decay_and_accumulate_squares(total: Array, grad: Array, decay_rate: Array, scratch: Array) -> None:
    """Update an unnormalized exponential moving average of squares in place: β v + g²."""
    np.multiply(total, decay_rate, total)  # β v
    np.multiply(grad, grad, scratch)  # g²
    np.add(total, scratch, total)
