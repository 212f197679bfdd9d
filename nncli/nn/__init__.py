"""The network by hand, in NumPy and nothing else: no files, no terminal, no clock.

Importing this package imports every module in it, and so registers every component.
"""

from importlib import import_module
from pkgutil import iter_modules

from nncli.nn.layers.layer import Layer
from nncli.nn.network import Network
from nncli.nn.parameters import Array, Parameters

__all__ = ["Array", "Layer", "Network", "Parameters"]

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")
