"""The common workload of nncli and its baselines: networks, data and initial weights."""

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

F = np.float32


class Workload(NamedTuple):
    """The start of a training; every step is one of Adam on all rows.

    inputs (N, D) and weights, each (D, M), are row-major float32; biases start at 0; targets (N,) are class labels.
    """

    widths: tuple[int, ...]
    inputs: Any
    targets: Any
    weights: list[Any]
    learning_rate: float = 0.001
    decay: float = 0.0


BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-7


def draw(shape):
    """Normal data, He weights, and classes that cannot be learned: each row occurs twice, with different classes.

    The loss therefore stays above log 2. If it went to 0, gradients would become subnormal, which slows processors
    down.
    """
    rng, (widths, rows) = np.random.default_rng(0), shape
    weights = [rng.standard_normal(pair, F) * np.sqrt(2 / pair[0], dtype=F) for pair in pairwise(widths)]
    points, classes = rng.standard_normal((rows // 2, widths[0]), F), rng.integers(0, widths[-1], rows // 2)
    inputs, targets = np.concatenate((points, points)), np.concatenate((classes, (classes + 1) % widths[-1]))
    return Workload(widths, inputs, targets, weights)


def spiral(weights_seed=None):
    """The book's spiral network, with the data of its program, and its initial weights or those of another seed."""
    from nnfs.datasets import spiral_data

    np.random.seed(0)
    inputs, targets = spiral_data(100, 3)
    if weights_seed is not None:
        np.random.seed(weights_seed)
    weights = [(0.01 * np.random.randn(*pair)).astype(F) for pair in ((2, 64), (64, 3))]
    return Workload((2, 64, 3), inputs.astype(F), targets.astype(np.int64), weights, learning_rate=0.05, decay=5e-7)
