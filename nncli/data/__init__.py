"""Data sets as arrays: drawing and splitting them; no network, no terminal.

Importing this package registers every data set.
"""

from nncli.data import toy
from nncli.data.dataset import Dataset, Source

__all__ = ["Dataset", "Source", "toy"]
