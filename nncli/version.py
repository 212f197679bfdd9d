"""The version of nncli."""

__version__ = "0.10.0"
