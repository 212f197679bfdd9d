"""Rows taken out of a data set, the same share of each class where there are classes."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nncli.data.dataset import Dataset, Random


def part_size(rows: int, fraction: float) -> int:
    """How many of some rows a fraction takes: rounded, at least one."""
    return max(1, round(rows * fraction))


def split(dataset: Dataset, fractions: dict[str, float], rng: Random) -> dict[str, Dataset]:
    """The named parts, and the rest under ``training``; no row is in two, and each keeps the order of the rows.

    Args:
        dataset: (N, D) with class numbers, each class being split for itself, or with numbers as targets.
        fractions: the share of each part; the shares of all parts together are less than 1.
        rng: decides which rows go where.

    Raises:
        ValueError: there are too few rows, of a class or in all, to be in every part.
    """
    owner = np.zeros(len(dataset), np.int64)  # 0: training
    for name, group in _groups(dataset).items():
        members = rng.permutation(group)
        start = 0
        for number, fraction in enumerate(fractions.values(), 1):
            stop = start + part_size(len(members), fraction)
            owner[members[start:stop]] = number
            start = stop
        if start >= len(members):
            shares = " and ".join(f"{part} {fraction:g}" for part, fraction in fractions.items())
            taken = f"the fractions ({shares}) take {start} of the {len(members)} {name}"
            raise ValueError(f"{taken}, and leave none to train on; write smaller ones or draw more rows")
    return {name: dataset.rows(np.flatnonzero(owner == number)) for number, name in enumerate(("training", *fractions))}


def _groups(dataset: Dataset) -> dict[str, NDArray[Any]]:
    """The numbers of the rows that are split together, by what they are called."""
    if dataset.classes is None:
        return {"rows": np.arange(len(dataset))}
    return {f"rows of class {label}": np.flatnonzero(dataset.targets == label) for label in range(dataset.classes)}
