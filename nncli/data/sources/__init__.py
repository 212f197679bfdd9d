"""Data sources; importing this package registers them."""

from nncli.data.sources import arrays, idx, images, nnfs, playground, table

__all__ = ["arrays", "idx", "images", "nnfs", "playground", "table"]
