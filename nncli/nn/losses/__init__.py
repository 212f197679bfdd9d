"""Loss functions."""

from nncli.nn.losses.cross_entropy import BinaryCrossentropy, CategoricalCrossentropy
from nncli.nn.losses.loss import Loss
from nncli.nn.losses.regression import MeanAbsoluteError, MeanSquaredError

__all__ = ["BinaryCrossentropy", "CategoricalCrossentropy", "Loss", "MeanAbsoluteError", "MeanSquaredError"]
