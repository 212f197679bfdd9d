"""Sample weights and class weights with the conventions of scikit-learn."""

from collections.abc import Mapping
from numbers import Real
from typing import Any

import numpy as np

from nncli.config.diagnostics import shown
from nncli.nn.parameters import Array

MAX_NAMED = 20


def weighted_rows(inputs: Array, targets: Array, sample_weight: Any) -> tuple[Array, Array, Array | None]:
    """Remove the rows of weight 0; return inputs, targets and weights (N,), None if all weights are equal.

    Args:
        inputs: (N, D).
        targets: (N,) or (N, M).
        sample_weight: the weights (N,), or one number for all rows; None for 1.

    Raises:
        ValueError: the weights are not (N,), one is negative or not finite, or all are zero.
    """
    if sample_weight is None:
        return inputs, targets, None
    try:
        weights = np.asarray(sample_weight, np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"sample_weight must be a number for each row: {error}") from None
    weights = np.full(len(inputs), weights) if weights.ndim == 0 else weights
    if weights.shape != (len(inputs),):
        raise ValueError(f"sample_weight must have the shape ({len(inputs)},), got {weights.shape}")
    is_wrong = ~(np.isfinite(weights) & (weights >= 0))
    if is_wrong.any():
        row = int(np.argmax(is_wrong))
        raise ValueError(f"sample_weight[{row}] must be 0 or more, got {weights[row]:g}; write 0 to leave the row out")
    if not weights.any():
        raise ValueError("sample_weight is zero for all rows; give the rows that count a weight")
    counts = weights > 0
    if not counts.all():
        inputs, targets, weights = inputs[counts], targets[counts], weights[counts]
    return inputs, targets, None if (weights == weights[0]).all() else weights


def class_weights(given: Any, classes: Array, labels: Array, weights: Array | None) -> Array | None:
    """The weight (C,) of each class; None if all count the same.

        c_k = Σ w / (C Σ w of class k)            balanced

    Args:
        given: the parameter ``class_weight``.
        classes: the classes (C,).
        labels: the index of the class of each row (N,).
        weights: w, the weights of the rows (N,); None for 1.

    Raises:
        ValueError: ``given`` is neither ``balanced`` nor a mapping of classes to weights.
    """
    if given is None:
        return None
    if isinstance(given, str) and given == "balanced":
        totals = np.bincount(labels, weights)
        return np.asarray(totals.sum() / (len(totals) * totals))
    is_mapping = isinstance(given, Mapping)
    if not is_mapping:
        raise ValueError(f"class_weight must be 'balanced', a mapping from classes to weights, or None, got {given!r}")
    for name, weight in given.items():
        if not isinstance(weight, Real) or not 0 <= float(weight) < np.inf:
            raise ValueError(f"class_weight of {shown(_plain(name))} must be a number of 0 or more, got {weight}")
    known = classes.tolist()
    unknown = [name for name in given if name not in known]
    if unknown and any(name not in given for name in known):  # weights of further classes are no mistake
        listed = ", ".join(shown(name) for name in known[:MAX_NAMED])
        raise ValueError(f"class_weight: {shown(_plain(unknown[0]))} is not a class; the classes are {listed}")
    of_class = np.array([given.get(name, 1.0) for name in known], np.float64)
    if not of_class.any():
        raise ValueError("class_weight is zero for all classes; give one of them a weight")
    return of_class


def _plain(label: Any) -> Any:
    """A label as a Python value."""
    return label.item() if isinstance(label, np.generic) else label
