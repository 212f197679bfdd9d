"""The names of the scalings of arrays, which ``array_scaling`` computes."""

from typing import Literal, TypeAlias

ScalingName: TypeAlias = Literal["standardize", "min_max", "symmetric", "none"]
