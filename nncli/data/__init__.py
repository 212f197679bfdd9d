"""Data sources, data sets as arrays, and splits and batches of them; knows no network and no terminal.

Importing this package registers all data sources.
"""

from nncli.data import sources
from nncli.data.dataset import DataSchema, Dataset
from nncli.data.source import Source

__all__ = ["DataSchema", "Dataset", "Source", "sources"]
