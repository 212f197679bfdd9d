"""The health of a network in charts and words, of records that are made by hand."""

import numpy as np

from nncli.report.gradients import Gradients, LayerHealth
from nncli.report.page.health import _histogram, _units, health_charts, weights_of
from nncli.report.trained_run import TrainedRun
from nncli.report.units import LayerUnits
from nncli.report.weights import WeightHistogram
from nncli.store.run_reader import Run

NONE = (None, None, None, None)


def test_charts_say_how_it_ended():
    """The last value that was measured; ratios and norms on a logarithmic scale, fractions on a linear one."""
    nan, epochs = np.nan, np.array([0, 10, 20])
    norms = [
        np.array([nan, 4.0, 2.0]),
        np.array([nan, 1.0, nan]),
        np.array([1.0, 1.0, 1.0]),
        np.array([nan, 0.25, nan]),
    ]
    layers = [LayerHealth(0, "dense", *norms, None), LayerHealth(1, "relu", *NONE, np.array([0.0, 0.5, 0.75]))]
    gradients, updates, dead = health_charts(Gradients("run", epochs, layers))
    assert [each.is_logarithmic for each in (gradients, updates, dead)] == [True, True, False]
    assert gradients.message.endswith(" At the end: layer 0 (dense) 2.")
    assert updates.message.endswith(" At the end: layer 0 (dense) 0.25.")
    assert dead.message.endswith(" At the end: layer 1 (relu) 0.75.")


def test_units_are_counted():
    """Dead and saturated ones by layer, how often they are active, and the dead ones of all layers in words."""
    yes, no = True, False
    found = [
        LayerUnits(1, "tanh", np.array([yes, no, no]), np.array([yes, yes, no]), np.array([1.0, 0.5, 0.75])),
        LayerUnits(3, "relu", np.array([yes, no]), np.array([no, yes]), np.array([0.0, 0.5])),
    ]
    table = _units(found)
    assert [column.name for column in table.columns[:4]] == ["layer", "units", "dead", "saturated"]
    assert table.rows == [["layer 1 (tanh)", 3, 1, 2, 0.75], ["layer 3 (relu)", 2, 1, 1, 0.25]]
    assert table.message.startswith("2 of 5 hidden units are dead: ")


def test_weights_have_a_histogram_each(runs):
    """Not the biases; the fraction of zeros in percent."""
    charts = weights_of(TrainedRun(Run(runs / "classes")))
    assert [chart.title for chart in charts] == ["layers.0.weights (2 × 8)", "layers.2.weights (8 × 3)"]
    values = WeightHistogram(
        "layers.0.weights", "dense", (2, 2), np.array([1, 3]), np.array([0, 1, 2]), 0.5, 0.125, 0.25
    )
    assert _histogram(values).message == "Mean 0.5, standard deviation 0.125, 25.0% exactly 0."
