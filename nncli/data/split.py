"""Rows taken out of a data set, the same share of each class where there are classes."""

from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nncli.data.dataset import Dataset, Random


def part_sizes(rows: int, fractions: dict[str, float]) -> dict[str, int]:
    """The rows of each part of one class: a fraction rounded, at least one; ``training`` has the rest."""
    sizes = {name: max(1, round(rows * fraction)) for name, fraction in fractions.items()}
    return {"training": rows - sum(sizes.values()), **sizes}


def split(
    dataset: Dataset, fractions: dict[str, float], rng: Random, from_end: Collection[str] = ()
) -> dict[str, Dataset]:
    """The named parts, and the rest under ``training``; no row is in two, and each keeps the order of the rows.

    The rows of each class are permuted once. A part takes the first rows of the permutation that are left, or the last
    ones: of two parts at different ends neither depends on whether the other one is there.

    Args:
        dataset: (N, D) with class numbers, each class being split for itself, or with numbers as targets.
        fractions: the share of each part; the shares of all parts together are less than 1.
        rng: decides which rows go where.
        from_end: the parts that take their rows from the end of the permutation.

    Raises:
        ValueError: there are too few rows, of a class or in all, to be in every part.
    """
    owner = np.zeros(len(dataset), np.int64)  # 0: training
    for name, group in _groups(dataset).items():
        left, sizes = rng.permutation(group), part_sizes(len(group), fractions)
        if sizes["training"] <= 0:
            shares = " and ".join(f"{part} {fraction:g}" for part, fraction in fractions.items())
            message = f"the fractions ({shares}) take {len(group) - sizes['training']} of the {len(group)} {name}"
            raise ValueError(f"{message}, and leave none to train on; write smaller ones or draw more rows")
        for number, part in enumerate(fractions, 1):
            size = sizes[part]
            taken, left = (left[-size:], left[:-size]) if part in from_end else (left[:size], left[size:])
            owner[taken] = number
    return {name: dataset.rows(np.flatnonzero(owner == number)) for number, name in enumerate(("training", *fractions))}


def _groups(dataset: Dataset) -> dict[str, NDArray[Any]]:
    """The numbers of the rows that are split together, by what they are called."""
    if dataset.classes is None:
        return {"rows": np.arange(len(dataset))}
    return {f"rows of class {label}": np.flatnonzero(dataset.targets == label) for label in range(dataset.classes)}
