"""The version of nncli."""

__version__ = "0.6.0"
