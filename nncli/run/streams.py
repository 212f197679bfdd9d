"""Where random numbers come from: a stream for each purpose and epoch, or the book's one stream for everything."""

from enum import IntEnum
from typing import Protocol

import numpy as np

from nncli.nn.randomness import Random


class Purpose(IntEnum):
    """What a stream is for; a stream's number never changes, or old specs would give new runs."""

    TRAINING = 0
    VALIDATION = 1
    TEST = 2
    SPLIT = 3
    WEIGHTS = 4
    DROPOUT = 5
    ORDER = 6


class Streams(Protocol):
    """Hands out random numbers for a purpose."""

    def of(self, purpose: Purpose, epoch: int = 0) -> Random:
        """The numbers for this purpose in this epoch."""

    def state(self) -> list[int | float] | None:
        """What is needed to go on from here besides the seed; None where that is nothing."""


class DerivedStreams:
    """Random generators that depend on seed, purpose and epoch alone, not on what was drawn before.

    Adding a dropout layer therefore leaves the initial weights as they were, and any epoch can be trained again.

    Args:
        seed: the spec's.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def of(self, purpose: Purpose, epoch: int = 0) -> Random:
        """The generator of ``SeedSequence([seed, purpose, epoch])``."""
        return np.random.default_rng(np.random.SeedSequence([self.seed, purpose, epoch]))

    def state(self) -> None:
        """Nothing: every epoch's streams are derived anew."""


class BookStream:
    """One legacy generator for everything, as the book's program has it: what is drawn first changes all that follows.

    Args:
        seed: the spec's; 0 in the book.
    """

    def __init__(self, seed: int) -> None:
        self._legacy = np.random.RandomState(seed)

    def of(self, purpose: Purpose, epoch: int = 0) -> Random:
        """The same generator whatever it is for, where the last draw has left it."""
        return self._legacy

    def state(self) -> list[int | float]:
        """The words of the generator, its position in them, and the normal number it holds back, if any."""
        state = self._legacy.get_state(legacy=False)
        held = (state["has_gauss"], state["gauss"])
        return [*map(int, state["state"]["key"]), int(state["state"]["pos"]), *held]


def streams(rng: str, seed: int) -> Streams:
    """The streams that ``rng`` names in a spec."""
    return BookStream(seed) if rng == "nnfs" else DerivedStreams(seed)
