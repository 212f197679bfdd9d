"""Weights of the rows of a table in the loss: sample weights and class weights."""

from collections.abc import Mapping, Sequence
from itertools import repeat
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from nncli.config.diagnostics import shown
from nncli.data.columns import CellProblem, Number
from nncli.data.delimited.problems import Problems
from nncli.data.source import SourceError
from nncli.data.table import Table

Array = NDArray[Any]
SAMPLE_WEIGHT, CLASS_WEIGHTS = "sample_weight", "class_weights"  # keys of the source


def sample_weights(table: Table, column: str) -> Array:
    """The weight of each row (N,), 0 or larger.

    Raises:
        SourceError: the column is not a number column, a weight is missing or negative, or all are 0.
    """
    if not isinstance(table.columns[column], Number):
        raise SourceError(f"the column {shown(column)} has to be of numbers", SAMPLE_WEIGHT)
    weights, problems = table.values(column), Problems(table.name)
    wrong = np.flatnonzero(~(weights >= 0)).tolist()
    texts = ("" if np.isnan(weights[row]) else f"{weights[row]:g}" for row in wrong)
    problems.add_cells(column, list(map(CellProblem, wrong, texts, repeat(_reason))), table.line)
    if problems.count:
        raise problems.error()
    if not weights.any():
        raise SourceError(f"{table.name}: all weights in column {shown(column)} are 0", SAMPLE_WEIGHT)
    return weights


def _reason(text: str) -> str:
    """What is wrong with a weight."""
    return f"the weight {f'{text} is negative' if text else 'is missing'}; write 0 if the row does not count"


def class_weights(given: Literal["balanced"] | Mapping[str, float], names: Sequence[str], labels: Array) -> Array:
    """The weight c (C,) of each class.

        c_k = N / (K N_k)         balanced: N rows, N_k of class k, and K classes that have rows

    Balanced classes count the same in total, however many rows they have.

    Args:
        given: the weights by class name (default: 1), or ``balanced``.
        names: the names of the classes.
        labels: the classes (N,) of the training rows.

    Source: King and Zeng 2001; compute_class_weight of scikit-learn.
    """
    if given != "balanced":
        return np.array([given.get(name, 1.0) for name in names])
    counts = np.bincount(labels, minlength=len(names))
    return len(labels) / (np.count_nonzero(counts) * np.maximum(counts, 1))


def require_classes(given: Literal["balanced"] | Mapping[str, float], names: Sequence[str] | None) -> None:
    """Require that each class with a weight exists.

    Raises:
        SourceError: a class does not exist, or the target is numeric.
    """
    if names is None:
        raise SourceError("the target is numeric, so that there are no classes; write sample_weight", CLASS_WEIGHTS)
    unknown = [] if given == "balanced" else [name for name in given if name not in names]
    if unknown:
        listed = f"{', '.join(map(shown, unknown))} {'is not a class' if len(unknown) == 1 else 'are not classes'}"
        raise SourceError(f"{listed}; the classes are {', '.join(names[:20])}", CLASS_WEIGHTS)
