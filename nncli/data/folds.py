"""Folds of cross-validation: parts of rows with equal sizes, stratified by class, or parts of whole groups."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nncli.config.diagnostics import counted, shown
from nncli.config.model import Fold
from nncli.data.dataset import Random
from nncli.data.source import SourceError

Array = NDArray[Any]
MAX_LISTED = 20


def fold_size(rows: int, fold: Fold) -> int:
    """The size of a fold of rows without groups; the sizes of two folds differ by at most one row."""
    return len(range(fold.fold, rows, fold.folds))


def stratified_fold(strata: Mapping[str, Array], fold: Fold, rng: Random) -> Array:
    """The rows of a fold: the permuted rows of each stratum, one after the other, are dealt to the folds in turn.

    So the sizes of two folds differ by at most one row, in total and in each stratum.

    Args:
        strata: the rows that are split together, such as those of each class.
        fold: the fold.
        rng: the generator of the permutations.
    """
    order = np.concatenate([rng.permutation(rows) for rows in strata.values()])
    return order[fold.fold :: fold.folds]


def grouped_fold(sizes: Array, fold: Fold, rng: Random) -> list[int]:
    """The groups of a fold: the largest group first, each is given to the fold that has the fewest rows.

    Args:
        sizes: (G,) the number of rows of each group.
        fold: the fold.
        rng: the generator of the order of groups with the same size.
    """
    order = rng.permutation(len(sizes))
    order = order[np.argsort(-sizes[order], kind="stable")]
    rows, of_fold = [0] * fold.folds, list[int]()
    for group in order.tolist():
        smallest = rows.index(min(rows))
        rows[smallest] += int(sizes[group])
        of_fold += [group] if smallest == fold.fold else []
    return of_fold


def require_rows(strata: Mapping[str, Array], fold: Fold, name: str, is_class: bool) -> None:
    """Require a row of each stratum for each fold.

    Raises:
        SourceError: there are fewer; the message names the classes that are too small.
    """
    few = {stratum: len(rows) for stratum, rows in strata.items() if len(rows) < fold.folds}
    if not few:
        return
    message = f"{fold.folds} folds need at least {fold.folds} rows"
    if not is_class:
        raise SourceError(f"{message}, but there are {sum(few.values())}; use fewer folds or more rows", name)
    named = [f"{shown(each)} ({counted(count, 'row')})" for each, count in list(few.items())[:MAX_LISTED]]
    more = f" and {len(few) - MAX_LISTED:,} more" if len(few) > MAX_LISTED else ""
    found = f"{counted(len(few), 'class')} with fewer: {', '.join(named)}{more}"
    raise SourceError(f"{message} of each class; {found}; use fewer folds or more rows of each, or remove them", name)


def require_groups(groups: int, fold: Fold, name: str) -> None:
    """Require a group for each fold.

    Raises:
        SourceError: there are fewer.
    """
    if groups < fold.folds:
        found = f"column {shown(fold.group)} has {counted(groups, 'different value')}"
        raise SourceError(f"{fold.folds} folds need at least {fold.folds} groups, but {found}; use fewer folds", name)
