"""Data sources, data sets as arrays, and splits and batches of them; knows no network and no terminal.

Importing this package registers all data sources. What only a table needs, such as its columns, is imported with the
first table.
"""

from nncli.data import sources
from nncli.data.dataset import DataSchema, Dataset
from nncli.data.source import Source
from nncli.registry import kinds_of

__all__ = ["DataSchema", "Dataset", "Source", "sources"]

kinds_of("nncli.data.columns", "column", "encoding", "imputation", "transform")
