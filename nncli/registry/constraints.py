"""Constraints on the values of parameters: bounds, and the ranges that several components share."""

from typing import Annotated, Any

from pydantic_core import CoreSchema


class Bounds:
    """Bounds of a value, named as in pydantic-core (gt, ge, lt, le, multiple_of, ...), with an example value."""

    def __init__(self, example: Any = None, **limits: Any) -> None:
        self.example, self.limits = example, limits

    def core(self, inner: Any) -> CoreSchema:
        """The schema of a value within the bounds."""
        return {**inner, **self.limits, "metadata": {"example": self.example}}


Count = Annotated[int, Bounds(64, ge=1)]
Positive = Annotated[float, Bounds(1.0, gt=0)]
NonNegative = Annotated[float, Bounds(0.0, ge=0)]
UnitInterval = Annotated[float, Bounds(0.1, ge=0, lt=1)]  # [0, 1)
Probability = Annotated[float, Bounds(0.5, ge=0, le=1)]  # [0, 1]
Seed = Annotated[int, Bounds(ge=0, le=2**32 - 1)]
