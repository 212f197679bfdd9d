"""Curves of groups: a mean over the runs, at the epochs that all of them have."""

from types import SimpleNamespace

import numpy as np
import pytest

from nncli.analysis.group_curves import group_curve


class Table:
    """The metrics of a run: its epochs, and one column."""

    names = ("epoch", "validation_loss")

    def __init__(self, epochs, values):
        self.columns = {"epoch": np.array(epochs), "validation_loss": np.array(values)}

    def __len__(self):
        return len(self.columns["epoch"])

    def column(self, name):
        return self.columns[name]


def group(*tables):
    """A group of finished runs with these metrics."""
    runs = [SimpleNamespace(run=SimpleNamespace(metrics=table, release=lambda: None)) for table in tables]
    return SimpleNamespace(label="adam", finished=runs)


def test_a_curve_ends_where_the_shortest_run_ends():
    """As after early stopping; a last row between two others is that of one run."""
    curve = group_curve(
        group(Table([10, 20, 30], [5.0, 3.0, 1.0]), Table([10, 20, 25], [7.0, 9.0, 8.0])), "validation_loss"
    )
    assert curve.label == "adam"
    assert curve.epochs.tolist() == [10, 20]
    assert curve.mean.tolist() == [6, 6]
    assert curve.deviation == pytest.approx([2**0.5, 18**0.5])


def test_the_curve_of_one_run_has_no_spread():
    """Its standard deviation is unknown, and drawn as 0."""
    curve = group_curve(group(Table([10, 20], [5.0, 3.0])), "validation_loss")
    assert (curve.mean.tolist(), curve.deviation.tolist()) == ([5, 3], [0, 0])


def test_runs_without_rows_have_no_curve():
    """Nor has a group without a finished run."""
    assert group_curve(group(Table([], []), Table([10], [1.0])), "validation_loss") is None
    assert group_curve(group(), "validation_loss") is None
