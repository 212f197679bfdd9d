"""The version of nncli."""

__version__ = "0.8.0"
