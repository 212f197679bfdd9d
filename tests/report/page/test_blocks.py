"""Blocks: series by epoch."""

import numpy as np

from nncli.report.page.blocks import MAX_EPOCHS, epoch_series


def test_long_series_are_thinned_with_both_ends():
    """At most one more than ``MAX_EPOCHS`` points, at equal distances; a short series has all of its points."""
    epochs = np.arange(0, 100_001, 10)
    series = epoch_series("a", epochs, epochs * 2.0, 0, 0)
    assert MAX_EPOCHS / 2 < len(series.x) <= MAX_EPOCHS + 1
    assert (series.x[0], series.x[-1], series.style) == (0, 100_000, "line")
    np.testing.assert_array_equal(series.y, series.x * 2.0)
    assert len(epoch_series("a", epochs[:MAX_EPOCHS], epochs[:MAX_EPOCHS], 0, 0).x) == MAX_EPOCHS


def test_series_of_few_epochs_has_points_too():
    """Also of none, as of a run that has logged nothing."""
    assert epoch_series("a", np.arange(3), np.ones(3), 0, 0).style == "marked"
    assert len(epoch_series("a", np.arange(0), np.ones(0), 0, 0).x) == 0
