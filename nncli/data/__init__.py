"""Data sets as arrays: drawing and splitting them; no network, no terminal.

Importing this package imports every module in it, and so registers every data set.
"""

from importlib import import_module
from pkgutil import iter_modules

from nncli.data.dataset import Dataset
from nncli.data.source import Source

__all__ = ["Dataset", "Source"]

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")
