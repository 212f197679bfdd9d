"""The baseline of a run: what a prediction scores that ignores the inputs, the majority class or the mean."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from nncli.data.dataset import Dataset
from nncli.experiment.numerics import allow_non_finite
from nncli.nn.metrics.metric import Metric
from nncli.nn.parameters import Array

if TYPE_CHECKING:
    from nncli.data.fitted_preprocessing import FittedPreprocessing


def constant_prediction(training: Dataset) -> dict[str, Any]:
    """``class``, the most frequent class of a training set, or ``mean``, the mean of its targets."""
    if training.classes is None:
        return {"mean": training.targets.mean(axis=0, dtype=np.float64).tolist()}
    return {"class": int(np.argmax(np.bincount(training.targets)))}


def recorded_prediction(preprocessing: "FittedPreprocessing") -> dict[str, Any]:
    """The same of the training set that a preprocessing was fitted to."""
    if preprocessing.scaling:
        return {"mean": preprocessing.scaling.mean.tolist()}
    return {"class": int(np.argmax(preprocessing.class_counts or [0]))}


@allow_non_finite
def measured_baseline(
    constant: Mapping[str, Any], metrics: Mapping[str, Metric], targets: Array, outputs: int
) -> dict[str, Any]:
    """A constant prediction, and its metrics on a data set, without the loss.

    Args:
        constant: the prediction.
        metrics: the metrics by name.
        targets: class labels (N,), or real values (N, M).
        outputs: the number of outputs of the network.
    """
    row = np.array(constant["mean"]) if "mean" in constant else _certain(constant["class"], outputs)
    repeated = np.broadcast_to(row, (len(targets), len(row)))
    return {**constant, "metrics": {name: metric.measure(repeated, targets) for name, metric in metrics.items()}}


def _certain(label: int, outputs: int) -> Array:
    """The outputs (M,) of a classifier that is certain of a class; a single output is the probability of class 1."""
    return np.array([float(label)]) if outputs == 1 else np.eye(outputs)[label]
