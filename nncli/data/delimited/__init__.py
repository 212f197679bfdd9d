"""CSV and TSV files as strict text; knows no types of columns, and reports each problem with its line."""

from nncli.data.delimited.delimited_file import Block, DelimitedFile
from nncli.data.delimited.problems import TableError

__all__ = ["Block", "DelimitedFile", "TableError"]
