"""The quantile transform: values by their rank among the training values."""

from statistics import NormalDist
from typing import Annotated, Literal

import numpy as np

from nncli.data.transforms.moments import Array, quantiles_of_sorted
from nncli.data.transforms.state import State, require, validated_state
from nncli.data.transforms.transform import Transform
from nncli.registry import Bounds, Model, register

Points = Annotated[list[float], Bounds(min_length=1, max_length=1000)]


class QuantileState(Model):
    """The state of a quantile transform.

    Args:
        quantiles: distinct training values, ascending.
        scores: the value that each becomes.
    """

    quantiles: Points
    scores: Points


@register("quantile")
class Quantile(Transform):
    """Rank-based transform: training values follow a standard normal or a uniform distribution.

        y = Φ⁻¹(p)                                normal; Φ standard normal CDF
        y = p                                     uniform, from 0 to 1
        p = (k + ½) / n at the quantile q_k       k = 0, 1, … n − 1; n = min(N, Q)

    Q quantiles at most are kept. Values between two quantiles are interpolated linearly in y, values outside get the y
    of the first or last one. Equal quantiles are one, with their mean p.

    Args:
        distribution: the distribution of the scaled training values.
        quantiles (Q): the largest number of quantiles.

    Source: van der Waerden 1952, with the plotting positions of Hazen 1914; scikit-learn's QuantileTransformer
        interpolates p, and sets the ends of the normal distribution to ±5.2.
    """

    def __init__(
        self,
        distribution: Literal["normal", "uniform"] = "normal",
        quantiles: Annotated[int, Bounds(1000, ge=2, le=1000)] = 1000,
    ) -> None:
        self.distribution, self.size = distribution, quantiles
        self.quantiles = self.scores = np.zeros(1)

    def fit(self, values: Array) -> None:
        """Sort the values, take the quantiles, and give equal ones their mean p."""
        super().fit(values)
        values.sort()
        kept = min(len(values), self.size)
        levels = (np.arange(kept) + 0.5) / kept  # p
        positions = np.clip(levels * len(values) - 0.5, 0, len(values) - 1)
        self.quantiles, of = np.unique(quantiles_of_sorted(values, positions), return_inverse=True)
        self.scores = np.bincount(of, levels) / np.bincount(of)  # the mean p
        if self.distribution == "normal":
            self.scores = np.array([NormalDist().inv_cdf(p) for p in self.scores])  # Φ⁻¹(p)

    def apply(self, values: Array) -> Array:
        """Interpolate."""
        return np.interp(values, self.quantiles, self.scores)

    def state(self) -> State:
        """The quantiles, and y of each."""
        return {"quantiles": self.quantiles.tolist(), "scores": self.scores.tolist()}

    def restore(self, state: State) -> None:
        """Take the quantiles, and y of each."""
        restored = validated_state(state, QuantileState)
        quantiles, scores = np.array(restored.quantiles), np.array(restored.scores)
        require(len(quantiles) == len(scores), "scores", f"{len(scores)} of them for {len(quantiles)} quantiles")
        for key, points in (("quantiles", quantiles), ("scores", scores)):
            require(bool((points[1:] > points[:-1]).all()), key, "not in ascending order")
        self.quantiles, self.scores = quantiles, scores
