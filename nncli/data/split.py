"""Splits of a data set: at random by class or by group, by order, by the values of a column, or in folds."""

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nncli.config.diagnostics import counted, shown
from nncli.config.model import Fold, Fraction, Part, Where
from nncli.data.dataset import Dataset, Random, index_dtype
from nncli.data.folds import MAX_LISTED, grouped_fold, require_groups, require_rows, stratified_fold
from nncli.data.source import SourceError

if TYPE_CHECKING:
    from nncli.data.table import Table

Array = NDArray[Any]
TRAINING = 0


def split_sizes(rows: int, fractions: Mapping[str, float]) -> dict[str, int]:
    """The rows of one class in each split: the rounded fraction, at least one; the rest is ``training``."""
    sizes = {name: max(1, round(rows * fraction)) for name, fraction in fractions.items()}
    return {"training": rows - sum(sizes.values()), **sizes}


def split(
    dataset: Dataset,
    sections: Mapping[str, Part],
    rng: Random,
    from_end: Collection[str] = (),
    class_names: Sequence[str] | None = None,
) -> dict[str, Dataset]:
    """Return the named splits, and the remaining rows as ``training``: disjoint, each in the order of the data set.

    Args and errors are those of ``split_indices``.
    """
    indices = split_indices(dataset, sections, rng, from_end, class_names)
    return {name: dataset.rows(rows) for name, rows in indices.items()}


def split_indices(
    dataset: Dataset,
    sections: Mapping[str, Part],
    rng: Random,
    from_end: Collection[str] = (),
    class_names: Sequence[str] | None = None,
) -> dict[str, Array]:
    """Return the indices of the rows of the named splits, in ascending order; ``training`` has the remaining rows.

    Sections with ``where`` take their rows first, then those with ``last``, then those with ``group``, then random
    fractions, for which the rows of each class are permuted once, and finally folds. A split takes the first remaining
    rows of the permutation, or the last ones: two splits at different ends do not depend on each other. Folds are parts
    of what the other sections leave, so that a test set is the same for each of them.

    Args:
        dataset: (N, D) with class labels, which are stratified, or with real-valued targets.
        sections: what each split takes.
        rng: the generator of the permutations.
        from_end: the splits that take their rows from the end of the permutation.
        class_names: the names of the classes in messages; by default their numbers.

    Raises:
        SourceError: there are too few rows, of a class or in total, for all splits; or a column has no such value.
    """
    for name, section in sections.items():
        _require_columns(dataset, name, section)
    splits = _Splits(dataset, ("training", *sections), class_names)
    fractions = {name: each for name, each in sections.items() if isinstance(each, Fraction)}
    for name, section in sections.items():
        if isinstance(section, Where):
            splits.take(name, _where(splits.table, name, section))
    splits.take_last({name: each for name, each in fractions.items() if each.last})
    grouped = {name: each for name, each in fractions.items() if each.group and not each.last}
    splits.take_groups(grouped, rng, from_end)
    random = {name: each.fraction for name, each in fractions.items() if not each.last and not each.group}
    splits.take_random(random, rng, from_end)
    for name, section in sections.items():
        if isinstance(section, Fold):
            splits.take_fold(name, section, rng)
    return splits.indices()


class _Splits:
    """The split of each row; at first all rows are training rows."""

    def __init__(self, dataset: Dataset, names: Sequence[str], class_names: Sequence[str] | None) -> None:
        self.dataset, self.names = dataset, names
        self.class_names = class_names or [str(label) for label in range(dataset.classes or 0)]
        self.of_row = np.full(len(dataset), TRAINING, np.int8)

    @property
    def table(self) -> "Table":
        """The inputs, which are a table if a section names a column."""
        return self.dataset.inputs  # type: ignore[return-value]

    @property
    def rest(self) -> Array:
        """The rows that no split has taken."""
        return self._rows_of(TRAINING)

    def _rows_of(self, split: int) -> Array:
        return np.flatnonzero(self.of_row == split).astype(index_dtype(len(self.of_row)))

    def take(self, name: str, rows: Array) -> None:
        """Assign rows to a split.

        Raises:
            SourceError: there are none, another split has some of them, or none is left for training.
        """
        taken = self.of_row[rows]
        if not len(rows):
            raise SourceError(f"{name} has no rows", name)
        if (taken != TRAINING).any():
            other = self.names[int(taken.max())]
            raise SourceError(f"{counted(int(np.count_nonzero(taken)), 'row')} of {name} are also in {other}", name)
        self.of_row[rows] = self.names.index(name)
        if not len(self.rest):
            raise SourceError(f"{name} takes all rows, so that none is left for training", name)

    def take_last(self, fractions: Mapping[str, Fraction]) -> None:
        """Assign the last remaining rows to the last split, the rows before them to the split before it.

        Rows with the same value in the column that gives the order stay together.
        """
        count = len(self.rest)
        for name, section in reversed(list(fractions.items())):
            rows, size = self.rest, max(1, round(count * section.fraction))
            if section.last is True:
                self.take(name, rows[-size:])
            else:
                values = self.table.values(str(section.last))[rows]
                self.take(name, rows[values >= np.sort(values)[-size]])

    def take_groups(self, fractions: Mapping[str, Fraction], rng: Random, from_end: Collection[str]) -> None:
        """Assign whole groups in random order to each split, until it has its fraction of the rows."""
        count = len(self.rest)
        for column in dict.fromkeys(each.group for each in fractions.values()):
            rows = self.rest
            groups, of_row = np.unique(self.table.values(str(column))[rows], return_inverse=True)
            order, sizes = rng.permutation(len(groups)).tolist(), np.bincount(of_row)
            for name, section in fractions.items():
                if section.group == column:
                    chosen = _groups_with_rows(order, sizes, round(count * section.fraction), name in from_end)
                    self.take(name, rows[np.isin(of_row, chosen)])

    def take_fold(self, name: str, fold: Fold, rng: Random) -> None:
        """Assign one of several parts of the remaining rows to a split: whole groups, or random rows of each class.

        Raises:
            SourceError: there are fewer groups, or fewer rows of a class, than folds.
        """
        if fold.group is None:
            strata = self._strata()
            require_rows(strata, fold, name, is_class=self.dataset.classes is not None)
            self.take(name, stratified_fold(strata, fold, rng))
            return
        rows = self.rest
        groups, of_row = np.unique(self.table.values(fold.group)[rows], return_inverse=True)
        require_groups(len(groups), fold, name)
        self.take(name, rows[np.isin(of_row, grouped_fold(np.bincount(of_row), fold, rng))])

    def take_random(self, fractions: Mapping[str, float], rng: Random, from_end: Collection[str]) -> None:
        """Assign random rows of each class to each split."""
        if not fractions:
            return
        strata = self._strata()
        _require_enough(strata, fractions, is_class=self.dataset.classes is not None)
        for stratum in strata.values():
            remaining, sizes = rng.permutation(stratum), split_sizes(len(stratum), fractions)
            for split_name in fractions:
                size, at_end = sizes[split_name], split_name in from_end
                taken = remaining[-size:] if at_end else remaining[:size]
                remaining = remaining[:-size] if at_end else remaining[size:]
                self.of_row[taken] = self.names.index(split_name)

    def _strata(self) -> dict[str, Array]:
        """The remaining rows that are split together: those of each class, by its name."""
        rows = self.rest
        if self.dataset.classes is None:
            return {"rows": rows}
        labels = self.dataset.targets[rows]
        return {name: rows[labels == label] for label, name in enumerate(self.class_names)}

    def indices(self) -> dict[str, Array]:
        """The rows of each split, in the order of the data set."""
        return {name: self._rows_of(i) for i, name in enumerate(self.names)}


def _require_enough(strata: Mapping[str, Array], fractions: Mapping[str, float], is_class: bool) -> None:
    """Require that fractions leave a row of each stratum for training.

    Raises:
        SourceError: they do not; the message names the classes that are too small.
    """
    few = {name: len(rows) for name, rows in strata.items() if split_sizes(len(rows), fractions)["training"] <= 0}
    if not few:
        return
    given = " and ".join(f"{split} {fraction:g}" for split, fraction in fractions.items())
    message = f"the fractions ({given}) leave no row for training"
    if is_class:
        named = [f"{shown(name)} ({counted(count, 'row')})" for name, count in list(few.items())[:MAX_LISTED]]
        more = f" and {len(few) - MAX_LISTED:,} more" if len(few) > MAX_LISTED else ""
        message += f" of {counted(len(few), 'class')}: {', '.join(named)}{more}"
    else:
        message += f": there are {counted(sum(few.values()), 'row')}"
    largest = max(fractions, key=fractions.__getitem__)
    fix = "; use smaller fractions or more rows" + (" of each, or remove them" if is_class else "")
    raise SourceError(message + fix, largest)


def _groups_with_rows(order: list[int], sizes: Array, rows: int, at_end: bool) -> list[int]:
    """Take groups from one end of ``order`` until they have at least ``rows`` rows; at least one group."""
    chosen: list[int] = []
    while order and (not chosen or sizes[chosen].sum() < rows):
        chosen.append(order.pop(-1 if at_end else 0))
    return chosen


def _require_columns(dataset: Dataset, name: str, section: Part) -> None:
    """Require that the columns of a section exist, and that the column of ``last`` has an order and no missing values.

    Raises:
        SourceError: a requirement is not met, or the section has both ``group`` and ``last``.
    """
    if isinstance(section, Where):
        for each in section.where:
            _require_column(dataset, name, "where", each)
        return
    last = section.last if isinstance(section, Fraction) else False
    if section.group and last:
        raise SourceError("group and last exclude each other; remove one", name)
    for key, column in (("group", section.group), ("last", last)):
        if not isinstance(column, str):
            continue
        _require_column(dataset, name, key, column)
        table: Table = dataset.inputs  # type: ignore[assignment]
        if key == "group":
            continue
        if not table.columns[column].has_order:
            raise SourceError(f"last: column {shown(column)} has no order; name one of numbers or dates", name)
        missing = np.flatnonzero(table.columns[column].is_missing(table.values(column)))
        if len(missing):
            line = f"{table.name}:{table.line(int(missing[0]))}"
            found = f"last: {line}: column {shown(column)} is missing in {counted(len(missing), 'row')}"
            raise SourceError(f"{found}; write the values, or remove the rows", name)


def _require_column(dataset: Dataset, name: str, key: str, column: str) -> None:
    """Require that a column of a table is read.

    Raises:
        SourceError: it is not, or the inputs are not a table.
    """
    if not hasattr(dataset.inputs, "columns"):
        raise SourceError(f"{key}: names a column, but only a table has columns with names", name)
    table: Table = dataset.inputs  # type: ignore[assignment]
    if column not in table.columns:
        known = ", ".join(map(shown, list(table.columns)[:MAX_LISTED]))
        raise SourceError(f"{key}: no column {shown(column)} is read; the columns are {known}", name)


def _where(table: "Table", name: str, section: Where) -> Array:
    """The rows that have one of the values in each column.

    Raises:
        SourceError: no row of the table has a value.
    """
    is_taken = np.ones(len(table), bool)
    for column, given in section.where.items():
        is_one = np.zeros(len(table), bool)
        for value in given if isinstance(given, list) else [given]:
            found = table.equals(column, value)
            if not found.any():
                raise SourceError(f"no row has {shown(value)} in column {shown(column)}", name)
            is_one |= found
        is_taken &= is_one
    return np.flatnonzero(is_taken)
