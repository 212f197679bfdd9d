"""The network by hand, in NumPy and nothing else: no files, no terminal, no clock.

Importing this package registers every component of it.
"""

from nncli.nn import activations, dense, dropout, initializers, losses, metrics, optimizers
from nncli.nn.layer import Layer
from nncli.nn.network import Network
from nncli.nn.parameters import Array, Parameters

__all__ = [
    "Array",
    "Layer",
    "Network",
    "Parameters",
    "activations",
    "dense",
    "dropout",
    "initializers",
    "losses",
    "metrics",
    "optimizers",
]
