"""Layers of a network, except activation functions."""

from nncli.nn.layers.batch_normalization import BatchNormalization
from nncli.nn.layers.dense import Dense
from nncli.nn.layers.dropout import Dropout
from nncli.nn.layers.layer import Layer

__all__ = ["BatchNormalization", "Dense", "Dropout", "Layer"]
