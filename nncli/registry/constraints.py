"""Constraints on the values of parameters: bounds and named ranges."""

from typing import Annotated, Any

from pydantic_core import CoreSchema


class Bounds:
    """What a value has to keep within, in the words of pydantic's core, and an example of one that does."""

    def __init__(self, example: Any = None, **limits: Any) -> None:
        self.example, self.limits = example, limits

    def core(self, inner: Any) -> CoreSchema:
        """The schema of a value that does."""
        return {**inner, **self.limits, "metadata": {"example": self.example}}


Count = Annotated[int, Bounds(64, ge=1)]
Positive = Annotated[float, Bounds(1.0, gt=0)]
NonNegative = Annotated[float, Bounds(0.0, ge=0)]
UnitInterval = Annotated[float, Bounds(0.1, ge=0, lt=1)]
Probability = Annotated[float, Bounds(0.5, ge=0, le=1)]
Seed = Annotated[int, Bounds(ge=0, le=2**32 - 1)]
