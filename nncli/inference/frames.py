"""Rows in memory as a table: dictionaries, data frames of any library, or an array."""

import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any

import numpy as np

from nncli.config.diagnostics import counted, shown
from nncli.data.columns import Category, CellProblem
from nncli.data.preprocessing import Preprocessing
from nncli.data.table import Table
from nncli.errors import ConfigError
from nncli.inference.cells import parsed
from nncli.inference.table_rows import MAX_NAMED
from nncli.nn.parameters import Array
from nncli.threads import ProcessLock

WARNING_LEVEL = 6  # the call of a method of a run


class FrameRows:
    """Encodes rows in memory like those of a file.

    Args:
        preprocessing: the preprocessing of the run.
        missing: the texts of missing values.
    """

    def __init__(self, preprocessing: Preprocessing, missing: frozenset[str]) -> None:
        self.preprocessing, self.missing = preprocessing, missing
        self._lock = ProcessLock()  # columns of categories have one vocabulary

    def inputs(self, rows: Any, dtype: str) -> Array:
        """The inputs (N, D) of a network; a warning names the categories that no training row has.

        Args:
            rows: a list of dictionaries, a mapping of columns, or a data frame, whose other columns are ignored; or an
                array (N, k) with the k columns of the preprocessing in their order.
            dtype: the dtype of the inputs.

        Raises:
            ConfigError: columns are missing, or values are not valid in their column; the first ones are listed.
        """
        columns = self.preprocessing.columns
        cells = cells_by_column(rows, list(columns))
        with self._lock.of_process():
            inputs: Array = self.preprocessing.inputs(self._table(cells), dtype)
        return inputs

    def _table(self, cells: Mapping[str, Any]) -> Table:
        problems, values = list[tuple[int, str, CellProblem]](), dict[str, Array]()
        for name, column in self.preprocessing.columns.items():
            if isinstance(column, Category):
                column.clear_vocabulary()
            values[name], found = parsed(cells[name], column, self.missing)
            without_value = {each.row for each in found}
            found += [each for each in column.check(values[name]) if each.row not in without_value]
            problems += [(each.row, name, each) for each in found]
        if problems:
            raise ConfigError(_text_of(problems))
        if unseen := list(_unseen(self.preprocessing, values)):
            warnings.warn(_text_of(unseen), stacklevel=WARNING_LEVEL)
        return Table("inputs", self.preprocessing.columns, values, range(len(next(iter(values.values())))))


def cells_by_column(rows: Any, names: Sequence[str]) -> dict[str, Any]:
    """The cells (N,) of each column, as a list or an array.

    Raises:
        ConfigError: columns are missing, or have different lengths.
    """
    if isinstance(rows, list | tuple) and all(isinstance(each, Mapping) for each in rows):
        return _of_dictionaries(rows, names)
    available = _column_names(rows)
    cells = _of_array(rows, names) if available is None else _of_frame(rows, names, available)
    lengths = {name: len(each) for name, each in cells.items()}
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"{shown(name)} has {length}" for name, length in lengths.items())
        raise ConfigError(f"inputs: the columns are not of the same length: {listed}")
    return cells


def _column_names(rows: Any) -> Iterable[str] | None:
    """The names of the columns of a mapping or a frame; None if the rows are neither."""
    if isinstance(rows, Mapping):
        return rows.keys()
    names: Iterable[str] | None = getattr(rows, "column_names", None)  # of pyarrow, whose columns are arrays
    return getattr(rows, "columns", None) if names is None else names


def _of_dictionaries(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> dict[str, Any]:
    wrong = [index for index, row in enumerate(rows) if any(name not in row for name in names)]
    if wrong:
        lacking = [name for name in names if name not in rows[wrong[0]]]
        more = f", and {counted(len(wrong) - 1, 'further row')} as well" if len(wrong) > 1 else ""
        raise ConfigError(f"inputs[{wrong[0]}] lacks {_listed(lacking)}{more}; write None for a missing value")
    return {name: [row[name] for row in rows] for name in names}


def _of_frame(frame: Any, names: Sequence[str], available: Iterable[str]) -> dict[str, Any]:
    known = list(available)
    lacking = [name for name in names if name not in known]
    if lacking:
        raise ConfigError(f"inputs lack {_listed(lacking)} of the training data; they have {_listed(known)}")
    if repeated := [name for name in names if known.count(name) > 1]:
        raise ConfigError(f"inputs have {_listed(repeated)} more than once")
    return {name: _column(name, frame[name]) for name in names}


def _column(name: str, cells: Any) -> Any:
    """A column as a list or an array of one dimension.

    Raises:
        ConfigError: it is neither.
    """
    array = cells if isinstance(cells, list | tuple) else _array(cells)
    if isinstance(array, np.ndarray) and array.ndim != 1:
        raise ConfigError(f"inputs: column {shown(name)} is neither a list nor a one-dimensional array")
    return array


def _of_array(rows: Any, names: Sequence[str]) -> dict[str, Any]:
    array = _array(rows)
    if array.ndim != 2 or array.shape[1] != len(names):
        raise ConfigError(
            f"inputs must be a list of dictionaries, a frame, or an array of the shape (rows, {len(names)}) with the "
            f"columns {', '.join(map(shown, names[:MAX_NAMED]))}; got {type(rows).__name__} of the shape {array.shape}"
        )
    return dict(zip(names, array.T, strict=True))


def _array(values: Any) -> Array:
    """The values as an array; lists become object arrays, and masked values become None."""
    if np.ma.isMaskedArray(values):
        unmasked: Array = values.astype(object).filled(None)  # type: ignore[attr-defined]
        return unmasked
    return np.asarray(values, None if hasattr(values, "__array__") else object)


def _listed(names: Sequence[str]) -> str:
    """``the columns 'a', 'b'``."""
    more = f" and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else ""
    return f"the column{'s' * (len(names) > 1)} {', '.join(map(shown, names[:MAX_NAMED]))}{more}"


def _unseen(preprocessing: Preprocessing, values: Mapping[str, Array]) -> Iterator[tuple[int, str, CellProblem]]:
    """The first row of each category that no training row has."""
    for name, column in preprocessing.columns.items():
        for text, rows in column.unseen(values[name]).items():
            count = f" in {len(rows):,} rows" if len(rows) > 1 else ""
            yield int(rows[0]), name, CellProblem(int(rows[0]), f"{shown(text)}{count} is in no training row", str)


def _text_of(problems: Sequence[tuple[int, str, CellProblem]]) -> str:
    """The first problems, a line each, in the order of the rows, and the number of the others."""
    first = sorted(problems, key=itemgetter(0))[:MAX_NAMED]
    lines = [f"inputs[{row}], column {shown(name)}: {each.reason}" for row, name, each in first]
    more = [f"inputs: and {len(problems) - MAX_NAMED:,} more"] if len(problems) > MAX_NAMED else []
    return "\n".join([*lines, *more])
