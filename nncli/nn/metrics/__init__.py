"""Evaluation metrics on a data set; each declares its tasks, and whether higher is better."""

from nncli.nn.metrics.classification import F1, Accuracy, AreaUnderCurve, Precision, Recall
from nncli.nn.metrics.metric import Metric, Task
from nncli.nn.metrics.regression import MeanAbsoluteError, RegressionAccuracy, RootMeanSquaredError, RSquared

__all__ = [
    "F1",
    "Accuracy",
    "AreaUnderCurve",
    "MeanAbsoluteError",
    "Metric",
    "Precision",
    "RSquared",
    "Recall",
    "RegressionAccuracy",
    "RootMeanSquaredError",
    "Task",
]
