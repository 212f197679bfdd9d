"""The book's data sets, from nnfs.datasets."""

from collections.abc import Iterator
from contextlib import contextmanager
from math import gcd
from typing import Annotated, Any

import numpy as np
from nnfs.datasets import sine_data, spiral_data, vertical_data
from numpy.typing import NDArray

from nncli.data.dataset import Dataset, Random
from nncli.data.source import Source
from nncli.registry import Bounds, Seed, register

Samples = Annotated[int, Bounds(ge=1, le=1_000_000)]
Classes = Annotated[int, Bounds(ge=2, le=255)]  # nnfs counts classes in eight bits


class ClassificationToy(Source):
    """Points of two coordinates, equally many in each class, pushed about by chance.

    nnfs draws from NumPy's global generator; its state is put back afterwards, as if nothing had been drawn.

    Args:
        samples: points per class.
        classes: how many classes there are.
        seed: the seed of nnfs' own generator, 0 for the book's points; from the config's seed where it is not given.
    """

    def __init__(self, samples: Samples = 100, classes: Classes = 3, seed: Seed | None = None) -> None:
        self.samples, self._classes, self.seed = samples, classes, seed

    @property
    def class_counts(self) -> tuple[int, ...]:
        """As many samples in each class."""
        return (self.samples,) * self._classes

    @property
    def columns(self) -> int:
        """Two coordinates."""
        return 2

    @property
    def classes(self) -> int:
        """As many as were asked for."""
        return self._classes

    def draw(self, rng: Random) -> Dataset:
        """The points of ``seed`` where there is one, else the next ones of ``rng``."""
        with legacy_state(rng if self.seed is None else np.random.RandomState(self.seed)):
            return Dataset(*self.points(), self._classes)

    def points(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """The next points (N, 2) of NumPy's global generator, and their classes (N,)."""
        raise NotImplementedError(f"{type(self).__name__} has no points")


@register("spiral", alias="spiral_data")
class Spiral(ClassificationToy):
    """Arms of a spiral, one a class, each point turned about the centre by chance.

        r = 0 … 1,  t = 4c … 4(c + 1) + 0.2 n         n standard normal, c the class
        x = (r sin 2.5t, r cos 2.5t)

    No straight line parts the classes, and none is far from another.

    Source: nnfs.datasets.spiral_data, after Karpathy's CS231n case study; Kinsley and Kukieła 2020, chapter 3.
    """

    def points(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """The arms, one after another."""
        inputs, targets = spiral_data(self.samples, self._classes)
        return inputs, targets


@register("vertical", alias="vertical_data")
class Vertical(ClassificationToy):
    """Round clouds side by side, one a class, so near that neighbours touch.

        x = (0.1 n₁ + c/3, 0.1 n₂ + 0.5)              n₁, n₂ standard normal, c the class

    Upright lines part them about as well as anything can.

    Source: nnfs.datasets.vertical_data; Kinsley and Kukieła 2020, chapter 6.
    """

    def points(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """The clouds, one after another."""
        inputs, targets = vertical_data(self.samples, self._classes)
        return inputs, targets


@register("sine", alias="sine_data")
class Sine(Source):
    """One period of a sine, at equal distances; nothing in it is random.

        x = 0, 1/N, …, (N − 1)/N,   y = sin 2πx

    Sets of N and of M samples share gcd(N, M) points: x = 0 alone where N and M have no common divisor.

    Args:
        samples: N, the number of points.

    Source: nnfs.datasets.sine_data; Kinsley and Kukieła 2020, chapter 17.
    """

    def __init__(self, samples: Samples = 1000) -> None:
        self.samples = samples

    @property
    def class_counts(self) -> tuple[int, ...]:
        """As many rows as samples."""
        return (self.samples,)

    @property
    def columns(self) -> int:
        """x alone."""
        return 1

    @property
    def classes(self) -> None:
        """None: y is a number."""
        return

    def shared_rows(self, other: Source) -> int:
        """The points that both hit, unless x = 0 is the only one: i/N = j/M at multiples of 1 / gcd(N, M)."""
        shared = gcd(self.rows, other.rows)
        return shared if shared > 1 else 0

    def draw(self, rng: Random) -> Dataset:
        """All points in their order; ``rng`` is not asked."""
        inputs, targets = sine_data(self.samples)
        return Dataset(inputs, targets, None)


@contextmanager
def legacy_state(rng: Random) -> Iterator[None]:
    """NumPy's global generator, from which nnfs draws, standing in for ``rng``; afterwards it is as it was.

    A legacy ``rng`` goes on behind what was drawn; any other one gives the seed.
    """
    here = rng if isinstance(rng, np.random.RandomState) else np.random.RandomState(int(rng.integers(2**32)))
    before = np.random.get_state()
    np.random.set_state(here.get_state())
    try:
        yield
    finally:
        here.set_state(np.random.get_state())
        np.random.set_state(before)
