"""Calibration, compared with its definition row by row."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from nncli.report.calibration import calibration_of
from tests.examples import BINARY, SINE


@pytest.mark.parametrize("changes", [(), BINARY], ids=["classes", "binary"])
def test_bins_are_those_of_the_definition(trained, changes):
    """Each row is in the bin of the probability of its predicted class; empty bins have no mean."""
    run = trained(*changes)
    rows, found = run.predicted(), calibration_of(run)
    bins = [[] for _ in range(10)]
    for probabilities, target in zip(rows.probabilities.tolist(), rows.targets.tolist(), strict=True):
        confidence = max(probabilities)
        bins[max(0, math.ceil(confidence * 10) - 1)].append((confidence, probabilities.index(confidence) == target))
    assert found.rows.tolist() == list(map(len, bins))
    error = 0.0
    for index, each in enumerate(bins):
        if each:
            confidence, accuracy = np.mean(each, axis=0)
            assert (found.confidence[index], found.accuracy[index]) == (
                pytest.approx(confidence),
                pytest.approx(accuracy),
            )
            error += len(each) / len(rows.targets) * abs(accuracy - confidence)
        else:
            assert np.isnan(found.confidence[index])
    assert found.error == pytest.approx(error)


def test_regression_has_none(trained):
    """It has no probabilities."""
    assert calibration_of(trained(*SINE)) is None


def test_confidence_at_an_edge_is_in_the_bin_below():
    """The bins are (0, 0.1], (0.1, 0.2], ...; a probability of 0.5 is no row of the bin above."""
    probabilities = np.array([[0.5, 0.5], [0.0, 1.0], [0.4, 0.6]])
    rows = SimpleNamespace(
        classes=2, split="test", encoded_outputs=probabilities, probabilities=probabilities, targets=np.array([0, 1, 0])
    )
    found = calibration_of(SimpleNamespace(predicted=lambda _: rows, threshold=0.5))
    assert found.rows.tolist() == [0, 0, 0, 0, 1, 1, 0, 0, 0, 1]
