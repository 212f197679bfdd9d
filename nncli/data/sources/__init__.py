"""Data sources; importing this package registers them."""

from nncli.data.sources import nnfs, playground

__all__ = ["nnfs", "playground"]
