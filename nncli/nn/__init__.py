"""Neural networks written by hand in NumPy: layers, losses, optimizers, metrics, and backpropagation.

Nothing in this package touches files, the clock, the terminal, or global random state. Importing the package registers
all components.
"""

from nncli.nn import activations, clipping, initializers, layers, losses, metrics, optimizers, schedules
from nncli.nn.layers.layer import Layer
from nncli.nn.network import Network
from nncli.nn.parameters import Array, Parameters

__all__ = [
    "Array",
    "Layer",
    "Network",
    "Parameters",
    "activations",
    "clipping",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "optimizers",
    "schedules",
]
