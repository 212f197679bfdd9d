"""The toy data sets of the book, from nnfs.datasets."""

from collections.abc import Iterator
from contextlib import contextmanager
from math import gcd
from threading import RLock
from typing import Any

import numpy as np
from nnfs.datasets import sine_data, spiral_data, vertical_data
from numpy.typing import NDArray

from nncli.data.dataset import DataSchema, Dataset, Random
from nncli.data.source import Source
from nncli.data.sources.plane import Classes, PlaneSource, Samples
from nncli.registry import Seed, register


class ClassificationToy(PlaneSource):
    """Points in the plane, the same number in each class, with random noise.

    nnfs samples from NumPy's global generator, whose state is restored afterwards.

    Args:
        samples: points per class.
        classes: the number of classes.
        seed: seed of nnfs' generator, 0 for the book's points; derived from the config's seed by default.
    """

    def __init__(self, samples: Samples = 100, classes: Classes = 3, seed: Seed | None = None) -> None:
        self.samples, self.classes, self.seed = samples, classes, seed

    def draw(self, rng: Random) -> Dataset:
        """The points of ``seed`` if it is given, else the next ones of ``rng``."""
        with legacy_state(rng if self.seed is None else np.random.RandomState(self.seed)):
            return Dataset(*self.points(), self.classes)

    def points(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """Sample points (N, 2) and class labels (N,) from NumPy's global generator."""
        raise NotImplementedError(f"{type(self).__name__} has no points")


@register("spiral", alias="spiral_data")
class Spiral(ClassificationToy):
    """Interleaved spiral arms, one per class, with random angular noise.

        r = 0 … 1,  t = 4c … 4(c + 1) + 0.2 n         n standard normal, c the class
        x = (r sin 2.5t, r cos 2.5t)

    The classes are not linearly separable.

    Source: nnfs.datasets.spiral_data, after Karpathy's CS231n case study; Kinsley and Kukieła 2020, chapter 3.
    """

    def points(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """Sample the arms, one after another."""
        inputs, targets = spiral_data(self.samples, self.classes)
        return inputs, targets


@register("vertical", alias="vertical_data")
class Vertical(ClassificationToy):
    """Overlapping Gaussian clusters side by side, one per class.

        x = (0.1 n₁ + c/3, 0.1 n₂ + 0.5)              n₁, n₂ standard normal, c the class

    Vertical lines are nearly the best possible decision boundaries.

    Source: nnfs.datasets.vertical_data; Kinsley and Kukieła 2020, chapter 6.
    """

    def points(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """Sample the clusters, one after another."""
        inputs, targets = vertical_data(self.samples, self.classes)
        return inputs, targets


@register("sine", alias="sine_data")
class Sine(Source):
    """One period of a sine, sampled at equal distances without noise.

        x = 0, 1/N, …, (N − 1)/N,   y = sin 2πx

    Sets of N and of M samples share gcd(N, M) points, only x = 0 if N and M are coprime.

    Args:
        samples: N, the number of points.

    Source: nnfs.datasets.sine_data; Kinsley and Kukieła 2020, chapter 17.
    """

    def __init__(self, samples: Samples = 1000) -> None:
        self.samples = samples

    def open(self) -> DataSchema:
        """The schema: one feature, one real-valued target."""
        return DataSchema(features=["x"], targets=["y"], class_names=None, class_counts=[self.samples])

    def shared_rows(self, other: Source) -> int:
        """The number of common points, unless x = 0 is the only one: i/N = j/M at multiples of 1 / gcd(N, M)."""
        shared = gcd(self.samples, other.samples) if isinstance(other, Sine) else 0
        return shared if shared > 1 else 0

    def draw(self, rng: Random) -> Dataset:
        """All points in ascending order; ``rng`` is not used."""
        inputs, targets = sine_data(self.samples)
        return Dataset(inputs, targets, None)


_global_generator = RLock()  # of NumPy, which all threads share


@contextmanager
def legacy_state(rng: Random) -> Iterator[None]:
    """Let NumPy's global generator, from which nnfs samples, continue ``rng``; its state is restored afterwards.

    A legacy ``rng`` is advanced by what is sampled; any other one provides a seed. Other threads wait meanwhile.
    """
    legacy = rng if isinstance(rng, np.random.RandomState) else np.random.RandomState(int(rng.integers(2**32)))
    with _global_generator:
        before = np.random.get_state()
        np.random.set_state(legacy.get_state())
        try:
            yield
        finally:
            legacy.set_state(np.random.get_state())
            np.random.set_state(before)
