"""Where random numbers come from: a stream for each purpose and epoch, or the book's one stream for everything."""

from enum import IntEnum
from typing import Any, Protocol, TypeAlias

import numpy as np

from nncli.nn.kernels.dropout_mask import Random

RngState: TypeAlias = list[int | float]

WORDS = 624  # of a legacy generator, a Mersenne twister


class Purpose(IntEnum):
    """What a stream is for; a stream's number never changes, or old specs would give new runs."""

    TRAINING = 0
    VALIDATION = 1
    TEST = 2
    SPLIT = 3
    WEIGHTS = 4
    DROPOUT = 5
    ORDER = 6


class RngStreams(Protocol):
    """Hands out random numbers for a purpose."""

    def of(self, purpose: Purpose, epoch: int = 0) -> Random:
        """The numbers for this purpose in this epoch."""

    def state(self, under_way: bool) -> RngState | None:
        """What is needed to go on from here besides the seed; None where that is nothing.

        Args:
            under_way: whether it is in the middle of an epoch.
        """

    def restore(self, state: RngState) -> None:
        """Go on from a state that ``state`` has told; in the middle of an epoch its rngs have been asked for.

        Raises:
            ValueError: it is none.
        """


class DerivedRngs:
    """Random generators that depend on seed, purpose and epoch alone, not on what was drawn before.

    Adding a dropout layer therefore leaves the initial weights as they were, and any epoch can be trained again.

    Args:
        seed: the config's.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._masks: np.random.Generator | None = None

    def of(self, purpose: Purpose, epoch: int = 0) -> Random:
        """The generator of ``SeedSequence([seed, purpose, epoch])``."""
        generator = np.random.default_rng(np.random.SeedSequence([self.seed, purpose, epoch]))
        if purpose is Purpose.DROPOUT:
            self._masks = generator
        return generator

    def state(self, under_way: bool) -> RngState | None:
        """The number that the generator of this epoch's masks is at; between epochs nothing: all are derived anew."""
        if self._masks is None or not under_way:
            return None
        return [self._masks.bit_generator.state["state"]["state"]]

    def restore(self, state: RngState) -> None:
        """Draw the masks behind those that had been drawn when ``state`` was told.

        Raises:
            ValueError: it is no state of such a generator, or no masks are drawn.
        """
        if self._masks is None or len(state) != 1 or not 0 <= state[0] < 2**128:
            raise ValueError("it is not the one number of a generator that draws masks")
        known = self._masks.bit_generator.state
        self._masks.bit_generator.state = {**known, "state": {**known["state"], "state": int(state[0])}}


class BookRng:
    """One legacy generator for everything, as the book's program has it: what is drawn first changes all that follows.

    Args:
        seed: the config's; 0 in the book.
    """

    def __init__(self, seed: int) -> None:
        self._legacy = np.random.RandomState(seed)

    def of(self, purpose: Purpose, epoch: int = 0) -> Random:
        """The same generator whatever it is for, where the last draw has left it."""
        return self._legacy

    def state(self, under_way: bool) -> RngState:
        """The words of the generator, its position in them, and the normal number it holds back, if any."""
        told: Any = self._legacy.get_state()
        return [*told[1].tolist(), *told[2:]]

    def restore(self, state: RngState) -> None:
        """Go on behind what had been drawn when ``state`` was told.

        Raises:
            ValueError: it is no state of this generator.
        """
        words, (position, has_held, held) = state[:WORDS], state[WORDS:] if len(state) == WORDS + 3 else (-1, 0, 0)
        right = all(type(word) is int and 0 <= word < 2**32 for word in words) and has_held in (0, 1)
        if not right or not any(words) or not 0 <= position <= WORDS:
            raise ValueError(f"it is not {WORDS} words, not all 0, a position among them, and a number held back")
        self._legacy.set_state(("MT19937", np.array(words, np.uint32), int(position), int(has_held), float(held)))


def rngs(rng: str, seed: int) -> RngStreams:
    """The rngs that ``rng`` names in a config."""
    return BookRng(seed) if rng == "nnfs" else DerivedRngs(seed)
