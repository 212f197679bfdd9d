"""Metrics of a network on a data set; what training records and what ``evaluate`` prints is measured here alike."""

from collections.abc import Mapping
from dataclasses import dataclass

from nncli.data.dataset import Dataset
from nncli.experiment.numerics import allow_non_finite
from nncli.nn.metrics.metric import Metric
from nncli.nn.network import Network
from nncli.nn.parameters import Array


@dataclass(frozen=True)
class Examples:
    """A data set as a network takes it: inputs (N, D), as they are, and encoded targets (N, M) in its number format."""

    inputs: Array
    encoded: Array
    targets: Array
    classes: int | None


@allow_non_finite
def examples(dataset: Dataset, network: Network) -> Examples:
    """A data set with its targets encoded; inputs, which may be many, are converted portion by portion."""
    encoded = network.loss.encode(dataset.targets, network.widths[-1])
    return Examples(dataset.inputs, encoded, dataset.targets, dataset.classes)


@allow_non_finite
def predict(network: Network, part: Examples) -> Array:
    """Outputs (N, M) outside training."""
    return network.predict(part.inputs)


@allow_non_finite
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
