"""The distribution of the trainable parameters of each layer."""

from typing import NamedTuple

import numpy as np

from nncli.nn.parameters import Array
from nncli.report.trained_run import TrainedRun

BINS = 30


class WeightHistogram(NamedTuple):
    """The values of one trainable array.

    Args:
        name: its name, such as ``layers.0.weights``.
        layer: the type of its layer.
        shape: its shape.
        counts: the number of values (B,) in each bin.
        edges: the edges (B + 1,) of the bins.
        mean: the mean of the values.
        deviation: their standard deviation.
        zeros: the fraction that is exactly 0.
    """

    name: str
    layer: str
    shape: tuple[int, ...]
    counts: Array
    edges: Array
    mean: float
    deviation: float
    zeros: float


def weight_histograms(trained: TrainedRun) -> list[WeightHistogram]:
    """The histogram of each trainable array, first layer first."""
    parameters = trained.network.parameters
    types = [layer.type for layer in trained.run.config.layers]
    return [
        _histogram(name, types[int(name.split(".")[1])], values)
        for name, values in parameters.views(parameters.trainable).items()
    ]


def _histogram(name: str, layer: str, values: Array) -> WeightHistogram:
    flat = values.ravel().astype(np.float64)
    counts, edges = np.histogram(flat, BINS)
    zeros = float(np.mean(flat == 0))
    return WeightHistogram(name, layer, values.shape, counts, edges, float(flat.mean()), float(flat.std()), zeros)
