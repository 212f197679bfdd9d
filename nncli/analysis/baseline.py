"""The baseline of a run: what a prediction scores that ignores the inputs, the majority class or the mean."""

from typing import Any

import numpy as np

from nncli.experiment.assembly import Experiment
from nncli.experiment.numerics import allow_non_finite
from nncli.nn.parameters import Array


@allow_non_finite
def baseline(experiment: Experiment, split: str) -> dict[str, Any]:
    """The constant prediction that is learned from the training set, and its metrics on a split.

    Returns:
        ``class``, the most frequent class of the training set, or ``mean``, the mean of its targets; and ``metrics``,
        without the loss.
    """
    training, rows = experiment.data["training"], experiment.data[split]
    if training.classes is None:
        mean = training.targets.mean(axis=0, dtype=np.float64)
        constant, outputs = {"mean": mean.tolist()}, mean
    else:
        majority = int(np.argmax(np.bincount(training.targets)))
        constant, outputs = {"class": majority}, _certain(majority, experiment.network.widths[-1])
    repeated = np.broadcast_to(outputs, (len(rows), len(outputs)))
    return {**constant, "metrics": {name: m.measure(repeated, rows.targets) for name, m in experiment.metrics.items()}}


def _certain(label: int, outputs: int) -> Array:
    """The outputs (M,) of a classifier that is certain of a class; a single output is the probability of class 1."""
    return np.array([float(label)]) if outputs == 1 else np.eye(outputs)[label]
