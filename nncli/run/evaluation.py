"""Metrics of a network on a data set; what training records and what ``evaluate`` prints is measured here alike."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from nncli.data.dataset import Dataset
from nncli.nn.metrics.metric import Metric
from nncli.nn.network import Network
from nncli.nn.parameters import Array
from nncli.registry import components, names

SPLITS = ("training", "validation", "test")
LOSSES = ("loss", "data_loss", "regularization_loss")  # of the training set; the others have the first only
RELATIVE_ROUNDING = 1e-4  # what single precision may make of other roundings where the weights are the same
quiet = np.errstate(over="ignore", invalid="ignore", divide="ignore")  # what is not finite is found and named


@dataclass(frozen=True)
class Examples:
    """A data set as a network takes it: inputs (N, D), as they are, and encoded targets (N, M) in its number format."""

    inputs: Array
    encoded: Array
    targets: Array
    classes: int | None


@quiet
def examples(dataset: Dataset, network: Network) -> Examples:
    """A data set with its targets encoded; inputs, which may be many, are converted portion by portion."""
    encoded = network.loss.encode(dataset.targets, network.widths[-1])
    return Examples(dataset.inputs, encoded, dataset.targets, dataset.classes)


@quiet
def predict(network: Network, part: Examples) -> Array:
    """Outputs (N, M) outside training."""
    return network.predict(part.inputs)


@quiet
def measure(
    network: Network, metrics: Mapping[str, Metric], split: str, part: Examples, outputs: Array
) -> dict[str, float]:
    """The metrics of one split; in the training set's, ``loss`` includes the penalties, and both parts stand apart.

    Args:
        network: the one whose loss and penalties count.
        metrics: what is measured besides, by name.
        split: which of ``SPLITS`` it is.
        part: the split's rows.
        outputs: what ``predict`` gives for them, (N, M).
    """
    data_loss = network.data_loss(outputs, part.encoded)
    measured = {name: metric.measure(outputs, part.targets) for name, metric in metrics.items()}
    if split != "training":
        return {"loss": data_loss, **measured}
    penalties = network.regularization_loss()
    return {"loss": data_loss + penalties, "data_loss": data_loss, "regularization_loss": penalties, **measured}


def measured_names(spec: Any, split: str) -> tuple[str, ...]:
    """The names that ``measure`` gives for a split; ``spec`` is resolved."""
    return (*_losses(split), *(metric.type for metric in spec.metrics or ()))


def possible_names(split: str) -> tuple[str, ...]:
    """The names that ``measure`` may give for a split, whatever the task."""
    return (*_losses(split), *(metric.name for metric in components("metric")))


def column(split: str, name: str) -> str:
    """A metric's column in metrics.csv: bare for the training set, else with the split before it."""
    return name if split == "training" else f"{split}_{name}"


def columns(spec: Any) -> tuple[str, ...]:
    """The columns of metrics.csv behind the epoch; ``spec`` is resolved."""
    watched = SPLITS[:2] if spec.validation else SPLITS[:1]
    return ("learning_rate", *(column(split, name) for split in watched for name in measured_names(spec, split)))


def plausible(metrics: Mapping[str, float]) -> bool:
    """Whether these can have been measured: finite, and each within its metric's bounds; a loss is not below 0."""
    ranges = [(value, *bounds(name)) for name, value in metrics.items()]
    return all(math.isfinite(value) and low <= value <= high for value, low, high in ranges)


def bounds(name: str) -> tuple[float, float]:
    """The lowest and the highest value of a metric, with or without a split before it; a loss is not below 0."""
    metric = _metric(name)
    return (metric.lowest, metric.highest) if metric else (0.0, math.inf)


def higher_is_better(name: str) -> bool:
    """Whether a metric, with or without a split before it, is better when it is higher; a loss is not."""
    metric = _metric(name)
    return metric is not None and bool(metric.higher_is_better)


def _losses(split: str) -> tuple[str, ...]:
    return LOSSES if split == "training" else LOSSES[:1]


def _metric(name: str) -> type[Metric] | None:
    for split in SPLITS:
        name = name.removeprefix(f"{split}_")
    known = names("metric")
    return known[name].target if name in known else None
