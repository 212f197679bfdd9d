"""What every optimizer can do: walk down two flat vectors, a block at a time."""

from typing import ClassVar

import numpy as np

from nncli.nn.parameters import Array
from nncli.nn.schedules import Schedule, inverse_time
from nncli.registry import NonNegative, Positive, kind

BLOCK = 16_384  # entries; the vectors of one block stay in the cache while all formulas pass over them


@kind("optimizer")
class Optimizer:
    """Turns a gradient into an update of the values; a subclass is one ``descend`` and what it remembers.

        rate = η / (1 + decay · t) · f(t)     t = 0, 1, … counts the updates; f is the schedule's, 1 without one

    Args:
        learning_rate: η, the learning rate of the first update.
        decay: how fast the learning rate falls with the number of updates.
    """

    remembers: ClassVar[tuple[str, ...]] = ()

    def __init__(self, learning_rate: Positive, decay: NonNegative) -> None:
        self.learning_rate, self.decay = learning_rate, decay
        self.updates = 0

    def attach(self, values: Array, gradients: Array, schedule: Schedule | None = None) -> None:
        """Take the two vectors (P,), and make what is remembered, all 0: ``memory`` by name, ``remembered`` in one."""
        self.schedule = schedule
        self.remembered = np.zeros(len(self.remembers) * len(values), values.dtype)
        self.memory = dict(zip(self.remembers, self.remembered.reshape(-1, len(values)), strict=True))
        scratch = np.empty_like(values[:BLOCK])
        vectors = (values, gradients, *self.memory.values())
        self._blocks = []
        for start in range(0, len(values), BLOCK):
            block = [vector[start : start + BLOCK] for vector in vectors]
            self._blocks.append((block[0], block[1], scratch[: len(block[0])], *block[2:]))

    @property
    def rate(self) -> float:
        """The learning rate of the update before this moment; before the first, that of the first."""
        return self.rate_at(max(self.updates - 1, 0))

    def rate_at(self, updates: int) -> float:
        """The learning rate of update t = ``updates``."""
        rate = inverse_time(self.learning_rate, self.decay, updates)
        return rate * self.schedule.factor(updates) if self.schedule else rate

    def step(self) -> None:
        """Update all values by their gradients."""
        rate = self.rate_at(self.updates)
        for block in self._blocks:
            self.descend(rate, *block)
        self.updates += 1

    def descend(self, rate: float, values: Array, grad: Array, scratch: Array, *memory: Array) -> None:
        """Update ``values`` and what is remembered in place; ``grad`` is not written to, ``scratch`` is free."""
        raise NotImplementedError(f"{type(self).__name__} has no descend")


def blend(mean: Array, grad: Array, share: float, scratch: Array) -> None:
    """Move ``mean`` in place to β m + (1 − β) g, written as m + (1 − β) (g − m)."""
    np.subtract(grad, mean, out=scratch)  # g − m
    np.multiply(scratch, 1 - share, out=scratch)  # (1 − β) (g − m)
    np.add(mean, scratch, out=mean)


def blend_squares(mean: Array, grad: Array, share: float, scratch: Array) -> None:
    """Move ``mean`` in place to β v + (1 − β) g², written as v + (1 − β) (g² − v)."""
    np.multiply(grad, grad, out=scratch)  # g²
    np.subtract(scratch, mean, out=scratch)  # g² − v
    np.multiply(scratch, 1 - share, out=scratch)  # (1 − β) (g² − v)
    np.add(mean, scratch, out=mean)
