"""Metrics of a network on a data set, both for the rows of metrics.csv and for ``nncli evaluate``."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from nncli.data.dataset import Dataset
from nncli.experiment.numerics import allow_non_finite
from nncli.nn.metrics.metric import Metric
from nncli.nn.network import Network
from nncli.nn.parameters import Array

if TYPE_CHECKING:
    from nncli.data.target_scaling import TargetScaling


class Examples(NamedTuple):
    """A data set with encoded targets.

    Args:
        inputs: (N, D), of any dtype.
        encoded: the targets as the loss encodes them, (N, M) in the dtype of the network.
        targets: class labels (N,), or real values (N, M).
        classes: the number of classes; None for regression.
        scaling: how the encoded targets were scaled, if they were.
        weights: those of the rows in the loss (N,) in the dtype of the network, if they differ.
    """

    inputs: Array
    encoded: Array
    targets: Array
    classes: int | None
    scaling: "TargetScaling | None" = None
    weights: Array | None = None

    def in_target_units(self, outputs: Array) -> Array:
        """Outputs (N, M) in the unit of the targets."""
        return self.scaling.restore(outputs) if self.scaling else outputs


@allow_non_finite
def examples(dataset: Dataset, network: Network) -> Examples:
    """Encode the targets of a data set; the inputs are converted later, chunk by chunk."""
    targets = dataset.scaling.apply(dataset.targets) if dataset.scaling else dataset.targets
    encoded = network.loss.encode(targets, network.widths[-1])
    weights = dataset.loss_weights
    weights = None if weights is None else weights.astype(network.dtype)
    return Examples(dataset.inputs, encoded, dataset.targets, dataset.classes, dataset.scaling, weights)


@allow_non_finite
def predict(network: Network, rows: Examples) -> Array:
    """Outputs (N, M) at inference, in a new array."""
    return network.predict(rows.inputs)


@allow_non_finite
def measure(
    network: Network, metrics: Mapping[str, Metric], split: str, rows: Examples, outputs: Array
) -> dict[str, float]:
    """The metrics of one split; on the training set ``loss`` is the sum of ``data_loss`` and ``regularization_loss``.

    Rows count by their weights in the loss, and all the same in the other metrics.

    Args:
        network: gives the loss and the penalties.
        metrics: the other metrics by name.
        split: one of ``SPLITS``.
        rows: the rows of the split.
        outputs: what ``predict`` returns for them, (N, M).
    """
    data_loss = network.data_loss(outputs, rows.encoded, rows.weights)
    predictions = rows.in_target_units(outputs)
    measured = {name: metric.measure(predictions, rows.targets) for name, metric in metrics.items()}
    if split != "training":
        return {"loss": data_loss, **measured}
    penalties = network.regularization_loss()
    return {"loss": data_loss + penalties, "data_loss": data_loss, "regularization_loss": penalties, **measured}
