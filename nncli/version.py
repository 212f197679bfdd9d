"""The version of nncli."""

__version__ = "0.7.0"
