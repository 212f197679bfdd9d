"""The toy data sets of TensorFlow Playground and scikit-learn, with adjustable noise."""

from math import pi
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nncli.data.dataset import Dataset, Random
from nncli.data.source import Source
from nncli.data.sources.plane import Classes, PlaneSource, Samples
from nncli.registry import NonNegative, Seed, UnitInterval, register

GAP = 0.06  # between the squares of xor and the axes: 0.3 in the square from −5 to 5 of TensorFlow Playground


class NoisyPlaneSource(PlaneSource):
    """Points in the plane, the same number in each class, with normally distributed noise in both coordinates.

    Args:
        samples: points per class.
        noise (σ): standard deviation of the noise; 0 for none.
        seed: seed of NumPy's legacy generator, as scikit-learn's random_state; derived from the config's seed by
            default.
    """

    def __init__(self, samples: Samples = 100, noise: NonNegative = 0.1, seed: Seed | None = None) -> None:
        self.samples, self.noise, self.seed = samples, noise, seed

    @property
    def is_random(self) -> bool:
        """Without noise the points do not depend on random numbers."""
        return self.noise > 0

    def draw(self, rng: Random) -> Dataset:
        """The points of ``seed`` if it is given, else the next ones of ``rng``, one class after another."""
        rng = rng if self.seed is None else np.random.RandomState(self.seed)
        points = self.exact_points(rng)
        if self.noise:
            points += self.noise * rng.standard_normal(points.shape)
        return Dataset(points, np.repeat(np.arange(self.classes, dtype=np.uint8), self.samples), self.classes)

    def exact_points(self, rng: Random) -> NDArray[Any]:
        """The points (N, 2) before noise is added, one class after another."""
        raise NotImplementedError(f"{type(self).__name__} has no exact_points")


class CurveSource(NoisyPlaneSource):
    """Points on curves, at places that do not depend on random numbers, with normally distributed noise."""

    def shared_rows(self, other: Source) -> int:
        """The number of points that two sets without noise have in common, up to rounding."""
        if self.is_random or not isinstance(other, CurveSource) or other.is_random:
            return 0
        own, others = (each.curves().round(12) @ [1, 1j] for each in (self, other))  # (x, y) as x + iy
        return int(np.isin(own, others).sum())

    def exact_points(self, rng: Random) -> NDArray[Any]:
        """The points on the curves."""
        return self.curves()

    def curves(self) -> NDArray[Any]:
        """The points (N, 2) on the curves, one class after another."""
        raise NotImplementedError(f"{type(self).__name__} has no curves")


@register("moons")
class Moons(CurveSource):
    """Two interleaving half circles, one per class, with normally distributed noise.

        t = 0 … π in equal steps,   n₁, n₂ standard normal
        x = (cos t + σ n₁, sin t + σ n₂)              class 0
        x = (1 − cos t + σ n₁, ½ − sin t + σ n₂)      class 1

    The classes are not linearly separable; the half circles are 0.5 apart. The points are those of scikit-learn for
    the same number of points and ``random_state``, without its shuffling.

    Source: sklearn.datasets.make_moons, whose n_samples counts both classes together.
    """

    def curves(self) -> NDArray[Any]:
        """The upper half circle, then the lower one, which is shifted."""
        t = np.linspace(0, pi, self.samples)
        x = np.concatenate([np.cos(t), 1 - np.cos(t)])
        y = np.concatenate([np.sin(t), 0.5 - np.sin(t)])
        return np.stack([x, y], axis=1)


@register("circles")
class Circles(CurveSource):
    """A circle within a circle, one per class, with normally distributed noise.

        t = 0 … 2π in equal steps, without 2π,   n₁, n₂ standard normal
        x = (cos t + σ n₁, sin t + σ n₂)              class 0
        x = (f cos t + σ n₁, f sin t + σ n₂)          class 1

    The classes are not linearly separable. The points are those of scikit-learn for the same number of points and
    ``random_state``, without its shuffling.

    Args:
        factor (f): the ratio of the two radii, inner to outer.

    Source: sklearn.datasets.make_circles, whose n_samples counts both classes together and whose factor is 0.8.
    """

    def __init__(
        self,
        samples: Samples = 100,
        noise: NonNegative = 0.1,
        factor: UnitInterval = 0.5,
        seed: Seed | None = None,
    ) -> None:
        super().__init__(samples, noise, seed)
        self.factor = factor

    def curves(self) -> NDArray[Any]:
        """The outer circle, then the inner one."""
        t = np.linspace(0, 2 * pi, self.samples, endpoint=False)
        outer = np.stack([np.cos(t), np.sin(t)], axis=1)
        return np.vstack([outer, self.factor * outer])


@register("gaussians")
class Gaussians(CurveSource):
    """Gaussian clusters around equally spaced points of a circle, one per class.

        φ = π/4 + 2πc/K                               c the class, n₁, n₂ standard normal
        x = (cos φ + σ n₁, sin φ + σ n₂)

    Two classes are linearly separable but for a few points. Many classes need less noise: neighboring centers are
    2 sin(π/K) apart.

    Args:
        classes (K): the number of classes.

    Source: classifyTwoGaussData of TensorFlow Playground, dataset.ts, with centers at ±(2, 2) and a variance of 0.5
        without its noise: divided by 2√2, that is a standard deviation of 0.25.
    """

    def __init__(
        self,
        samples: Samples = 100,
        classes: Classes = 2,
        noise: NonNegative = 0.25,
        seed: Seed | None = None,
    ) -> None:
        super().__init__(samples, noise, seed)
        self.classes = classes

    def curves(self) -> NDArray[Any]:
        """The center of each class, as often as it has samples."""
        angle = pi / 4 + 2 * pi * np.arange(self.classes) / self.classes
        return np.repeat(np.stack([np.cos(angle), np.sin(angle)], axis=1), self.samples, axis=0)


@register("xor")
class Xor(NoisyPlaneSource):
    """Four squares around the origin; the class says whether the signs of the two coordinates differ.

        s = ±1 at random,   u₁, u₂ uniform in 0 … 1,   n₁, n₂ standard normal,   c the class
        x = (s (u₁ + 0.06) + σ n₁, (−1)ᶜ s (u₂ + 0.06) + σ n₂)

    The classes are not linearly separable, since both have their mean at the origin.

    Source: classifyXORData of TensorFlow Playground, dataset.ts, divided by 5. It adds its noise, which is uniform,
        for the choice of the class only, and has about as many points in each class.
    """

    def __init__(self, samples: Samples = 100, noise: NonNegative = 0.05, seed: Seed | None = None) -> None:
        super().__init__(samples, noise, seed)

    @property
    def is_random(self) -> bool:
        """The points within the squares are random, even without noise."""
        return True

    def exact_points(self, rng: Random) -> NDArray[Any]:
        """Points in two opposite squares for each class."""
        sign = np.where(rng.uniform(size=2 * self.samples) < 0.5, -1, 1)  # s
        alternating = np.repeat([1, -1], self.samples)  # (−1)ᶜ
        return np.stack([sign, alternating * sign], axis=1) * (rng.uniform(size=(2 * self.samples, 2)) + GAP)
