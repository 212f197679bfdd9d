"""Stratified split of a data set: each class is split by the same fractions."""

from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nncli.data.dataset import Dataset, Random


def split_sizes(rows: int, fractions: dict[str, float]) -> dict[str, int]:
    """The rows of one class in each split: the rounded fraction, at least one; the rest is ``training``."""
    sizes = {name: max(1, round(rows * fraction)) for name, fraction in fractions.items()}
    return {"training": rows - sum(sizes.values()), **sizes}


def split(
    dataset: Dataset, fractions: dict[str, float], rng: Random, from_end: Collection[str] = ()
) -> dict[str, Dataset]:
    """Return the named splits, and the remaining rows as ``training``: disjoint, each in the order of the data set.

    The rows of each class are permuted once. A split takes the first remaining rows of the permutation, or the last
    ones: two splits at different ends do not depend on each other.

    Args:
        dataset: (N, D) with class labels, which are stratified, or with real-valued targets.
        fractions: the fraction of each split; their sum is less than 1.
        rng: the generator of the permutations.
        from_end: the splits that take their rows from the end of the permutation.

    Raises:
        ValueError: there are too few rows, of a class or in total, for all splits.
    """
    split_index = np.zeros(len(dataset), np.int64)  # 0: training
    for name, group in _strata(dataset).items():
        remaining, sizes = rng.permutation(group), split_sizes(len(group), fractions)
        if sizes["training"] <= 0:
            listed = " and ".join(f"{split} {fraction:g}" for split, fraction in fractions.items())
            message = f"the fractions ({listed}) take {len(group) - sizes['training']} of the {len(group)} {name}"
            raise ValueError(f"{message}, so that none is left for training; use smaller fractions or more samples")
        for index, each in enumerate(fractions, 1):
            size = sizes[each]
            at_end = each in from_end
            taken = remaining[-size:] if at_end else remaining[:size]
            remaining = remaining[:-size] if at_end else remaining[size:]
            split_index[taken] = index
    return {name: dataset.rows(np.flatnonzero(split_index == i)) for i, name in enumerate(("training", *fractions))}


def _strata(dataset: Dataset) -> dict[str, NDArray[Any]]:
    """The indices of the rows that are split together, by their description in messages."""
    if dataset.classes is None:
        return {"rows": np.arange(len(dataset))}
    return {f"rows of class {label}": np.flatnonzero(dataset.targets == label) for label in range(dataset.classes)}
