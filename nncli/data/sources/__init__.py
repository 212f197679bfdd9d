"""Data sources; importing this package registers them."""

from nncli.data.sources import nnfs

__all__ = ["nnfs"]
