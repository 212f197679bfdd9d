"""Metrics of a network on a data set; what training records and what ``evaluate`` prints is measured here alike."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from nncli.data.dataset import Dataset
from nncli.nn.network import Network
from nncli.nn.parameters import Array
from nncli.registry import components, names

SPLITS = ("training", "validation", "test")
ROWS_AT_ONCE = 4096
quiet = np.errstate(over="ignore", invalid="ignore", divide="ignore")  # what is not finite is found and named


@dataclass(frozen=True)
class Examples:
    """A data set as a network takes it: inputs (N, D) and encoded targets (N, M) in its number format."""

    inputs: Array
    encoded: Array
    targets: Array
    classes: int


def examples(dataset: Dataset, network: Network) -> Examples:
    """A data set converted once, column-major."""
    inputs = dataset.inputs.astype(network.dtype, order="F")
    return Examples(inputs, network.loss.encode(dataset.targets, network.widths[-1]), dataset.targets, dataset.classes)


@quiet
def predict(network: Network, part: Examples) -> Array:
    """Outputs (N, M) outside training, in portions whose size depends on the number of rows alone."""
    return network.predict(part.inputs, ROWS_AT_ONCE)


@quiet
def scores(network: Network, part: Examples, outputs: Array) -> dict[str, float]:
    """``loss``, the mean over the rows without penalties, and every registered metric."""
    measured = {"loss": network.data_loss(outputs, part.encoded)}
    for metric in components("metric"):
        measured[metric.name] = metric.target().measure(outputs, part.targets)
    return measured


def measure(network: Network, split: str, part: Examples, outputs: Array) -> dict[str, float]:
    """The metrics of one split; in the training set's, ``loss`` includes the penalties, and both parts stand apart.

    Args:
        network: the one whose penalties count.
        split: which of ``SPLITS`` it is.
        part: the split's rows.
        outputs: what ``predict`` gives for them, (N, M).
    """
    measured = scores(network, part, outputs)
    if split != "training":
        return measured
    penalties = network.regularization_loss()
    data_loss = measured.pop("loss")
    return {"loss": data_loss + penalties, "data_loss": data_loss, "regularization_loss": penalties, **measured}


def measured_names(split: str) -> tuple[str, ...]:
    """The names that ``measure`` gives for a split."""
    losses = ("loss", "data_loss", "regularization_loss") if split == "training" else ("loss",)
    return (*losses, *(metric.name for metric in components("metric")))


def column(split: str, name: str) -> str:
    """A metric's column in metrics.csv: bare for the training set, else with the split before it."""
    return name if split == "training" else f"{split}_{name}"


def columns(splits: Iterable[str]) -> tuple[str, ...]:
    """The columns of metrics.csv behind the epoch, for a run with these splits."""
    watched = [split for split in SPLITS[:2] if split in splits]
    return ("learning_rate", *(column(split, name) for split in watched for name in measured_names(split)))


def watchable() -> tuple[str, ...]:
    """The columns that early stopping may watch: all that tell how good a network is."""
    return tuple(name for name in columns(SPLITS) if name not in {"learning_rate", "regularization_loss"})


def plausible(metrics: Mapping[str, float]) -> bool:
    """Whether these can have been measured: finite, none below 0, no accuracy above 1."""
    return all(0 <= value < math.inf and (value <= 1 or "accuracy" not in name) for name, value in metrics.items())


def higher_is_better(name: str) -> bool:
    """Whether a metric, with or without a split before it, is better when it is higher; a loss is not."""
    for split in SPLITS:
        name = name.removeprefix(f"{split}_")
    known = names("metric")
    return bool(known[name].target.higher_is_better) if name in known else False
