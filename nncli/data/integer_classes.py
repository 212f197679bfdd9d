"""Integer targets: few consecutive integers are classes if no config states the type."""

from pathlib import Path

import numpy as np

from nncli.data.columns import Category, Number
from nncli.data.columns.inferred import Inferred
from nncli.data.read_table import ReadTable
from nncli.data.sources.table import TableSource
from nncli.data.transforms.moments import Array

MAX_CLASSES = 20  # a target with more different integers is a number


def read_for_target(path: Path, target: str) -> ReadTable:
    """Read a file to predict one of its columns; few consecutive integers in this column are read as classes.

    Raises:
        SourceError: the file is damaged, or has no such column.
    """
    read = TableSource(path, target).file.read_file()
    if not isinstance(read.table.columns.get(target), Number):
        return read
    values = np.unique(read.table.values(target))
    if not are_few_integers(values) or values[-1] - values[0] != len(values) - 1:
        return read
    column = Category()
    reason = f"{len(values)} consecutive integers, {values[0]:g} to {values[-1]:g}, which are read as classes"
    inferred = {**read.inferred, target: Inferred("category", column, reason)}
    return ReadTable(TableSource(path, target, {target: column}).file.read_file().table, inferred)


def are_few_integers(values: Array) -> bool:
    """Whether the sorted distinct values of a number column can be class labels."""
    return len(values) <= MAX_CLASSES and bool((values == np.floor(values)).all())
