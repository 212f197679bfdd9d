"""Random number generators: one per purpose and epoch derived from the seed, or the single legacy one of the book."""

from collections.abc import Mapping
from enum import IntEnum
from typing import Any, Protocol, TypeAlias

import numpy as np

from nncli.config.model import Config
from nncli.data.dataset import Random

RngState: TypeAlias = dict[str, Any]  # the state of a bit generator as NumPy returns it, with lists instead of arrays

KEY_LENGTH = 624  # 32-bit integers in the state of a Mersenne Twister


class Purpose(IntEnum):
    """What random numbers are for; the values never change, or old configs would give other runs."""

    TRAINING = 0
    VALIDATION = 1
    TEST = 2
    SPLIT = 3
    WEIGHTS = 4
    DROPOUT = 5
    ORDER = 6


SEEDS = {  # the key of the section ``seeds`` for each purpose
    Purpose.TRAINING: "data",
    Purpose.VALIDATION: "data",
    Purpose.TEST: "data",
    Purpose.SPLIT: "split",
    Purpose.WEIGHTS: "weights",
    Purpose.DROPOUT: "dropout",
    Purpose.ORDER: "order",
}
DATA = {Purpose.TRAINING, Purpose.VALIDATION, Purpose.TEST, Purpose.SPLIT}  # the other purposes are those of training


class RngStreams(Protocol):
    """The random number generators of an experiment."""

    def of(self, purpose: Purpose, epoch: int = 0) -> Random:
        """The generator for this purpose in this epoch."""

    def state(self, within_epoch: bool) -> RngState | None:
        """The state to resume from; None if the seed and the epoch determine it.

        Args:
            within_epoch: whether some batches of the epoch have been trained, but not all.
        """

    def restore(self, state: RngState) -> None:
        """Continue from a state; within an epoch, the generators of that epoch have been requested before.

        Raises:
            ValueError: it is not a state of these generators.
        """


class DerivedRngs:
    """Generators that depend on seed, purpose and epoch only, not on what was drawn before.

    Adding a dropout layer therefore does not change the initial weights, and any epoch can be reproduced alone.

    Args:
        seeds: the seed for each purpose.
    """

    def __init__(self, seeds: Mapping[Purpose, int]) -> None:
        self.seeds = seeds
        self._dropout: np.random.Generator | None = None

    def of(self, purpose: Purpose, epoch: int = 0) -> Random:
        """The generator of ``SeedSequence([seed, purpose, epoch])``."""
        generator = np.random.default_rng(np.random.SeedSequence([self.seeds[purpose], purpose, epoch]))
        if purpose is Purpose.DROPOUT:
            self._dropout = generator
        return generator

    def state(self, within_epoch: bool) -> RngState | None:
        """The state of the generator of this epoch's dropout masks; None between epochs and without dropout."""
        return dict(self._dropout.bit_generator.state) if self._dropout and within_epoch else None

    def restore(self, state: RngState) -> None:
        """Continue the dropout masks of this epoch from a state.

        Raises:
            ValueError: it is not a state of that generator, or the network has no dropout.
        """
        if self._dropout is None:
            raise ValueError("it has the state of a generator of dropout masks, but the network has no dropout")
        self._dropout.bit_generator.state = _pcg64_state(state, dict(self._dropout.bit_generator.state))


class BookRng:
    """One legacy generator for everything, as in the book's program: each draw changes all later ones.

    If data and training have different seeds, each of the two has a generator of its own, with the same order of draws.

    Args:
        data: the seed of the data sets; 0 in the book.
        training: the seed of the weights, the order of rows and the dropout masks.
    """

    def __init__(self, data: int, training: int) -> None:
        self._legacy = np.random.RandomState(training)
        self._data = self._legacy if data == training else np.random.RandomState(data)

    def of(self, purpose: Purpose, epoch: int = 0) -> Random:
        """The generator of the data, or that of training, whatever the epoch."""
        return self._data if purpose in DATA else self._legacy

    def state(self, within_epoch: bool) -> RngState:
        """The state of the generator of training, including its cached Gaussian.

        If data has another one, all of its numbers are drawn before training.
        """
        state: Any = self._legacy.get_state(legacy=False)
        return {**state, "state": {**state["state"], "key": state["state"]["key"].tolist()}}

    def restore(self, state: RngState) -> None:
        """Continue from a state.

        Raises:
            ValueError: it is not a state of this generator.
        """
        self._legacy.set_state(_mt19937_state(state))


def rngs(config: Config) -> RngStreams:
    """The generators that the keys ``rng``, ``seed`` and ``seeds`` of a config describe; it may have no other keys."""
    if config.rng == "nnfs":
        return BookRng(config.seed_of("data"), config.seed_of("weights"))
    return DerivedRngs({purpose: config.seed_of(key) for purpose, key in SEEDS.items()})


def _pcg64_state(state: RngState, current: RngState) -> RngState:
    """A validated state of PCG64; what a version 1 checkpoint lacks is taken from the current state.

    Raises:
        ValueError: it is not a state, or the state of a generator with another seed.
    """
    inner = _mapping(state.get("state"))
    merged = {**current, **state, "state": {**current["state"], **inner}}
    is_valid = (
        state.get("bit_generator") == current["bit_generator"]
        and _is_below(inner.get("state"), 2**128)
        and merged["state"]["inc"] == current["state"]["inc"]
        and _is_below(merged["has_uint32"], 2)
        and _is_below(merged["uinteger"], 2**32)
    )
    if not is_valid:
        raise ValueError("the state of its random numbers is not a state of the generator of dropout masks")
    return merged


def _mt19937_state(state: RngState) -> RngState:
    """A validated state of the Mersenne Twister: 624 integers, not all of them 0, an index, and a cached Gaussian.

    Raises:
        ValueError: it is not such a state.
    """
    inner = _mapping(state.get("state"))
    key, gauss = inner.get("key"), state.get("gauss")
    is_valid = (
        state.get("bit_generator") == "MT19937"
        and isinstance(key, list)
        and len(key) == KEY_LENGTH
        and all(_is_below(value, 2**32) for value in key)
        and any(key)
        and _is_below(inner.get("pos"), KEY_LENGTH + 1)
        and _is_below(state.get("has_gauss"), 2)
        and type(gauss) in {int, float}
    )
    if not is_valid:
        raise ValueError("the state of its random numbers is not a state of the legacy generator")
    return {**state, "state": {**inner, "key": np.array(key, np.uint32)}, "gauss": float(gauss or 0)}


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _is_below(value: Any, limit: int) -> bool:
    return type(value) is int and 0 <= value < limit
