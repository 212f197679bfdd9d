"""The health of a network: gradients and updates by layer while it learned, weights, and dead and saturated units."""

from collections.abc import Sequence

import numpy as np

from nncli.report.gradients import Gradients
from nncli.report.page.blocks import Block, Chart, Column, Series, Table, epoch_series
from nncli.report.page.words import figure, listed, percent
from nncli.report.trained_run import TrainedRun
from nncli.report.units import LayerUnits, units_of
from nncli.report.weights import WeightHistogram, weight_histograms

MEASURES = {  # title, name of the axis, and what is good
    "gradient_norm": (
        "Gradients",
        "norm",
        "Norm of the gradient of each layer; a layer whose gradient is near 0 has stopped learning.",
    ),
    "update_ratio": (
        "Updates",
        "update / weights",
        "Norm of the update of each layer relative to the norm of its weights; near 0.001 is typical.",
    ),
    "dead_fraction": (
        "Dead units",
        "fraction",
        "Fraction of the units whose output is the same for all training rows.",
    ),
}


def health_charts(found: Gradients) -> list[Block]:
    """The norms of the gradients, the ratios of updates to weights, and the dead units, a line for each layer."""
    return [chart for measure in MEASURES for chart in _health_chart(found, measure)]


def _health_chart(found: Gradients, measure: str) -> list[Block]:
    """A measure of all layers that have it; none if it was never measured."""
    title, axis, meaning = MEASURES[measure]
    of_layers = {f"layer {each.layer} ({each.type})": getattr(each, measure) for each in found.layers}
    arrays = {name: array for name, array in of_layers.items() if array is not None and np.isfinite(array).any()}
    series = [
        epoch_series(name, found.epochs, values, color, color) for color, (name, values) in enumerate(arrays.items())
    ]
    last = listed([f"{name} {figure(values[np.isfinite(values)][-1])}" for name, values in arrays.items()])
    message = f"{meaning} At the end: {last}."
    return [Chart(title, message, "epoch", axis, series, is_logarithmic=measure != "dead_fraction")] if series else []


def weights_of(trained: TrainedRun) -> list[Block]:
    """The distributions of the weights of each layer."""
    return [_histogram(each) for each in weight_histograms(trained) if each.name.endswith("weights")]


def _histogram(each: WeightHistogram) -> Chart:
    series = [Series("weights", each.edges, each.counts, "bars", 0, 0)]
    text = f"Mean {figure(each.mean)}, standard deviation {figure(each.deviation)}, {percent(each.zeros)} exactly 0."
    return Chart(f"{each.name} ({' × '.join(map(str, each.shape))})", text, "weight", "count", series)


def units_table(trained: TrainedRun) -> list[Block]:
    """Dead and saturated units by layer."""
    found = units_of(trained)
    return [_units(found)] if found else []


def _units(found: Sequence[LayerUnits]) -> Table:
    counts = [(len(each.dead), int(each.dead.sum()), int(each.saturated.sum())) for each in found]
    rows = [
        [f"layer {each.layer} ({each.type})", *count, float(each.active.mean())]
        for each, count in zip(found, counts, strict=True)
    ]
    units, dead = sum(count[0] for count in counts), sum(count[1] for count in counts)
    message = f"{dead} of {units} hidden units are dead: their output is the same for all training rows."
    if any(saturated for _, _, saturated in counts):
        message += " Saturated units of tanh or sigmoid are where its derivative is near 0 for nearly all rows."
    columns = [
        Column("layer"),
        *(Column(name, "number") for name in ("units", "dead", "saturated", "share of outputs that are not 0")),
    ]
    return Table("Dead and saturated units", message, columns, rows)
