"""Cached tables: a large file is parsed once into the cache, and then read from it."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from nncli.data import cache
from nncli.data.columns import Boolean, Category, Column, Date, Number
from nncli.data.columns.blocks import MakeBlocks
from nncli.data.columns.inferred import Inferred
from nncli.data.delimited import TableError
from nncli.data.read_table import ReadColumns, ReadTable
from nncli.data.spill import Spill, SpilledBlocks
from nncli.data.table import Table
from nncli.data.transforms.moments import Array

FORMAT = 1  # to be increased if the same file is parsed to other values
TYPES: Mapping[str, type[Column]] = {"number": Number, "date": Date, "boolean": Boolean, "category": Category}


class _RefusedError(Exception):
    """A column is text, so that the table cannot be used."""

    def __init__(self, read: ReadTable) -> None:
        super().__init__()
        self.read = read


def cached_table(
    path: Path,
    form: Any,
    known: Mapping[str, Column],
    missing: frozenset[str],
    read: Callable[[MakeBlocks], ReadColumns],
) -> ReadTable:
    """The table of a file from the cache; the file is parsed if it is not cached.

    Args:
        path: the file.
        form: the settings for reading the file, as JSON values.
        known: the columns whose type is known; category columns get the categories of the file.
        missing: the texts of missing values.
        read: reads the file.

    Raises:
        TableError: the file is damaged, or changes while it is read.
        StorageError: the file cannot be read, or the cache cannot be written.
    """
    before = _state(path)
    columns = {name: fingerprint(column) for name, column in known.items()}
    key = cache.key_of("table", FORMAT, cache.content_digest(path), form, columns)

    def write(writer: cache.Writer) -> Any:
        spill = Spill()
        found = read(lambda: SpilledBlocks(spill))
        if _state(path) != before:
            raise TableError(f"{path}: has changed while it was read; start again")
        if any(each.column is None for each in found.inferred.values()):
            raise _RefusedError(ReadTable(Table(found.name, found.columns, {}, found.lines), found.inferred))
        return _write(found, writer)

    try:
        return _restored(cache.entry(key, write), str(path), key, known, missing)
    except _RefusedError as error:
        return error.read


def fingerprint(component: Any) -> Any:
    """The type, parameters and fitted state of a component as JSON values; equal if components have the same results.

    Attributes with a leading underscore are caches, and ``is_constant`` follows from others; both are excluded.
    """
    if isinstance(component, np.ndarray | np.generic):
        return fingerprint(component.tolist())
    if isinstance(component, Mapping):
        return [[fingerprint(key), fingerprint(component[key])] for key in sorted(component)]
    if isinstance(component, list | tuple):
        return [fingerprint(each) for each in component]
    if component is None or isinstance(component, str | int | float):
        return repr(component)
    attributes = {
        name: fingerprint(each) for name, each in vars(component).items() if name[0] != "_" and name != "is_constant"
    }
    return [type(component).__name__, attributes]


def _state(path: Path) -> tuple[int, int, int]:
    state = path.stat()
    return state.st_size, state.st_mtime_ns, state.st_ino


def _write(found: ReadColumns, writer: cache.Writer) -> Any:
    """Write the values of all columns, and the lines unless they are consecutive; return the facts as JSON values."""
    for name in found.columns:
        dtype = found.stored_dtype(name)
        writer.add(dtype, (len(found.lines),), _cast(found.sources[name].take_blocks(), dtype))
    lines = found.lines if isinstance(found.lines, range) else None
    if lines is None:
        writer.add(np.dtype(np.int64), (len(found.lines),), iter([np.asarray(found.lines)]))
    columns = [
        {"name": name, "texts": column.texts if isinstance(column, Category) else []}
        for name, column in found.columns.items()
    ]
    inferred = {name: (each.type, each.reason, each.row, each.warning) for name, each in found.inferred.items()}
    return {"columns": columns, "inferred": inferred, "lines": lines and (lines.start, lines.stop)}


def _cast(blocks: Iterator[Array], dtype: np.dtype[Any]) -> Iterator[Array]:
    return (block.astype(dtype, copy=False) for block in blocks)


def _restored(
    entry: cache.Entry, name: str, key: str, known: Mapping[str, Column], missing: frozenset[str]
) -> ReadTable:
    """The table of an entry."""
    inferred = {
        each: Inferred(type_, TYPES[type_](), *reasons) for each, (type_, *reasons) in entry.facts["inferred"].items()
    }
    columns, values = dict[str, Column](), dict[str, Any]()
    for index, facts in enumerate(entry.facts["columns"]):
        found = inferred.get(facts["name"])
        column = known[facts["name"]] if found is None else found.column
        if isinstance(column, Category):
            column.vocabulary.codes(facts["texts"], missing)
        assert column is not None
        columns[facts["name"]], values[facts["name"]] = column, entry.array(index)
    consecutive = entry.facts["lines"]
    lines: Any = range(*consecutive) if consecutive else entry.array(len(columns))
    return ReadTable(Table(name, columns, values, lines, key=key), inferred)
