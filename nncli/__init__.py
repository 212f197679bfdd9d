"""Train small neural networks from a YAML file, every part of them written by hand in NumPy."""

__version__ = "0.5.0"
