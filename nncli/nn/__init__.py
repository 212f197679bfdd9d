"""Neural networks written by hand in NumPy: layers, losses, optimizers, metrics, and backpropagation.

Nothing in this package touches files, the clock, the terminal, or global random state. Importing the package imports
all of its modules, and so registers all components.
"""

from importlib import import_module
from pkgutil import iter_modules

from nncli.nn.layers.layer import Layer
from nncli.nn.network import Network
from nncli.nn.parameters import Array, Parameters

__all__ = ["Array", "Layer", "Network", "Parameters"]

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")
