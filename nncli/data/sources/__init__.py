"""Data sources; importing this package registers them."""

from nncli.data.sources import nnfs, playground, table

__all__ = ["nnfs", "playground", "table"]
