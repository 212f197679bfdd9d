"""Histograms of the weights."""

import numpy as np
import pytest

from nncli.report.trained_run import TrainedRun
from nncli.report.weights import weight_histograms
from tests.examples import NORMALIZED


@pytest.mark.parametrize("epoch", [None, 10])
def test_histograms_are_those_of_the_file(trained, epoch):
    """Of each trainable array of weights.npz, or of the snapshot."""
    run = TrainedRun(trained().run, epoch)
    with np.load(run.run.path / "weights.npz") as file:
        arrays = dict(file) if epoch is None else run.run.snapshots[epoch]
    found = weight_histograms(run)
    assert [each.name for each in found] == list(arrays)
    for each in found:
        values = arrays[each.name]
        counts, edges = np.histogram(values.astype(float), 30)
        assert (each.shape, each.layer) == (values.shape, "dense")
        assert each.counts.tolist() == counts.tolist()
        assert each.edges.tolist() == edges.tolist()
        assert each.zeros == np.mean(values == 0)


def test_layers_are_named_by_their_types(trained):
    """Batch normalization has a scale and a shift of its own."""
    found = {each.name: each.layer for each in weight_histograms(trained(*NORMALIZED))}
    assert found["layers.0.weights"] == found["layers.3.weights"] == "dense"
    assert found["layers.1.scale"] == "batch_normalization"
