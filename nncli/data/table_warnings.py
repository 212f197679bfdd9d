"""Warnings about a table: rows in two splits, identifiers among the inputs, inputs that leak the target."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

import numpy as np

from nncli.config.diagnostics import counted, shown
from nncli.config.yaml_output import to_yaml_value
from nncli.data import cache
from nncli.data.columns import Category, Column, Number
from nncli.data.columns.inferred import Inferred
from nncli.data.read_table import ReadTable
from nncli.data.table import Array, Table

NEARLY_ONE = 0.999  # a single column with this correlation or accuracy leaks the target
UNIQUE = 0.95  # an identifier has more different values than this fraction of the rows
FEWEST_ROWS = 20  # in fewer rows a column can predict the target by chance
SAMPLE = 20_000  # rows; enough to rule out a leak in most columns
MOST_SKIPPED = 100  # the largest step of the sample; with a larger one it may have only the errors of a rule
EXACT_INTEGERS = 2.0**53
ROWS = 2**16  # rows that are hashed at once
MIXED = np.uint64(0x9E3779B97F4A7C15)  # Steele, Lea, Flood 2014, on the generator SplitMix


def warnings_of_splits(splits: Mapping[str, Table], inputs: Sequence[str], targets: Sequence[str]) -> list[str]:
    """Warnings about the training rows, and about rows in two splits; cached if the tables are in the cache.

    Args:
        splits: the rows of each split by name; one of them is named training.
        inputs: the input columns.
        targets: the target columns.
    """

    def found(writer: object = None) -> list[str]:
        return [*column_warnings(splits["training"], inputs, targets), *shared_rows(splits, [*inputs, *targets])]

    keys = [table.key for table in splits.values()]
    if None in keys:
        return found()
    texts: list[str] = cache.entry(cache.key_of("warnings", keys, list(inputs), list(targets)), found).facts
    return texts


def type_warnings(read: ReadTable) -> Iterator[str]:
    """One sentence for each category column that may be meant as numbers or dates: a value, its line, and the fix."""
    for name, each in read.inferred.items():
        if warning := located_warning(read.table, each):
            keep = to_yaml_value({name: "category"})
            yield f"{name}: read as categories, but {warning}; or write columns: {keep} if they are categories"


def located_warning(table: Table, inferred: Inferred) -> str:
    """Why a category column may be meant as numbers or dates: a value, its line, and the fix; empty if it is not."""
    if not inferred.warning or not inferred.row:
        return ""
    return f"in line {table.line(inferred.row - 1)} {inferred.warning}"


def column_warnings(table: Table, inputs: Sequence[str], targets: Sequence[str]) -> Iterator[str]:
    """One sentence for each input that is an identifier, or that alone nearly determines a target.

    Args:
        table: the rows.
        inputs: the input columns.
        targets: the target columns.
    """
    for name in inputs:
        column, values = table.columns[name], table.values(name)
        known = values[~column.is_missing(values)]
        if _is_identifier(column, known):
            number = f"{len(np.unique(known)):,} different values in {counted(len(known), 'row')}"
            yield f"{name}: {number}; if it identifies the row, write id: {to_yaml_value(name)}"
        if isinstance(column, Number) and (beyond := int(np.count_nonzero(np.abs(known) > EXACT_INTEGERS))):
            yield f"{name}: {counted(beyond, 'value')} beyond 2^53, where integers are rounded to 16 digits"
        for target in targets:
            if found := _leak(table, name, target):
                fix = f"if it is not known at prediction time, write ignore: {to_yaml_value([name])}"
                yield f"{name}: {found}; {fix}"


def shared_rows(splits: Mapping[str, Table], columns: Sequence[str]) -> Iterator[str]:
    """One sentence for each pair of splits with equal rows (data leakage).

    Args:
        splits: the rows of each split by name.
        columns: the columns in which rows are compared.
    """
    return equal_rows({name: row_hashes(table, columns) for name, table in splits.items()})


def equal_rows(hashes: Mapping[str, Array]) -> Iterator[str]:
    """One sentence for each pair of splits with equal rows, from the hashes (N,) of the rows of each split."""
    for first, second in combinations(hashes, 2):
        shared = _number_in(hashes[second], np.sort(hashes[first]))
        if shared:
            rows = f"{shared:,} of {counted(len(hashes[second]), 'row')} of {second}"
            yield f"{rows} are equal to a row of {first} (data leakage)"


def _number_in(hashes: Array, ordered: Array) -> int:
    """The number of hashes that are in another array, which is sorted."""
    if not len(ordered):
        return 0
    positions = np.minimum(np.searchsorted(ordered, hashes), len(ordered) - 1)
    return int(np.count_nonzero(ordered[positions] == hashes))


def row_hashes(table: Table, columns: Sequence[str]) -> Array:
    """A 64-bit hash (N,) of each row. Equal rows have equal hashes; collisions are very unlikely."""
    hashes = np.zeros(len(table), np.uint64)
    for start in range(0, len(table), ROWS):
        rows, some = table[start : start + ROWS], hashes[start : start + ROWS]
        for name in columns:
            values = rows.values(name).astype(np.float64) + 0.0  # −0 equals 0
            values[np.isnan(values)] = np.nan
            some ^= values.view(np.uint64)
            some *= MIXED
            some ^= some >> np.uint64(29)
    return hashes


def _is_identifier(column: Column, known: Array) -> bool:
    """Whether a column is an identifier: integers or categories that differ in nearly all rows."""
    is_discrete = isinstance(column, Category) or (
        isinstance(column, Number) and bool((known == np.floor(known)).all())
    )
    return is_discrete and len(known) >= FEWEST_ROWS and len(np.unique(known)) > UNIQUE * len(known)


def _leak(table: Table, name: str, target: str) -> str:
    """The accuracy or correlation of a column that alone nearly determines a target, as text; else an empty text."""
    column, values, wanted = table.columns[name], table.values(name), table.values(target)
    known = ~column.is_missing(values) & ~table.columns[target].is_missing(wanted)
    values, wanted = values[known], wanted[known]
    if len(values) < FEWEST_ROWS or (wanted == wanted[0]).all():
        return ""
    is_class = isinstance(table.columns[target], Category)
    if is_class:
        accuracy = _best_accuracy(values, wanted, isinstance(column, Category))
        return f"alone predicts {shown(target)} in {accuracy:.1%} of the rows" if accuracy >= NEARLY_ONE else ""
    if isinstance(column, Category) or (values == values[0]).all():
        return ""
    correlation = float(np.corrcoef(values, wanted)[0, 1])
    return f"has correlation {correlation:.4f} with {shown(target)}" if abs(correlation) >= NEARLY_ONE else ""


def _best_accuracy(values: Array, classes: Array, is_category: bool) -> float:
    """The accuracy of the best rule of one column: a class for each category, or for as many intervals as classes."""
    if is_category:
        return _best_accuracy_of_categories(values.astype(np.int64), classes)
    return _best_accuracy_of_intervals(values, classes, int(np.count_nonzero(np.bincount(classes))))


def _best_accuracy_of_categories(categories: Array, classes: Array) -> float:
    if np.count_nonzero(np.bincount(categories)) > len(categories) / 2:  # nearly one row per category proves nothing
        return 0.0
    width = int(classes.max()) + 1
    counts = np.bincount(categories * width + classes, minlength=(int(categories.max()) + 1) * width)
    return float(counts.reshape(-1, width).max(axis=1).sum() / len(categories))


def _best_accuracy_of_intervals(values: Array, classes: Array, intervals: int) -> float:
    """The accuracy of the best rule; 0 if that is clearly below NEARLY_ONE.

    If rows are sorted by value, a rule has at most ``intervals`` runs of equal classes, and each error adds two blocks.
    """
    most = intervals + 2 * (1 - NEARLY_ONE) * len(values)
    for step in (min(MOST_SKIPPED, max(1, len(values) // SAMPLE)), 1):  # a sample is enough for most columns
        order = np.lexsort((classes[::step], values[::step]))
        ordered = classes[::step][order]
        starts = _block_starts(values[::step][order], ordered)
        if len(starts) > most:
            return 0.0
    width = int(classes.max()) + 1
    blocks = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(ordered)))
    counts = np.bincount(blocks * width + ordered, minlength=len(starts) * width).reshape(-1, width)
    right = np.zeros((intervals, width), np.int64)  # by interval and class, for the rows so far
    for of_class in counts:
        right[1:] = np.maximum(right[1:], right[:-1].max(axis=1, keepdims=True))
        right += of_class
    return float(right.max() / len(values))


def _block_starts(values: Array, classes: Array) -> Array:
    """Where blocks of sorted rows begin: rows of one class, or rows of several classes that have the same value.

    Args:
        values: (N,), sorted.
        classes: (N,), sorted among equal values.
    """
    starts = np.flatnonzero(np.concatenate(([True], values[1:] != values[:-1])))
    first, last = classes[starts], classes[np.append(starts[1:], len(classes)) - 1]
    is_mixed = first != last
    begins = is_mixed[1:] | is_mixed[:-1] | (first[1:] != first[:-1])
    return starts[np.concatenate(([True], begins))]
