"""The data of a plot as JSON values."""

import math
from typing import Any

import numpy as np


def json_values(value: Any) -> Any:
    """Named tuples as objects, arrays as nested lists, and null for NaN and infinity.

    >>> json_values([1.5, float("nan"), np.array([True, False])])
    [1.5, None, [True, False]]
    """
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {name: json_values(each) for name, each in value._asdict().items()}
    if isinstance(value, dict):
        return {str(name): json_values(each) for name, each in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return json_values(value.tolist())
    if isinstance(value, list | tuple):
        return [json_values(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
