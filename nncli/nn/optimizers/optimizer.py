"""What every optimizer can do: walk down two flat vectors, a block at a time."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from nncli.nn.kernels.alignment import zeros
from nncli.nn.parameters import Array
from nncli.nn.schedules import Schedule, inverse_time
from nncli.registry import NonNegative, Positive, kind

# entries; the vectors of one block stay in the cache while all formulas pass over them: Adam's step of 670,000 takes
# 531 µs so, 683 in blocks of 8,192, which are more calls; larger ones gain little, and want a larger cache
BLOCK = 32_768

FLUSH_INTERVAL = 100  # updates from one look for what is too small to the next


@kind("optimizer")
class Optimizer:
    """Turns a gradient into an update of the values; a subclass is one ``update`` and what it remembers.

        rate = η / (1 + decay · t) · f(t)     t = 0, 1, … counts the updates; f is the schedule's, 1 without one

    Args:
        learning_rate (η): the learning rate of the first update.
        decay: how fast the learning rate falls with the number of updates.
    """

    state_names: ClassVar[tuple[str, ...]] = ()

    def __init__(self, learning_rate: Positive, decay: NonNegative) -> None:
        self.learning_rate, self.decay = learning_rate, decay
        self.updates = 0

    def attach(self, values: Array, gradients: Array, schedule: Schedule | None = None) -> None:
        """Take the two vectors (P,), and make what is remembered: ``memory``, a vector (P,) of zeros by each name."""
        self.schedule = schedule
        self.state = {name: zeros(values.shape, values.dtype) for name in self.state_names}
        self._smallest = np.finfo(values.dtype).smallest_normal
        scratch = zeros((min(BLOCK, len(values)),), values.dtype)
        vectors = (values, gradients, *self.state.values())
        self.last_coefficients = [np.array(factor, values.dtype) for factor in self.coefficients(self.learning_rate)]
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
        for kept, factor in zip(self.last_coefficients, self.coefficients(self.rate_at(self.updates)), strict=True):
            kept[()] = factor
        for block in self._blocks:
            self.update(self.last_coefficients, *block)
        self.updates += 1
        if self.updates % FLUSH_INTERVAL == 0:
            self.flush_subnormals()

    def flush_subnormals(self) -> None:
        """Set to 0 what is remembered and smaller than the format's smallest normal number.

        Without a gradient, as in units whose ReLU has died, what fades by a factor never arrives at 0: it stays among
        the subnormal numbers, with which processors are slower. A step of 784-128-128-10 whose units have died takes
        451 µs with them and 436 so, on a processor that hardly minds; to look takes 0.5 µs a step. An update is not
        another one for it as long as ε is far above the root of that number, 1e-19 in single precision.
        """
        for _, _, scratch, *state in self._blocks:
            for block in state:
                np.abs(block, out=scratch)
                np.copyto(block, 0, where=scratch < self._smallest)

    def coefficients(self, rate: float) -> tuple[float, ...]:
        """What ``update`` multiplies with, divides by or adds at this update, besides arrays; η alone if not more.

        It gets them as arrays without dimensions, which NumPy takes in 0.4 µs where a Python number takes 0.7.
        """
        return (rate,)

    def update(self, coefficients: Sequence[Array], values: Array, grad: Array, scratch: Array, *state: Array) -> None:
        """Update ``values`` and what is remembered in place; ``grad`` is not written to, ``scratch`` is free."""
        raise NotImplementedError(f"{type(self).__name__} has no update")


def decay_and_accumulate(total: Array, grad: Array, share: Array) -> None:
    """Move ``total`` in place to β m + g."""
    np.multiply(total, share, out=total)  # β m
    np.add(total, grad, out=total)


def decay_and_accumulate_squares(total: Array, grad: Array, share: Array, scratch: Array) -> None:
    """Move ``total`` in place to β v + g²."""
    np.multiply(total, share, out=total)  # β v
    np.multiply(grad, grad, out=scratch)  # g²
    np.add(total, scratch, out=total)
