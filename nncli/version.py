"""The version of nncli."""

__version__ = "0.11.0"
