"""The columns of a table: how the texts of one column are read, fitted on training rows, and encoded for a network.

A column knows no file and no other column. Importing this package registers the types of columns.
"""

from nncli.data.columns.boolean import Boolean
from nncli.data.columns.category import Category
from nncli.data.columns.column import MISSING_TEXTS, CellProblem, Column
from nncli.data.columns.date import Date
from nncli.data.columns.inference import Inference
from nncli.data.columns.inferred import Inferred
from nncli.data.columns.number import Number
from nncli.data.columns.summary import Summary
from nncli.data.transforms.column_error import ColumnError

__all__ = [
    "MISSING_TEXTS",
    "Boolean",
    "Category",
    "CellProblem",
    "Column",
    "ColumnError",
    "Date",
    "Inference",
    "Inferred",
    "Number",
    "Summary",
]
