"""Data sources, data sets as arrays, and splits and batches of them; knows no network and no terminal.

Importing this package imports all its modules, and thereby registers all data sources.
"""

from importlib import import_module
from pkgutil import iter_modules

from nncli.data.dataset import DataSchema, Dataset
from nncli.data.source import Source

__all__ = ["DataSchema", "Dataset", "Source"]

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")
