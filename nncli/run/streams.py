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


class BookStream:
    """One legacy generator for everything, as the book's program has it: what is drawn first changes all that follows.

    Args:
        seed: the spec's; 0 in the book.
    """

    def __init__(self, seed: int) -> None:
        self._legacy = np.random.RandomState(seed)

    def of(self, purpose: Purpose, epoch: int = 0) -> Random:
        """The same generator whatever it is for, where the last draw has left it."""
        del purpose, epoch
        return self._legacy


def streams(rng: str, seed: int) -> Streams:
    """The streams that ``rng`` names in a spec."""
    return BookStream(seed) if rng == "nnfs" else DerivedStreams(seed)
