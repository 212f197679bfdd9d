"""The transform of a column of numbers, fitted on training rows."""

import numpy as np

from nncli.data.transforms.moments import Array, is_constant
from nncli.data.transforms.state import Fitted, State, require, validated_state
from nncli.registry import Model, Positive, kind


@kind("transform")
class Transform(Fitted):
    """Scales the values of a column element-wise, so that chunks of rows have the same bits as all rows.

    After ``fit``, ``is_constant`` is true if the scaled training values are equal up to rounding; ``apply`` then
    returns 0 for them, without a division by 0.
    """

    is_constant = False

    def fit(self, values: Array) -> None:
        """Fit to training values (N,) without NaN; the array is overwritten."""
        self.is_constant = is_constant(values)

    def apply(self, values: Array) -> Array:
        """The scaled values (N,), a new array; infinite where the result is beyond float64."""
        raise NotImplementedError(f"{type(self).__name__} has no apply")


class AffineState(Model):
    """The state of an affine transform.

    Args:
        center: the number that is subtracted.
        scale: the divisor.
    """

    center: float
    scale: Positive


class Affine(Transform):
    """Subtracts a center c and divides by a scale s: y = (x − c) / s; s is 1 if the values are constant."""

    center, scale = 0.0, 1.0

    def fit(self, values: Array) -> None:
        """Measure c and s."""
        super().fit(values)
        self.center, scale = self.measure(values)
        self.scale = 1.0 if self.is_constant or not scale else min(scale, float(np.finfo(np.float64).max))

    def measure(self, values: Array) -> tuple[float, float]:
        """c and s of values that may be overwritten."""
        raise NotImplementedError(f"{type(self).__name__} has no measure")

    def apply(self, values: Array) -> Array:
        """y = (x − c) / s; halved in numerator and denominator where the difference could overflow."""
        half = 0.5 if max(abs(self.center), self.scale) > 1e290 else 1.0
        with np.errstate(over="ignore"):
            scaled: Array = values * half
            scaled -= self.center * half  # x − c
            scaled /= self.scale * half  # (x − c) / s
        return scaled

    def state(self) -> State:
        """c and s."""
        return {"center": self.center, "scale": self.scale}

    def restore(self, state: State) -> None:
        """Restore c and s."""
        restored = validated_state(state, AffineState)
        require(restored.scale * 0.5 > 0, "scale", "too small to divide by")
        self.center, self.scale = restored.center, restored.scale
