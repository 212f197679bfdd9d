"""Layers with parameters or random numbers; activation functions are in ``nncli.nn.activations``."""

from nncli.nn.layers.batch_normalization import BatchNormalization
from nncli.nn.layers.dense import Dense
from nncli.nn.layers.dropout import Dropout
from nncli.nn.layers.layer import Layer

__all__ = ["BatchNormalization", "Dense", "Dropout", "Layer"]
