"""The version of nncli."""

__version__ = "0.9.0"
