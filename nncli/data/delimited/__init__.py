"""Strict readers of CSV and TSV files: fields as text, and each problem with its line. Does not know column types."""

from nncli.data.delimited.delimited_file import Block, DelimitedFile
from nncli.data.delimited.problems import TableError

__all__ = ["Block", "DelimitedFile", "TableError"]
