"""The version of nncli."""

__version__ = "0.12.0"
